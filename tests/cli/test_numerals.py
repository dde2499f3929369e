"""Which mark is of decimals is found out from the whole file."""

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from skdann._cli._errors import InputError
from skdann._cli._numerals import mark_of_file
from skdann._cli._values import read_values

NUMBERS = st.lists(st.decimals(-(10**7), 10**7, places=2), min_size=1)
SWAP = str.maketrans(",.", ".,")


def read(texts, *others):
    """Return a column as numbers, read beside others of the same file."""
    columns = [pd.Series(column, dtype="str") for column in (texts, *others)]
    frame = pd.DataFrame(dict(enumerate(columns)))
    return read_values(columns[0], mark_of_file(frame)).column.tolist()


@given(NUMBERS)
@example([0, 1, 1_234_567])
def test_numbers_are_read_whichever_marks_divide_them(numbers):
    english = [f"{number:,.2f}" for number in numbers]
    expected = [float(number) for number in numbers]
    assert read(english) == expected
    assert read([text.translate(SWAP) for text in english]) == expected


@pytest.mark.parametrize(
    ("texts", "other", "expected"),
    [
        (["7.474", "12.318"], ["0,5", "1,25"], [7474, 12318]),
        (["7.474", "12.318"], ["0.5", "1.25"], [7.474, 12.318]),
        (["7,474", "12,318"], ["0,5", "1,25"], [7.474, 12.318]),
        (["7,474", "12,318"], ["0.5", "1.25"], [7474, 12318]),
        (["0,125"], ["1.5"], [0.125]),  # no thousand begins with a zero
        (["7.474"], ["a", "1"], [7.474]),
    ],
)
def test_other_columns_tell_what_one_does_not(texts, other, expected):
    assert read(texts, other) == expected


def test_a_file_that_shows_both_decides_nothing():
    with pytest.raises(InputError, match="--decimal ','"):
        read(["1,234"], ["0.5"], ["0,5"])


@pytest.mark.parametrize(("mark", "expected"), [(",", 1.234), (".", 1234)])
def test_what_nothing_shows_can_be_told(mark, expected):
    column = pd.Series(["1,234"], dtype="str")
    assert read_values(column, mark).column.tolist() == [expected]
