"""What a fit tells scikit-learn's callbacks, which are there from its version 1.9."""

import copy
from contextlib import nullcontext

from sklearn.base import clone

try:
    from sklearn.callback import CallbackSupportMixin
except ImportError:  # scikit-learn < 1.9

    class CallbackSupportMixin:
        """Without ``set_callbacks``: there is nothing that it could take."""


def start_fit(estimator, n_subtasks, **told):
    """Return the task of a fit, whose callbacks are set up and told that it begins.

    Parameters
    ----------
    estimator : estimator
        Its ``fit`` is decorated by ``_fit_context``, which tears them down.
    n_subtasks : int
        Most parts that the fit can have.
    **told
        As from :func:`seen`.

    Returns
    -------
    FitTask or Unheard
    """
    if not getattr(estimator, "_skl_callbacks", None):
        return Unheard()
    context = estimator._init_callback_context(max_subtasks=n_subtasks)
    fit = FitTask(estimator, context)
    fit.begin(**told)
    return fit


def seen(X, y, sample_weight):
    """Return what callbacks are told of the rows of a fit."""
    metadata = None if sample_weight is None else {"sample_weight": sample_weight}
    return {"X": X, "y": y, "metadata": metadata}


class FitTask:
    """A task of a fit, told to callbacks when it begins and ends.

    The estimator is kept beside the context so that they are pickled together: a
    callback may find its state by the estimator.

    Parameters
    ----------
    estimator : estimator
        Whose fit it is.
    context : sklearn.callback.CallbackContext
        The place of the task in the fit.
    """

    def __init__(self, estimator, context):
        self.estimator = estimator
        self.context = context

    def begin(self, **told):
        """Call the callbacks; of what is a function they get the value, if they ask."""
        self.context.call_on_fit_task_begin(estimator=self.estimator, **told)

    def end(self, **told):
        """Call the callbacks; return whether one of them asks to stop."""
        return self.context.call_on_fit_task_end(estimator=self.estimator, **told)

    def subtask(self, name, **options):
        """Return a part of this task; options are those of ``subcontext``."""
        return FitTask(self.estimator, self.context.subcontext(name, **options))

    def epochs(self, **told):
        """Return the epochs that are this task's parts."""
        return Epochs(self, told)

    def passed_to(self, sub_estimator):
        """Return a context in which a fit of another estimator is this task."""
        return self.context.propagate_callback_context(sub_estimator)

    def check_passable(self, sub_estimator):
        """Raise now the TypeError that ``passed_to`` would raise after hours."""
        with copy.copy(self.context).propagate_callback_context(clone(sub_estimator)):
            pass


class Unheard:
    """A task of a fit that has no callbacks."""

    def begin(self, **told):
        """Tell nobody."""

    def end(self, **told):
        """Tell nobody, so that nobody asks to stop."""
        return False

    def subtask(self, name, **options):
        """Return a task that nobody hears of either."""
        return self

    def epochs(self, **told):
        """Return epochs that nobody hears of either."""
        return self

    def passed_to(self, sub_estimator):
        """Leave the other estimator its own callbacks."""
        return nullcontext()

    def check_passable(self, sub_estimator):
        """Find nothing to pass on."""


class Epochs:
    """The epochs of a fit, one after the other.

    Parameters
    ----------
    fit : FitTask
        What they are parts of.
    told : dict
        What callbacks get at the beginning and the end of each.
    """

    def __init__(self, fit, told):
        self.fit = fit
        self.told = told

    def begin(self):
        """Tell that the next epoch begins."""
        self.current = self.fit.subtask("epoch")
        self.current.begin(**self.told)

    def end(self, *, is_complete=True):
        """Tell that it ended, and how if it is complete; return whether to stop."""
        return self.current.end(**(self.told if is_complete else {}))
