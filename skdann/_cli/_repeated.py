"""Notice a target whose rows are those of the source."""

from ._trust import AGAINST, OPEN

# Share of the target from which on such rows are a doubt.
MOST_REPEATED = 0.10


def doubt_repeated(found, tables):
    """Return what was found, but never "for" if rows were learned from.

    Parameters
    ----------
    found : dict
        Of :func:`judge`.
    tables : pair of pandas.DataFrame
        Of source and target, with the same columns.
    """
    share = _share_repeated(*tables)
    if share <= MOST_REPEATED or found["verdict"] == AGAINST:
        return found
    reason = (
        f"{share:.0%} of the target's rows are in the source, alike in all columns: of "
        "rows that were learned from, agreement and accuracy show nothing."
    )
    return {
        **found,
        "verdict": OPEN,
        "advice": "Give the rows of the other place alone as the target.",
        "reasons": [reason, *found["reasons"]],
    }


def _share_repeated(source, target):
    """Return the share of target rows that stand in the source, beyond chance."""
    import pandas as pd

    source, target = (
        pd.util.hash_pandas_object(table, index=False) for table in (source, target)
    )
    # where columns are few and coarse, rows of the source are alike, too
    by_chance = source.duplicated(keep=False).mean()
    return float(target.isin(source).mean() - by_chance)
