"""Join spellings of one word: Male, male and MALE are one category."""


def _plain(text):
    return " ".join(text.casefold().split())


class Spellings:
    """One spelling for all texts that differ by the case of letters or blanks alone.

    Parameters
    ----------
    *columns : pandas.Series
        Of text. The most frequent spelling of the first column that has a word.
    """

    def __init__(self, *columns):
        self._chosen = {}
        for column in columns:
            counts = column.value_counts()
            for text in sorted(counts.index, key=lambda text: (-counts[text], text)):
                self._chosen.setdefault(_plain(text), text)

    def of(self, column):
        """Return a column with its words in the spelling that is chosen for them."""
        texts = column.dropna().unique()
        spelled = {text: self._chosen.get(_plain(text), text) for text in texts}
        return column.map(spelled, na_action="ignore").astype(column.dtype)
