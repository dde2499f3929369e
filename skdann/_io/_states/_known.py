"""An entry of the table of classes that a file can hold."""

import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ._checks import each, either, integer, is_optional, text

A_NAME = either(text, integer())

# Of every class: what it knows of its columns, and what set_output has told it.
COMMON = {
    "n_features_in_": integer(0, "n"),
    "feature_names_in_": either(each(A_NAME, "n"), each(A_NAME, "n", of=np.ndarray)),
}


def _nothing(*args):
    """Leave it as it is."""


def of_parameters(**checks):
    """Return a check of parameters by name, for what scikit-learn's constraints allow.

    They hold the type of a tuple or list alone, and skrub has none.
    """

    def check(estimator):
        for name, is_right in checks.items():
            if not is_right(value := getattr(estimator, name), {}):
                kind = type(estimator).__name__
                raise ValueError(f"{name} of its {kind} is {_in_short(value)}")

    return check


def needs(**attributes):
    """Return a check that an attribute is there if the parameter is true that asks it.

    Which is the name of the argument.
    """

    def check(estimator):
        for parameter, attribute in attributes.items():
            is_there = getattr(estimator, attribute, None) is not None
            if getattr(estimator, parameter) and not is_there:
                raise ValueError(f"its {type(estimator).__name__} lacks {attribute}")

    return check


@dataclass(frozen=True)
class Known:
    """A class that a file can hold.

    Attributes
    ----------
    module : str
        Where it is imported from.
    state : dict of str to callable
        A check of each attribute that a fit leaves.
    forget : tuple of str
        Attributes that no file needs: they follow from the others.
    pack : callable
        Brings parameters and attributes to the form of a file, in place.
    unpack : callable
        Brings them back: takes the estimator, which has its parameters, and the state.
    check : callable
        Raises ValueError if the attributes of an estimator do not go together.
    check_parameters : callable
        Raises ValueError if a file must not have the parameters of an estimator.
    holds : tuple of str
        Parameters and attributes that are, or hold, estimators.
    fits_them : bool
        Whether these parameters are fitted, and not clones of them.
    state_is_fitted : bool or None
        Whether these attributes are; None if some need not be.
    imported : type or None
        The class, if it is imported already.
    """

    module: str
    state: dict
    forget: tuple = ()
    pack: Callable = _nothing
    unpack: Callable = _nothing
    check: Callable = _nothing
    check_parameters: Callable = _nothing
    holds: tuple = ()
    fits_them: bool = False
    state_is_fitted: bool | None = True
    imported: type | None = None

    def is_class(self, cls):
        """Whether it is this class, and not another, or one of a user, of that name."""
        if self.imported is not None:
            return cls is self.imported
        if cls.__module__.partition(".")[0] != self.package:
            return False
        return cls is getattr(sys.modules.get(self.module), cls.__name__, None)

    def import_class(self, name):
        """Return the class, or raise ImportError with what to install."""
        if self.imported is not None:
            return self.imported
        try:
            return getattr(importlib.import_module(self.module), name)
        except (ImportError, AttributeError) as error:
            raise ImportError(
                f"The file holds a {name} of {self.package}, which is not installed or "
                f"too old: pip install -U {self.package}."
            ) from error

    @property
    def package(self):
        """Name of the package that has the class."""
        return self.module.partition(".")[0]

    def check_state(self, name, state):
        """Raise ValueError if a fit of this class leaves no such attributes."""
        if surplus := sorted(set(state) - set(self.state) - set(COMMON)):
            raise ValueError(f"its {name} holds {surplus[0][:50]}, which is not known")
        sizes = {}
        for attribute, is_right in {**COMMON, **self.state}.items():
            if attribute not in state:
                if is_optional(is_right) or attribute in COMMON:
                    continue
                raise ValueError(f"its {name} lacks {attribute}")
            if not is_right(state[attribute], sizes):
                said = _in_short(state[attribute])
                raise ValueError(f"{attribute} of its {name} is {said}")


def _in_short(value):
    """Return what a value is; of what holds others, which may be many, its type."""
    if value is None or isinstance(value, bool | int | float | str):
        return repr(value)[:50]
    shape = f" of shape {value.shape}" if isinstance(value, np.ndarray) else ""
    return f"a {type(value).__name__}{shape}"
