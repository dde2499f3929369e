"""Which columns differ between two tables."""

from ._shift import ColumnShift, column_shift

__all__ = ["ColumnShift", "column_shift"]
