"""Tasks of scikit-learn's callbacks, which are there from its version 1.9."""

import copy
from contextlib import nullcontext

from sklearn.base import clone
from skorch.callbacks import Callback

try:
    from sklearn.callback import CallbackSupportMixin
except ImportError:  # scikit-learn < 1.9

    class CallbackSupportMixin:
        """Without ``set_callbacks``: there are no callbacks that it could take."""


def start_fit(estimator, n_subtasks, **data):
    """Return the task of a fit, having set up and called its callbacks.

    Parameters
    ----------
    estimator : estimator
        Its ``fit`` is decorated by ``_fit_context``, which tears them down.
    n_subtasks : int
        Most parts that the fit can have.
    **data
        From :func:`make_callback_data`.

    Returns
    -------
    FitTask or NullFitTask
    """
    if not getattr(estimator, "_skl_callbacks", None):
        return NullFitTask()
    context = estimator._init_callback_context(max_subtasks=n_subtasks)
    fit = FitTask(estimator, context)
    fit.begin(**data)
    return fit


def make_callback_data(X, y, sample_weight):
    """Return what callbacks get of the rows of a fit."""
    metadata = None if sample_weight is None else {"sample_weight": sample_weight}
    return {"X": X, "y": y, "metadata": metadata}


class FitTask:
    """A task of a fit, whose callbacks are called when it begins and ends.

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

    def begin(self, **data):
        """Call the callbacks; functions among the data are called if one asks."""
        self.context.call_on_fit_task_begin(estimator=self.estimator, **data)

    def end(self, **data):
        """Call the callbacks; return whether one of them asks to stop."""
        return self.context.call_on_fit_task_end(estimator=self.estimator, **data)

    def subtask(self, name, **options):
        """Return a part of this task; options are those of ``subcontext``."""
        return FitTask(self.estimator, self.context.subcontext(name, **options))

    def propagate_to(self, sub_estimator):
        """Return a context in which a fit of another estimator is this task."""
        return self.context.propagate_callback_context(sub_estimator)

    def check_propagation(self, sub_estimator):
        """Check now, before training, that callbacks can be propagated."""
        with copy.copy(self.context).propagate_callback_context(clone(sub_estimator)):
            pass


class NullFitTask:
    """A task of a fit without callbacks."""

    def begin(self, **data):
        """Call nobody."""

    def end(self, **data):
        """Call nobody; nobody asks to stop."""
        return False

    def subtask(self, name, **options):
        """Return a task without callbacks."""
        return self

    def propagate_to(self, sub_estimator):
        """Leave the other estimator its own callbacks."""
        return nullcontext()

    def check_propagation(self, sub_estimator):
        """Find nothing to propagate."""


class EpochTasks(Callback):
    """Make each epoch a task of the fit, whose callbacks may stop training.

    Parameters
    ----------
    fit_task : FitTask or NullFitTask
        What the epochs are parts of.
    data : dict
        What callbacks get at the beginning and at the end of each.
    """

    def __init__(self, fit_task, data):
        self.fit_task = fit_task
        self.data = data
        self.current = None

    def on_train_begin(self, net, **kwargs):
        if not net.is_over:
            self._begin(net)

    def on_epoch_end(self, net, **kwargs):
        current, self.current = self.current, None
        if current.end(**self.data):
            net.stop()
        if not net.is_over:  # now: with the epoch the history gets a row
            self._begin(net)

    def on_train_end(self, net, **kwargs):
        if self.current is not None:  # it was interrupted, maybe after the last step
            is_whole = len(net.history) > self.n_before
            self.current.end(**(self.data if is_whole else {}))

    def _begin(self, net):
        self.n_before = len(net.history)
        self.current = self.fit_task.subtask("epoch")
        self.current.begin(**self.data)
