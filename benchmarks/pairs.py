"""The real data sets by domain, and how each is prepared for a network."""

import numpy as np
from data import fetch_mnist_usps, fetch_office_caltech, fetch_twin_gas
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import (
    FunctionTransformer,
    Normalizer,
    OneHotEncoder,
    StandardScaler,
)

from skdann.datasets import (
    fetch_adult,
    fetch_amazon_reviews,
    fetch_gas_drift,
    fetch_heart_disease,
    fetch_phishing,
)

FETCH = {
    "adult": fetch_adult,
    "amazon": fetch_amazon_reviews,
    "gas": fetch_gas_drift,
    "heart": fetch_heart_disease,
    "mnist-usps": fetch_mnist_usps,
    "office": fetch_office_caltech,
    "phishing": fetch_phishing,
    "twin-gas": fetch_twin_gas,
}


def load(data_set, pair, data):
    """Return X, y, X_tgt, y_tgt of a pair "source>target", raw."""
    rows = []
    for domain in pair.split(">"):
        domain = int(domain) if domain.isdigit() else domain
        rows += FETCH[data_set](domain, data_home=data, return_X_y=True)
    return rows


def preprocessing(data_set):
    """Return the transformers before the network, not fitted."""
    narrow = FunctionTransformer(to_float32)
    if data_set == "amazon":
        return [TfidfTransformer(sublinear_tf=True)]
    if data_set == "mnist-usps":
        return [narrow]
    if data_set == "heart":
        return [SimpleImputer(keep_empty_features=True), StandardScaler(), narrow]
    if data_set == "office":  # shares of the words of a picture
        return [Normalizer(norm="l1"), StandardScaler(), narrow]
    if data_set == "adult":
        categories = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
        columns = make_column_transformer(
            (StandardScaler(), slice(0, 6)), (categories, slice(6, 14))
        )
        return [columns, narrow]
    return [StandardScaler(), narrow]


def to_float32(X):
    return np.asarray(X, dtype=np.float32)
