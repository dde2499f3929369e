"""The warnings and errors that scikit-learn has no word for."""


class AdaptationWarning(UserWarning):
    """The fit worked, but it probably does not adapt to the target.

    Raised, for example, when a fit gets no target at all, or when the target seems
    not to have been preprocessed like the source.
    """


class DivergenceError(ValueError):
    """Training left the range of sane numbers: the loss exploded or became NaN.

    The message names the epoch, the loss and the parameters to lower. The estimator
    is left as it was before the fit.
    """
