"""Digits on photographs, as MNIST-M is made."""

import io
from itertools import pairwise

import numpy as np


def read_photographs(jpeg_bytes, offsets):
    """Decode JPEG files that lie one after another.

    Parameters
    ----------
    jpeg_bytes : ndarray of uint8
        The files.
    offsets : ndarray of shape (n_files + 1,)
        Where each begins and the last ends.

    Returns
    -------
    list of ndarray of shape (height, width, 3), uint8
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError(
            "Reading photographs needs pillow: in a clone of skdann, "
            "pip install '.[datasets]'."
        ) from error
    files = (jpeg_bytes[start:stop].tobytes() for start, stop in pairwise(offsets))
    return [np.asarray(Image.open(io.BytesIO(file)).convert("RGB")) for file in files]


def blend_with_photographs(digits, photographs, rng):
    """Return ``abs(digit - patch)``, each digit on a random patch of its own.

    Parameters
    ----------
    digits : ndarray of shape (n, 1, height, width), uint8
        Gray images.
    photographs : list of ndarray of shape (height, width, 3), uint8
        Larger than the digits.
    rng : RandomState
        Chooses photographs and places.

    Returns
    -------
    ndarray of shape (n, 3, height, width), uint8
    """
    height, width = digits.shape[2:]
    blended = np.empty((len(digits), 3, height, width), dtype=np.uint8)
    for digit, image in zip(digits, blended, strict=True):
        photograph = photographs[rng.randint(len(photographs))]
        top = rng.randint(photograph.shape[0] - height + 1)
        left = rng.randint(photograph.shape[1] - width + 1)
        patch = photograph[top : top + height, left : left + width].transpose(2, 0, 1)
        # the larger less the smaller, which no uint8 can wrap
        image[:] = np.maximum(digit, patch) - np.minimum(digit, patch)
    return blended
