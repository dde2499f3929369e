"""Two moons, and the same moons turned."""

from numbers import Integral, Real

import numpy as np
from sklearn.datasets import make_moons
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval

from .._typing import Array, RandomState, validate_params


@validate_params(
    {
        "n_samples": [Interval(Integral, 4, None, closed="left")],
        "rotation": [Interval(Real, None, None, closed="neither")],
        "noise": [Interval(Real, 0, None, closed="left")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def make_shifted_moons(
    n_samples: int = 300,
    *,
    rotation: float = 35.0,
    noise: float = 0.05,
    random_state: RandomState = None,
) -> tuple[Array, Array, Array, Array]:
    """Make two moons and a fresh draw of them, turned: the toy problem of [1]_.

    The target's labels serve to measure with; no ``fit`` needs them.

    Parameters
    ----------
    n_samples : int, default=300
        Rows of each domain, half of each class.
    rotation : float, default=35.0
        Angle of the target, counterclockwise, in degrees; that of [1]_, figure 2. 0
        draws both domains alike.
    noise : float, default=0.05
        Standard deviation of the points around their moons, which have a radius of 1,
        before both domains are centered and doubled.
    random_state : int, RandomState or None, default=None
        Decides the points.

    Returns
    -------
    X : ndarray of shape (n_samples, 2)
        Source rows.
    y : ndarray of shape (n_samples,)
        Their labels, 0 (upper moon) or 1.
    X_tgt : ndarray of shape (n_samples, 2)
        Target rows.
    y_tgt : ndarray of shape (n_samples,)
        Their labels.

    References
    ----------
    .. [1] Y. Ganin et al., "Domain-Adversarial Training of Neural Networks", JMLR 17,
       2016, section 5.1.1.

    Examples
    --------
    >>> from skdann import DANNClassifier
    >>> from skdann.datasets import make_shifted_moons
    >>> X, y, X_tgt, y_tgt = make_shifted_moons(random_state=0)
    >>> params = {"standardize": None, "n_estimators": 1, "random_state": 0}
    >>> adapted = DANNClassifier(**params).fit(X, y, X_tgt)
    >>> source_only = DANNClassifier(**params, lambda_max=0).fit(X, y)
    >>> bool(adapted.score(X_tgt, y_tgt) > source_only.score(X_tgt, y_tgt))
    True
    """
    random_state = check_random_state(random_state)
    X, y = make_moons(n_samples, noise=noise, random_state=random_state)
    X_tgt, y_tgt = make_moons(n_samples, noise=noise, random_state=random_state)
    center = X.mean(axis=0)
    cos, sin = np.cos(np.deg2rad(rotation)), np.sin(np.deg2rad(rotation))
    turn = np.array([[cos, sin], [-sin, cos]])
    return 2 * (X - center), y, 2 * (X_tgt - center) @ turn, y_tgt
