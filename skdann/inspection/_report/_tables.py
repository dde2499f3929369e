"""What the tables of all reports have in common."""

from .._column_shift import HEADS, table_of

# Columns that are shown: those that differ most.
_MAX_COLUMNS = 5


def of_models(evidence, columns):
    """Return heads and rows, a row for each model.

    Parameters
    ----------
    evidence : Evidence
        What the models predict.
    columns : dict of str to (str, str)
        Of each figure its head and format; one that no model has gets no column.
    """
    shown = [
        name for name in columns if any(name in f for f in evidence.models.values())
    ]
    rows = [
        [model, *(_figure(figures, name, columns) for name in shown)]
        for model, figures in evidence.models.items()
    ]
    return ["", *(columns[name][0] for name in shown)], rows


def _figure(figures, name, columns):
    return columns[name][1].format(figures[name]) if name in figures else ""


def of_networks(measures, scores, of_agreement):
    """Return the table of both networks.

    Parameters
    ----------
    measures : Measures
        Of a fitted model.
    scores : dict of str to (str, str)
        Of each score its name and what it is.
    of_agreement : str
        What the agreement with the witness is called.
    """
    rows = [
        [name, *map("{:.3f}".format, measures.scores[key]), note]
        for key, (name, note) in scores.items()
    ]
    change = measures.evidence.change
    agreement = map("{:.3f}".format, measures.evidence.agreement_with_witness)
    note = f"changed by {change.low:+.3f} to {change.high:+.3f} (90%)"
    rows.append([of_agreement, *agreement, note])
    return "Both networks", ["", "source only", "adapted", ""], rows


def of_distances(measures):
    """Return the table of the distances of the domains."""
    return (
        "Distance of the domains, 0 to 2",
        ["", *measures.distances],
        [["proxy A-distance", *map("{:.2f}".format, measures.distances.values())]],
    )


def of_columns(measures):
    """Return the table of the columns that shifted most; a list, empty if none is."""
    shift = measures.column_shift
    if shift is None:
        return []
    title = f"Columns that shifted most, of {len({s.column for s in shift.shifts})}"
    return [(title, HEADS, table_of(shift, _MAX_COLUMNS))]
