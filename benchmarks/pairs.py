"""The real data sets by domain, raw, and how each is prepared for a network."""

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import FunctionTransformer, StandardScaler


def load_gas(data, name):
    arrays = np.load(data / "gas_drift.npz")
    return arrays[f"X_batch{name}"], arrays[f"y_batch{name}"]


def load_office(data, name):
    arrays = np.load(data / "office_caltech_surf.npz")
    X = arrays[f"X_{name}"].astype(float)
    return X / np.maximum(X.sum(axis=1, keepdims=True), 1), arrays[f"y_{name}"]


def load_digits(data, name):
    arrays = np.load(data / "mnist_usps_256.npz")
    X = arrays[f"X_{name}"]
    return X / X.max(), arrays[f"y_{name}"]


def load_amazon(data, name):
    arrays = np.load(data / "amazon_reviews.npz")
    values, indices, indptr = (
        arrays[f"{name}_train_{part}"] for part in ("data", "indices", "indptr")
    )
    y = arrays[f"{name}_train_y"]
    matrix = (values.astype("f4"), indices.astype("i4"), indptr)
    return csr_matrix(matrix, shape=(len(y), 5000)), y


def load_phishing(data, name):
    arrays = np.load(data / "phishing.npz")
    rows = arrays["domain"] == int(name)
    return arrays["X"][rows].astype(float), arrays["y"][rows]


def load_heart(data, name):
    arrays = np.load(data / "heart_disease_hospitals.npz")
    return arrays[f"X_{name}"], arrays[f"y_{name}"]


LOADERS = {
    "gas": load_gas,
    "office": load_office,
    "mnist-usps": load_digits,
    "amazon": load_amazon,
    "phishing": load_phishing,
    "heart": load_heart,
}


def preprocessing(data_set):
    """Return the transformers before the network, not fitted."""
    narrow = FunctionTransformer(to_float32)
    if data_set == "amazon":
        return [TfidfTransformer(sublinear_tf=True)]
    if data_set == "mnist-usps":
        return [narrow]
    if data_set == "heart":
        return [SimpleImputer(keep_empty_features=True), StandardScaler(), narrow]
    return [StandardScaler(), narrow]


def to_float32(X):
    return X.astype("float32")
