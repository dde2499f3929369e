"""Where the original files are, and how their arrays are read from them."""

import tarfile
import zipfile
from dataclasses import dataclass

import numpy as np
from sklearn.datasets import load_svmlight_file

UCI = "https://archive.ics.uci.edu"
GRAAL = (
    "https://raw.githubusercontent.com/GRAAL-Research"
    "/domain_adversarial_neural_network/master/data"
)
BERKELEY = "https://www2.eecs.berkeley.edu/Research/Projects/CS/vision/grouping/BSR"
HASTIE = "https://hastie.su.domains/ElemStatLearn/datasets"


@dataclass(frozen=True)
class File:
    """One file of a data set.

    Attributes
    ----------
    name : str
        In the folder, and on a mirror.
    address : str
        Where its publisher has it.
    hash : str or None
        As pooch takes it. None if none is published: then the arrays are checked.
    """

    name: str
    address: str
    hash: str | None


def _in_folder(folder, hashes):
    return [File(name, f"{folder}/{name}", digest) for name, digest in hashes.items()]


SOURCES = {
    "adult": _in_folder(
        f"{UCI}/ml/machine-learning-databases/adult",
        {
            "adult.data": (
                "5b00264637dbfec36bdeaab5676b0b309ff9eb788d63554ca0a249491c86603d"
            ),
            "adult.test": (
                "a2a9044bc167a35b2361efbabec64e89d69ce82d9790d2980119aac5fd7e9c05"
            ),
        },
    ),
    "amazon_reviews": _in_folder(
        GRAAL,
        {
            "books_train.svmlight": (
                "317f9a2ec34b81de770b63a84d8c5cc2dc16bd0be6e079d2ff5b5bad5213ea19"
            ),
            "books_test.svmlight": (
                "fe4605c7dcf0e0a9410fd2a32f247caaf9abb352cc6e4c3e0f400853163ad9c4"
            ),
            "dvd_train.svmlight": (
                "95f602aa08bf6b55758f7b0b18df3882fe30acb11987ee60b6b4bb3c44cba733"
            ),
            "dvd_test.svmlight": (
                "4fe1b1a15010f78d8d0c49fe362d35fd4677463a45f1ac02a9f410ae1e638060"
            ),
            "electronics_train.svmlight": (
                "7d0061f03ff3827e4f8036b051b5e5828fddc0cd115aa5b212cd28d624dc14e4"
            ),
            "electronics_test.svmlight": (
                "641783bc941839c3a111d3488a1b7e3bd820a61ec14a129e7429b47703aa961d"
            ),
            "kitchen_train.svmlight": (
                "a70b5ebfe1413e0e16280360905f5c3b64389c435cd20c0165dc9d7f293b31b5"
            ),
            "kitchen_test.svmlight": (
                "e1502b97a824eb12314be4447394fa736fecb781c0724e6529cd6733ac7ff6d8"
            ),
        },
    ),
    "bsds500_train_jpeg": _in_folder(BERKELEY, {"BSR_bsds500.tgz": None}),
    "gas_drift": _in_folder(
        f"{UCI}/static/public/224",
        {
            "gas+sensor+array+drift+dataset.zip": (
                "91e8f466f202e7a093d657673ce47311c3e90416f7df3057966058961c351fe4"
            )
        },
    ),
    "heart_disease_hospitals": _in_folder(
        f"{UCI}/ml/machine-learning-databases/heart-disease",
        {
            "processed.cleveland.data": (
                "a74b7efa387bc9d108d7d0115d831fe9b414b29ae7124f331b622b4efa0427c8"
            ),
            # the processed file of this hospital has lost the severity
            "reprocessed.hungarian.data": "md5:3698a53d41cccc2e4499e1273c055378",
            "processed.switzerland.data": (
                "834a405ccf5b66ab4056bb77794adc8df0b7125186454c0a1d002d33c6c3b314"
            ),
            "processed.va.data": (
                "e7c93d8d0d2acdadfa4c5e8de768e2191e7f618b952e29623f1f0d5949ff6b8f"
            ),
        },
    ),
    "mnist": [
        File(
            "keras-mnist.npz",  # not mnist.npz, which is the packed file
            "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz",
            "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1",
        )
    ],
    "phishing": _in_folder(f"{UCI}/static/public/327", {"phishing+websites.zip": None}),
    "usps": _in_folder(HASTIE, {"zip.train.gz": None, "zip.test.gz": None}),
}


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


def read_bsds500(paths):
    """Read the training photographs from the archive, in the order of their names."""
    with tarfile.open(paths[0]) as archive:
        folder = "BSR/BSDS500/data/images/train/"
        names = sorted(
            name
            for name in archive.getnames()
            if name.startswith(folder) and name.endswith(".jpg")
        )
        files = [archive.extractfile(name).read() for name in names]
    return {
        "jpeg_bytes": np.frombuffer(b"".join(files), dtype=np.uint8),
        "offsets": np.cumsum([0, *map(len, files)]),
        "names": np.array([name.removeprefix(folder) for name in names]),
    }


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


READERS = {
    "adult": read_adult,
    "amazon_reviews": read_amazon_reviews,
    "bsds500_train_jpeg": read_bsds500,
    "gas_drift": read_gas_drift,
    "heart_disease_hospitals": read_heart_disease,
    "mnist": read_mnist,
    "phishing": read_phishing,
    "usps": read_usps,
}
