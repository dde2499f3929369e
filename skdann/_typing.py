"""The words that public signatures are typed in."""

import os
from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray


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
PathLike: TypeAlias = str | os.PathLike[str]
RandomState: TypeAlias = int | np.random.RandomState | None
Schedule: TypeAlias = Callable[[float], float]
