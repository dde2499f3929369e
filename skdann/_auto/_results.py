"""What the candidates have come to: their table, and the reason in words."""

import numpy as np


def make_results(all_fitted, judged):
    """Return the table of the candidates, by falling weight; those that failed last.

    Parameters
    ----------
    all_fitted : list of FittedCandidate
        All.
    judged : JudgedClasses or JudgedNumbers
        Those without an error.

    Returns
    -------
    dict of str to ndarray
    """
    done = np.array([fitted.error is None for fitted in all_fitted])

    def column(values, missing):
        of_all = np.full(
            len(all_fitted), missing, dtype=np.result_type(values, missing)
        )
        of_all[done] = values
        return of_all

    agreement, likeness, *of_labels = judged.columns().items()
    table = {
        "candidate": np.array([f.name for f in all_fitted], dtype=object),
        "weight": column(judged.weights, 0.0),
        **{name: column(*values) for name, values in (agreement, likeness)},
        "fit_time": np.array([fitted.seconds for fitted in all_fitted]),
        "error": np.array(
            ["" if f.error is None else repr(f.error) for f in all_fitted], dtype=object
        ),
        **{name: column(*values) for name, values in of_labels},
    }
    order = np.lexsort((-table["weight"], ~done))
    return {name: values[order] for name, values in table.items()}


def explain(names, judged):
    """Return in a few sentences why the whole predicts as it does.

    Parameters
    ----------
    names : list of str
        Of the candidates.
    judged : JudgedClasses or JudgedNumbers
        The candidates.
    """
    order = np.argsort(-judged.weights, kind="stable")
    most = ", ".join(f"{names[i]} ({judged.weights[i]:.0%})" for i in order[:3])
    n_labelled = judged.n_labelled
    by_labels = f" and by {n_labelled} labels of the target" if n_labelled else ""
    first = (
        f"The mean of {len(names)} candidates, weighted by how far each agrees with "
        f"the others on the target{by_labels}; most by {most}."
    )
    return " ".join([first, *judged.explain(names)])
