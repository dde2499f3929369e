"""Find rows of the target that are unlike all rows of the source."""

import numpy as np

from ._values import Values

# Share of the source itself that counts as unlike it.
FALSE_ALARMS = 0.01


def learn_limits(table, columns):
    """Return what rows of the source are like.

    Of each column of numbers or dates its central 98%, and how far, in widths of that,
    a row may lie beyond it in any column: no farther than 99% of the source do. Of text
    with few values these. Nothing of a single row is kept.

    Parameters
    ----------
    table : pandas.DataFrame
        Of the source.
    columns : list of Column
        What is used.

    Returns
    -------
    dict
        That JSON can hold.
    """
    ranges = {}
    for column in columns:
        if column.kind in ("number", "date"):
            numbers = _numbers(table, column.name, column.kind)
            ranges[column.name] = _range(numbers[np.isfinite(numbers)], column.kind)
    limits = {
        "ranges": ranges,
        "categories": {c.name: c.categories for c in columns if c.categories},
        "beyond": 0.0,
    }
    far = _how_far(table, limits)
    if ranges:
        limits["beyond"] = float(np.quantile(far.max(axis=1), 1 - FALSE_ALARMS))
    return limits


def describe_unlike(table, limits):
    """Return for each row why it is unlike the source; "" if it is not.

    Parameters
    ----------
    table : pandas.DataFrame
        Of the target.
    limits : dict
        Of :func:`learn_limits`.
    """
    reasons = [[] for _ in range(len(table))]
    far, names = _how_far(table, limits), list(limits["ranges"])
    for row, j in np.argwhere(far > max(limits["beyond"], 1e-9)):
        reasons[row].append(_say(table[names[j]].iloc[row], names[j], limits))
    for name, known in limits["categories"].items():
        column = table[name]
        for row in np.flatnonzero(column.notna() & ~column.isin(known)):
            reasons[row].append(f"{name}={column.iloc[row]}")
    return ["; ".join(of_row) for of_row in reasons]


def _say(value, name, limits):
    low, high = limits["ranges"][name]["extremes"]
    if limits["ranges"][name]["kind"] == "date":
        low, high = (np.datetime64(int(day), "D") for day in (low, high))
        return f"{name}={value:%Y-%m-%d} ({low} to {high})"
    return f"{name}={value:g} ({low:g} to {high:g})"


def _range(numbers, kind):
    low, high = np.quantile(numbers, [0.01, 0.99])
    extremes = [float(numbers.min()), float(numbers.max())]
    width = high - low or extremes[1] - extremes[0]
    return {
        "kind": kind,
        "low": float(low),
        "high": float(high),
        "width": float(width),
        "extremes": extremes,
    }


def _how_far(table, limits):
    """Return how far each row lies beyond the range of each column, in its widths."""
    far = np.zeros((len(table), len(limits["ranges"])))
    for j, (name, of_column) in enumerate(limits["ranges"].items()):
        numbers = _numbers(table, name, of_column["kind"])
        beyond = np.maximum(of_column["low"] - numbers, numbers - of_column["high"])
        far[:, j] = np.nan_to_num(np.maximum(beyond, 0) / of_column["width"])
    return far


def _numbers(table, name, kind):
    return Values(kind, table[name]).as_numbers()
