"""Data from two places: made, and real.

The loaders of real data look into the folder ``data_home``, by default that of the
environment variable ``SKDANN_DATA``, or else the user's cache. What is not there they
download once, from its publisher or, with ``SKDANN_DATA_URL``, from a mirror of such a
folder. Three files nobody serves at an address that stays, so the folder has to hold
them: ``office_caltech_surf.npz``, ``mnist_usps_256.npz`` and
``mnistm_official_test.npz``. The loaders need the extra ``datasets``: in a clone,
``pip install '.[datasets]'``.
"""

from ._fetch import (
    fetch_adult,
    fetch_amazon_reviews,
    fetch_gas_drift,
    fetch_heart_disease,
    fetch_mnist,
    fetch_mnist_m,
    fetch_mnist_usps,
    fetch_office_caltech,
    fetch_phishing,
    fetch_usps,
)
from ._moons import make_shifted_moons

__all__ = [
    "fetch_adult",
    "fetch_amazon_reviews",
    "fetch_gas_drift",
    "fetch_heart_disease",
    "fetch_mnist",
    "fetch_mnist_m",
    "fetch_mnist_usps",
    "fetch_office_caltech",
    "fetch_phishing",
    "fetch_usps",
    "make_shifted_moons",
]
