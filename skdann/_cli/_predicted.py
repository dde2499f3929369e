"""What is predicted of a table, and the file of it."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Predicted:
    """Predictions for all rows of a table.

    Attributes
    ----------
    values : ndarray of shape (n_rows,)
        Classes or numbers.
    probabilities : dict of str to ndarray
        Of each class; none of numbers.
    """

    values: np.ndarray
    probabilities: dict

    @classmethod
    def of(cls, pipeline, table):
        """Predict by a fitted Pipeline, of rows of the target."""
        if not hasattr(pipeline, "predict_proba"):
            return cls(pipeline.predict(table), {})
        P, classes = pipeline.predict_proba(table), pipeline.classes_
        by_class = dict(zip(map(str, classes), P.T, strict=True))
        return cls(classes[P.argmax(axis=1)], by_class)

    def to_frame(self, label, unlike, names):
        """Return a frame with a row for each, in the order of the file.

        Parameters
        ----------
        label : str
            What the predictions are called.
        unlike : list of str or None
            Why each row is unlike the source; None if that is not known.
        names : pandas.Series or None
            Of the rows, beside their numbers from 1.
        """
        import pandas as pd

        columns = {"row": np.arange(1, len(self.values) + 1)}
        if names is not None:
            columns[names.name] = names.array
        columns[label] = self.values
        for of_class, p in self.probabilities.items():
            columns[f"probability {of_class}"] = np.round(p, 4)
        if unlike is not None:
            columns["unlike source"] = unlike
        return pd.DataFrame(columns)
