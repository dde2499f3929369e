"""Which columns differ between two tables."""

from ._shift import HEADS, ColumnShift, column_shift, table_of

__all__ = ["HEADS", "ColumnShift", "column_shift", "table_of"]
