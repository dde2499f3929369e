"""The pairs of domains that decide about defaults: 69 of nine data sets."""

import sys
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

import numpy as np
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer, OneHotEncoder

sys.path.append(str(Path(__file__).parents[1]))

from pairs import load as load_raw

from skdann.datasets import fetch_adult

MAX_ROWS = 3000
MAX_ROWS_GAS = 1500
N_WORDS = 2000


def _ordered(*domains):
    return [f"{a}>{b}" for a, b in permutations(domains, 2)]


GAS = (2, 3, 4, 5, 6, 8, 9)
PAIRS = [
    f"{data_set} {pair}"
    for data_set, pairs in {
        "tumors": ["0", "1", "2"],
        "heart": _ordered("cleveland", "hungarian", "switzerland", "va"),
        "gas": [f"1>{k}" for k in GAS] + [f"2>{k}" for k in (1, *GAS[1:])],
        "twin-gas": _ordered("B1", "B2", "B3"),
        "office": _ordered("amazon", "caltech10", "dslr", "webcam"),
        "amazon": _ordered("books", "dvd", "electronics", "kitchen"),
        "adult": [
            *_ordered("men", "women"),
            *_ordered("private", "government"),
            *_ordered("native", "foreign"),
        ],
        "phishing": _ordered("ip", "name"),
        "digits": _ordered("mnist", "usps"),
    }.items()
    for pair in pairs
]

# Those on which accuracy is compared with what was measured before this bench.
SIXTEEN = [
    "tumors 0",
    "heart cleveland>hungarian",
    "heart cleveland>va",
    "heart cleveland>switzerland",
    "heart va>hungarian",
    "gas 1>3",
    "gas 1>5",
    "gas 2>4",
    "office caltech10>dslr",
    "office webcam>amazon",
    "amazon books>kitchen",
    "adult men>women",
    "phishing ip>name",
    "phishing name>ip",
    "digits mnist>usps",
    "digits usps>mnist",
]


@dataclass(frozen=True)
class Pair:
    """Encoded, not scaled. Labels are positions among the source's classes, or -1.

    ``X_test`` are the rows that accuracy is measured on: the target, or rows of it
    that the fit does not see.
    """

    name: str
    X: np.ndarray
    y: np.ndarray
    X_tgt: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray

    @property
    def data_set(self):
        return self.name.partition(" ")[0]

    @property
    def is_text(self):
        return self.data_set == "amazon"


def load(name, data=None):
    """Return a :class:`Pair`."""
    data_set, _, pair = name.partition(" ")
    parts = LOADERS[data_set](pair, data)
    X, X_tgt = (np.ascontiguousarray(A, dtype=np.float32) for A in parts[0::2][:2])
    y, y_test = parts[1], parts[-1]
    X_test = X_tgt
    if len(parts) > 4:
        X_test = np.ascontiguousarray(parts[4], dtype=np.float32)
    classes = np.unique(y)
    known = np.isin(y_test, classes)
    y_test = np.where(known, np.searchsorted(classes, y_test), -1)
    return Pair(name, X, np.searchsorted(classes, y), X_tgt, X_test, y_test)


def _at_most(n, X, y, X_tgt, y_tgt):
    """Return at most n rows of each domain, the same in each run."""
    rows, rows_tgt = (
        np.random.default_rng(0).permutation(len(labels))[:n] for labels in (y, y_tgt)
    )
    return X[rows], y[rows], X_tgt[rows_tgt], y_tgt[rows_tgt]


def _load_tumors(seed, data):
    """Cell nuclei: their means on one half, the worst three values on the other."""
    X, y = load_breast_cancer(return_X_y=True)
    split = {"random_state": int(seed)}
    rest, test = train_test_split(np.arange(len(y)), test_size=0.2, stratify=y, **split)
    a, b = train_test_split(rest, test_size=0.5, stratify=y[rest], **split)
    mean, worst = X[:, :10], X[:, 20:]
    return mean[a], y[a], worst[b], y[b], worst[test], y[test]


def _load_heart(pair, data):
    X, y, X_tgt, y_tgt = load_raw("heart", pair, data)
    categories = make_pipeline(
        SimpleImputer(strategy="most_frequent"),
        OneHotEncoder(handle_unknown="ignore", sparse_output=False),
    )
    encoder = make_column_transformer(
        (SimpleImputer(), [0, 3, 4, 7, 9]), (categories, [1, 2, 5, 6, 8])
    )
    return encoder.fit_transform(X), y, encoder.transform(X_tgt), y_tgt


def _load_gas(pair, data):
    return _at_most(MAX_ROWS_GAS, *load_raw("gas", pair, data))


def _load_twin_gas(pair, data):
    return _at_most(MAX_ROWS, *load_raw("twin-gas", pair, data))


def _load_office(pair, data):
    """Shares of visual words."""
    X, y, X_tgt, y_tgt = load_raw("office", pair, data)
    shares = Normalizer(norm="l1")
    return _at_most(MAX_ROWS, shares.transform(X), y, shares.transform(X_tgt), y_tgt)


def _load_amazon(pair, data):
    """Tf-idf of the words that are commonest in both domains."""
    X, y, X_tgt, y_tgt = load_raw("amazon", pair, data)
    commonest = np.argsort(-(X.getnnz(0) + X_tgt.getnnz(0)))[:N_WORDS]
    tfidf = TfidfTransformer(sublinear_tf=True)
    X = tfidf.fit_transform(X[:, commonest]).toarray()
    return X, y, tfidf.transform(X_tgt[:, commonest]).toarray(), y_tgt


ADULT = {
    "men": ("sex", lambda value: value == "Male"),
    "women": ("sex", lambda value: value == "Female"),
    "private": ("workclass", lambda value: value == "Private"),
    "government": ("workclass", lambda value: value.endswith("-gov")),
    "native": ("native-country", lambda value: value == "United-States"),
    "foreign": ("native-country", lambda value: value not in ("United-States", "?")),
}


def _load_adult(pair, data):
    both = [fetch_adult(d, data_home=data) for d in ("men", "women")]
    table, y = np.vstack([b.data for b in both]), np.hstack([b.target for b in both])
    names, values = both[0].feature_names, both[0].categories
    parts = []
    for domain in pair.split(">"):
        column, is_in = ADULT[domain]
        codes = [i for i, value in enumerate(values[column]) if is_in(value)]
        parts.append(np.isin(table[:, names.index(column)], codes))
    dropped = (column, "education", "native-country")  # the second is a number, too
    kept = [names.index(name) for name in values if name not in dropped]
    encoder = OneHotEncoder(sparse_output=False)
    for name in ("fnlwgt", "capital-gain", "capital-loss"):
        table[:, names.index(name)] = np.log1p(table[:, names.index(name)])
    X = np.hstack([table[:, :6], encoder.fit_transform(table[:, kept])])
    rows, rows_tgt = parts
    return _at_most(MAX_ROWS, X[rows], y[rows], X[rows_tgt], y[rows_tgt])


def _load_phishing(pair, data):
    """Less the columns that are constant in one domain, as the address is."""
    X, y, X_tgt, y_tgt = load_raw("phishing", pair, data)
    varies = (np.ptp(X, axis=0) > 0) & (np.ptp(X_tgt, axis=0) > 0)
    return _at_most(MAX_ROWS, X[:, varies], y, X_tgt[:, varies], y_tgt)


def _load_digits(pair, data):
    return _at_most(MAX_ROWS, *load_raw("mnist-usps", pair, data))


LOADERS = {
    "tumors": _load_tumors,
    "heart": _load_heart,
    "gas": _load_gas,
    "twin-gas": _load_twin_gas,
    "office": _load_office,
    "amazon": _load_amazon,
    "adult": _load_adult,
    "phishing": _load_phishing,
    "digits": _load_digits,
}
