"""See whether adapting helped: displays, and a report."""

from ._alignment import AlignmentDisplay
from ._boundary import DomainBoundaryDisplay
from ._history import HistoryDisplay
from ._report import AdaptationReport, adaptation_report
from ._search import SearchDisplay

__all__ = [
    "AdaptationReport",
    "AlignmentDisplay",
    "DomainBoundaryDisplay",
    "HistoryDisplay",
    "SearchDisplay",
    "adaptation_report",
]
