"""Data from two places: made, and real; and files larger than memory as rows.

The loaders of real data look into the folder ``data_home``, by default that of the
environment variable ``SKDANN_DATA``, or else the user's cache. What is not there they
download once, from its publisher or, with ``SKDANN_DATA_URL``, from a mirror of such a
folder. They need the extra ``datasets``: in a clone, ``pip install '.[datasets]'``.
"""

from ._fetch import (
    fetch_adult,
    fetch_amazon_reviews,
    fetch_gas_drift,
    fetch_heart_disease,
    fetch_mnist,
    fetch_phishing,
    fetch_usps,
)
from ._moons import make_shifted_moons
from ._parquet import parquet_to_memmap

__all__ = [
    "fetch_adult",
    "fetch_amazon_reviews",
    "fetch_gas_drift",
    "fetch_heart_disease",
    "fetch_mnist",
    "fetch_phishing",
    "fetch_usps",
    "make_shifted_moons",
    "parquet_to_memmap",
]
