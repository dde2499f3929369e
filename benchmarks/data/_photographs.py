"""Digits on photographs, as MNIST-M is made."""

import io
from itertools import pairwise

import numpy as np
from sklearn.utils import check_random_state

from ._files import load_arrays


def blend_with_photographs(digits, data_home=None, random_state=0):
    """Return ``abs(ink - patch)``, uint8 images of shape (3, height, width).

    Each digit lies on a random patch of the 200 training photographs of BSDS500. All
    ink counts as white: in the images that MNIST-M's authors published, pixels under
    the faintest ink are inverted like those under the brightest.

    Parameters
    ----------
    digits : ndarray of shape (n, 1, height, width), uint8
        Gray images.
    data_home : str, path or None, default=None
        Folder of the photographs.
    random_state : int, RandomState or None, default=0
        Chooses photographs and places.
    """
    arrays = load_arrays("bsds500_train_jpeg", data_home)
    photographs = _read_photographs(arrays["jpeg_bytes"], arrays["offsets"])
    rng = check_random_state(random_state)
    height, width = digits.shape[2:]
    blended = np.empty((len(digits), 3, height, width), dtype=np.uint8)
    for digit, image in zip(digits, blended, strict=True):
        photograph = photographs[rng.randint(len(photographs))]
        top = rng.randint(photograph.shape[0] - height + 1)
        left = rng.randint(photograph.shape[1] - width + 1)
        patch = photograph[top : top + height, left : left + width].transpose(2, 0, 1)
        image[:] = np.where(digit > 0, 255 - patch, patch)
    return blended


def _read_photographs(jpeg_bytes, offsets):
    """Return RGB images of JPEG files that lie one after another."""
    from PIL import Image  # the environments of other libraries lack it

    files = (jpeg_bytes[start:stop].tobytes() for start, stop in pairwise(offsets))
    return [np.asarray(Image.open(io.BytesIO(file)).convert("RGB")) for file in files]
