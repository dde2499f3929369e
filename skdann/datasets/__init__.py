"""Data from two places: made, and real."""

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
