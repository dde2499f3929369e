"""One thing that a report has found."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that was found.

    Attributes
    ----------
    kind : str
        Short name, for programs.
    is_warning : bool
        Whether something should be done.
    what : str
        What was found, with its figure.
    meaning : str
        What it means.
    advice : str
        What to try.
    """

    kind: str
    is_warning: bool
    what: str
    meaning: str
    advice: str
