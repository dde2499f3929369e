"""See whether adapting helped: displays, and a report."""

from ._alignment import AlignmentDisplay
from ._boundary import DomainBoundaryDisplay
from ._column_shift import ColumnShift, column_shift
from ._history import HistoryDisplay
from ._report import AdaptationReport, adaptation_report
from ._search import SearchDisplay

__all__ = [
    "AdaptationReport",
    "AlignmentDisplay",
    "ColumnShift",
    "DomainBoundaryDisplay",
    "HistoryDisplay",
    "SearchDisplay",
    "adaptation_report",
    "column_shift",
]
