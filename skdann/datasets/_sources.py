"""Where the original files are, and how their arrays are read from them."""

import zipfile
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from sklearn.datasets import load_svmlight_file

UCI = "https://archive.ics.uci.edu"
GRAAL = (
    "https://raw.githubusercontent.com/GRAAL-Research"
    "/domain_adversarial_neural_network/master/data"
)
HASTIE = "https://hastie.su.domains/ElemStatLearn/datasets"
KERAS = "https://storage.googleapis.com/tensorflow/tf-keras-datasets"


class Source(NamedTuple):
    """The original files of a data set.

    Attributes
    ----------
    read : callable
        Takes the paths of the files and returns their arrays.
    addresses : dict of str to str
        Where the publisher has each file, by its name in the folder and on a mirror.
    """

    read: Callable
    addresses: dict


def read_adult(paths):
    """Read the census from the two files of its donors."""
    lines = [
        line.rstrip(".").split(", ")
        for path in paths
        for line in path.read_text().splitlines()
        if line.count(",") == 14  # not the heading, nor the empty last line
    ]
    table = np.array(lines)
    numbers = {"age": 0, "fnlwgt": 2, "education-num": 4}
    numbers |= {"capital-gain": 10, "capital-loss": 11, "hours-per-week": 12}
    categories = {"workclass": 1, "education": 3, "marital-status": 5}
    categories |= {"occupation": 6, "relationship": 7, "race": 8, "sex": 9}
    categories |= {"native-country": 13}
    arrays = {
        "X_num": table[:, list(numbers.values())].astype(np.int32),
        "y": (table[:, 14] == ">50K").astype(np.uint8),
        "num_names": np.array(list(numbers)),
        "cat_names": np.array(list(categories)),
    }
    codes = []
    for name, column in categories.items():
        values, inverse = np.unique(table[:, column], return_inverse=True)
        arrays[f"cats_{name.replace('-', '_')}"] = values
        codes.append(inverse)
    arrays["X_cat"] = np.stack(codes, axis=1).astype(np.uint8)
    return arrays


def read_amazon_reviews(paths):
    """Read the reviews from eight files in svmlight's format."""
    arrays = {"n_features": np.int64(5000)}
    for path in paths:
        X, y = load_svmlight_file(str(path), n_features=5000, zero_based=True)
        arrays |= {
            f"{path.stem}_data": X.data.astype(np.uint8),
            f"{path.stem}_indices": X.indices.astype(np.uint16),
            f"{path.stem}_indptr": X.indptr.astype(np.int32),
            f"{path.stem}_y": (y > 0).astype(np.uint8),
        }
    return arrays


def read_gas_drift(paths):
    """Read the batches from the archive."""
    gases = ["Ethanol", "Ethylene", "Ammonia", "Acetaldehyde", "Acetone", "Toluene"]
    arrays = {"class_names": np.array(gases)}
    with zipfile.ZipFile(paths[0]) as archive:
        for batch in (1, 2, 3, 4, 5, 6, 8, 9):
            with archive.open(f"Dataset/batch{batch}.dat") as file:
                X, y = load_svmlight_file(file, n_features=128, zero_based=False)
            arrays[f"X_batch{batch}"] = X.toarray().astype(np.float32)
            arrays[f"y_batch{batch}"] = (y - 1).astype(np.uint8)
    return arrays


def read_heart_disease(paths):
    """Read the patients from four files, one of which has another format."""
    names = "age sex cp trestbps chol fbs restecg thalach exang oldpeak slope ca thal"
    arrays = {"feature_names": np.array(names.split())}
    for path in paths:
        hospital = path.stem.rpartition(".")[2]
        text = path.read_text().replace(",", " ").replace("?", "nan")
        if hospital == "hungarian":
            text = text.replace("-9", "nan")
        table = np.array(text.split(), dtype=np.float32).reshape(-1, 14)
        arrays[f"X_{hospital}"] = table[:, :13]
        arrays[f"y_{hospital}"] = (table[:, 13] > 0).astype(np.uint8)
    return arrays


def read_mnist(paths):
    """Read the digits from the file of Keras, whose names are in lower case."""
    with np.load(paths[0], allow_pickle=False) as arrays:
        return {
            f"{new}_{subset}": arrays[f"{old}_{subset}"]
            for new, old in (("X", "x"), ("y", "y"))
            for subset in ("train", "test")
        }


def read_phishing(paths):
    """Read the web sites from Weka's format; the first column tells the domain."""
    with zipfile.ZipFile(paths[0]) as archive:
        text = archive.read("Training Dataset.arff").decode()
    head, _, body = text.partition("@data")
    names = [line.split()[1] for line in head.splitlines() if "@attribute" in line]
    table = np.array([line.split(",") for line in body.split()], dtype=np.int8)
    return {
        "X": table[:, :30],
        "y": (table[:, 30] > 0).astype(np.uint8),
        "domain": (table[:, 0] > 0).astype(np.uint8),
        "feature_names": np.array(names[:30]),
    }


def read_usps(paths):
    """Read the digits from two compressed tables: label, then pixels in [-1, 1]."""
    arrays = {}
    for path, subset in zip(paths, ("train", "test"), strict=True):
        table = np.loadtxt(path, ndmin=2)
        pixels = np.rint((table[:, 1:] + 1) * 1000)  # they have three digits
        arrays[f"X_{subset}"] = pixels.astype(np.uint16).reshape(-1, 16, 16)
        arrays[f"y_{subset}"] = table[:, 0].astype(np.uint8)
    return arrays


def _in_folder(folder, *names):
    return {name: f"{folder}/{name}" for name in names}


SOURCES = {
    "adult": Source(
        read_adult,
        _in_folder(
            f"{UCI}/ml/machine-learning-databases/adult", "adult.data", "adult.test"
        ),
    ),
    "amazon_reviews": Source(
        read_amazon_reviews,
        _in_folder(
            GRAAL,
            *(
                f"{domain}_{subset}.svmlight"
                for domain in ("books", "dvd", "electronics", "kitchen")
                for subset in ("train", "test")
            ),
        ),
    ),
    "gas_drift": Source(
        read_gas_drift,
        _in_folder(f"{UCI}/static/public/224", "gas+sensor+array+drift+dataset.zip"),
    ),
    "heart_disease_hospitals": Source(
        read_heart_disease,
        _in_folder(
            f"{UCI}/ml/machine-learning-databases/heart-disease",
            "processed.cleveland.data",
            "reprocessed.hungarian.data",  # the processed one has lost the severity
            "processed.switzerland.data",
            "processed.va.data",
        ),
    ),
    # not mnist.npz, which is the packed file
    "mnist": Source(read_mnist, {"keras-mnist.npz": f"{KERAS}/mnist.npz"}),
    "phishing": Source(
        read_phishing, _in_folder(f"{UCI}/static/public/327", "phishing+websites.zip")
    ),
    "usps": Source(read_usps, _in_folder(HASTIE, "zip.train.gz", "zip.test.gz")),
}
