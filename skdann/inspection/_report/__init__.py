"""The adaptation report: measure, find what is suspicious, render as text and HTML."""

from ._adaptation_report import AdaptationReport, adaptation_report

__all__ = ["AdaptationReport", "adaptation_report"]
