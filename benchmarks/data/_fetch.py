"""Loaders with the interface of those of `skdann.datasets`."""

import numpy as np

from skdann.datasets import fetch_mnist
from skdann.datasets._fetch import DIGITS, check_choice, make_bunch

from ._files import load_arrays
from ._photographs import blend_with_photographs


def fetch_office_caltech(domain="amazon", *, data_home=None, return_X_y=False):
    """Load descriptions of office objects in photographs of four sources.

    Histograms over 800 visual words (SURF), float64 counts, of the ten classes that
    Office-31 and Caltech-256 share (B. Gong et al., "Geodesic flow kernel for
    unsupervised domain adaptation", CVPR 2012): 958 photographs of amazon, 1,123 of
    caltech10, 157 of dslr, 295 of webcam. Usual: rows divided by their sum, then each
    domain scaled by itself.
    """
    check_choice("domain", domain, ("amazon", "caltech10", "dslr", "webcam"))
    arrays = load_arrays("office_caltech_surf", data_home)
    data, target = arrays[f"X_{domain}"].astype(float), arrays[f"y_{domain}"]
    names = arrays["class_names"].tolist()
    about = "Gong et al. 2012; Saenko et al. 2010; Griffin et al. 2007. For research."
    return make_bunch(data, target, names, about, return_X_y)


def fetch_mnist_usps(domain="mnist", *, data_home=None, return_X_y=False):
    """Load handwritten digits of two collections as rows of 16 x 16 pixels in [0, 1].

    The 2,000 of mnist and 1,800 of usps that M. Long et al. chose ("Transfer feature
    learning with joint distribution adaptation", ICCV 2013), float32.
    """
    check_choice("domain", domain, ("mnist", "usps"))
    arrays = load_arrays("mnist_usps_256", data_home)
    data, target = arrays[f"X_{domain}"], arrays[f"y_{domain}"]
    about = "LeCun et al. 1998; Hull 1994; chosen by Long et al. 2013."
    return make_bunch(data, target, DIGITS, about, return_X_y)


def fetch_twin_gas(domain="B1", *, data_home=None, return_X_y=False):
    """Load four gases measured by three boards of sensors of one make.

    160 rows of 80 features for each board, four gases in equal shares, float32
    (J. Fonollosa et al., "Calibration transfer and drift counteraction in chemical
    sensor arrays using Direct Standardization", Sensors and Actuators B, 2016).
    """
    arrays = load_arrays("twin_gas", data_home)
    boards = arrays["domain_names"].tolist()
    check_choice("domain", domain, tuple(boards))
    rows = arrays["domain"] == boards.index(domain)
    names = arrays["class_names"].tolist()
    about = "Fonollosa et al. 2016; UCI 361."
    data, target = arrays["X"][rows], arrays["y"][rows]
    return make_bunch(data, target, names, about, return_X_y)


def fetch_mnist_m(*, subset="train", random_state=0, data_home=None, return_X_y=False):
    """Load MNIST's digits on photographs, uint8 images of shape (3, 28, 28).

    The target of Y. Ganin and V. Lempitsky, "Unsupervised Domain Adaptation by
    Backpropagation", ICML 2015, table 1. For training, all 60,000 of MNIST, blended
    here as the authors blended theirs; `random_state` decides the patches. For testing,
    the 9,001 images that they published, without their margin of two pixels.
    """
    check_choice("subset", subset, ("train", "test"))
    if subset == "test":
        arrays = load_arrays("mnistm_official_test", data_home)
        data, target = arrays["X_test"][:, 2:-2, 2:-2], arrays["y_test"]
        data = np.ascontiguousarray(data.transpose(0, 3, 1, 2))
    else:
        digits, target = fetch_mnist(data_home=data_home, return_X_y=True)
        data = blend_with_photographs(digits, data_home, random_state)
    about = "LeCun et al. 1998; Arbelaez et al. 2011; Ganin and Lempitsky 2015."
    return make_bunch(data, target, DIGITS, about, return_X_y)
