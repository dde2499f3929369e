"""Data of the experiments that have no stable download URL, beside `skdann.datasets`.

`data_home`, by default the folder `SKDANN_DATA`, has to hold `office_caltech_surf.npz`,
`corn_nir.npz`, `mnist_usps_256.npz`, `mnistm_official_test.npz` and `twin_gas.npz`.
"""

from ._fetch import (
    fetch_mnist_m,
    fetch_mnist_usps,
    fetch_office_caltech,
    fetch_twin_gas,
)
from ._photographs import blend_with_photographs

__all__ = [
    "blend_with_photographs",
    "fetch_mnist_m",
    "fetch_mnist_usps",
    "fetch_office_caltech",
    "fetch_twin_gas",
]
