"""The types of public signatures."""

import os
from collections.abc import Callable
from typing import Any, Literal, Protocol, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import _fit_context
from sklearn.utils import _param_validation


class _Array(Protocol):
    """An array, or a table of pandas, polars or pyarrow."""

    def __array__(self) -> Any: ...


class _SparseMatrix(Protocol):
    """Any format of scipy.sparse."""

    def tocsr(self) -> Any: ...


class Estimator(Protocol):
    """An estimator of scikit-learn, or ours."""

    def get_params(self, deep: bool = True) -> Any: ...


# No scalars and no text, which numpy's ArrayLike takes.
VectorLike: TypeAlias = _Array | list[Any] | tuple[Any, ...]
MatrixLike: TypeAlias = VectorLike | _SparseMatrix
Array: TypeAlias = NDArray[Any]
Domain: TypeAlias = Literal["source", "target"]
PathLike: TypeAlias = str | os.PathLike[str]
RandomState: TypeAlias = int | np.random.RandomState | None
Schedule: TypeAlias = Callable[[float], float]

Function = TypeVar("Function", bound=Callable[..., Any])


def fit_context(**options: bool) -> Callable[[Function], Function]:
    """Decorate ``fit`` as scikit-learn does, whose decorator would hide our types."""
    return _fit_context(**options)


def validate_params(
    *rules: dict[str, Any], **options: bool
) -> Callable[[Function], Function]:
    """Decorate as scikit-learn does, whose decorator would hide our types."""
    return _param_validation.validate_params(*rules, **options)
