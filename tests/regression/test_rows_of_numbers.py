"""Rows of the target to label next, where candidates predict numbers."""

import numpy as np
import pytest

from skdann import DANNRegressor
from skdann.metrics._agreement import spread, weights_of_numbers
from skdann.metrics._paired import compare_best_numbers
from skdann.model_selection import DANNGridSearchCV, rows_to_label

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(200, 4))
NUMBERS = 100 + 5 * ROWS[:, 0]
X, Y, Y_TGT = ROWS[:120], NUMBERS[:120], NUMBERS[120:]
# some rows of the target are unlike all that was learned
FAR = np.arange(80) % 8 == 0
X_TGT = ROWS[120:] + np.outer(FAR, [8, 0, 0, 8])
pytestmark = pytest.mark.filterwarnings("ignore:.*columns of X_tgt lie")


def search(y=Y, label_use="training", **given):
    network = DANNRegressor(
        n_estimators=1,
        standardize="source",
        hidden_layer_sizes=(16,),
        domain_hidden_layer_sizes=(16,),
        random_state=0,
    )
    grid = {"lambda_max": [0, 0.5], "max_epochs": [10, 40]}
    searching = DANNGridSearchCV(network, grid, cv=2, label_use=label_use)
    return searching.fit(X, y, X_TGT, **given)


@pytest.fixture(scope="module")
def found():
    return search()


def test_rows_are_those_on_which_candidates_disagree(found):
    drawn = [rows_to_label(found, X_TGT, 10, random_state=i) for i in range(30)]
    for rows, weight in drawn:
        assert len(set(rows)) == 10
        assert weight.mean() == pytest.approx(1)
    rows, weight = map(np.concatenate, zip(*drawn, strict=True))
    assert FAR[rows].mean() > 0.5  # of all rows an eighth
    assert weight[FAR[rows]].mean() < weight[~FAR[rows]].mean()


def test_the_same_numbers_in_other_units_name_the_same_rows(found):
    in_tons = search(Y * 1e-3)
    rows, _ = rows_to_label(in_tons, X_TGT, 10, random_state=3)
    assert set(rows) == set(rows_to_label(found, X_TGT, 10, random_state=3)[0])


def test_known_numbers_are_not_asked_for_again(found):
    y_tgt = np.full(80, np.nan)
    for seed in range(6):
        [row], _ = rows_to_label(found, X_TGT, 1, y_tgt=y_tgt, random_state=seed)
        assert np.isnan(y_tgt[row])
        y_tgt[row] = Y_TGT[row]
    with pytest.raises(ValueError, match="there are 74 rows without a label"):
        rows_to_label(found, X_TGT, 75, y_tgt=y_tgt)
    with pytest.raises(ValueError, match="y_tgt has 3 entries, but X_tgt has 80 rows"):
        rows_to_label(found, X_TGT, 1, y_tgt=[1.0, 2.0, None])


def test_several_numbers_of_each_row():
    both = np.c_[Y, -Y]
    found = search(both)
    y_tgt = np.full((80, 2), np.nan)
    y_tgt[:70] = np.c_[Y_TGT, -Y_TGT][:70]
    rows, _ = rows_to_label(found, X_TGT, 10, y_tgt=y_tgt)
    assert set(rows) == set(range(70, 80))
    with pytest.raises(ValueError, match="y_tgt has 1 numbers for each row, not 2"):
        rows_to_label(found, X_TGT, 1, y_tgt=y_tgt[:, 0])


def test_a_search_says_what_known_numbers_tell():
    y_tgt = np.where(np.arange(80) < 20, Y_TGT, np.nan)
    assert "On the 20 known numbers" in search(label_use="choice", y_tgt=y_tgt).reason_


class TestWeights:
    """Of four candidates, three that agree and one that is right."""

    @pytest.fixture
    def predictions(self):
        y = RNG.normal(size=(60, 1))
        crowd = y + 3 + 0.1 * RNG.normal(size=(3, 60, 1))
        return y, np.concatenate([crowd, y[None] + 0.2 * RNG.normal(size=(1, 60, 1))])

    def test_labels_overrule_the_many(self, predictions):
        y, P = predictions
        squared = (P - y)[:, :, 0] ** 2
        alone, few, some = (weights_of_numbers(P, squared[:, :n]) for n in (0, 3, 12))
        assert alone[3] < 0.01
        assert alone[3] < few[3] < some[3]
        assert some[3] > 0.99
        assert some.sum() == pytest.approx(1)

    def test_candidates_that_are_the_same_and_right_count_the_same(self):
        P = np.ones((2, 10, 1))
        np.testing.assert_allclose(weights_of_numbers(P, np.zeros((2, 3))), [0.5, 0.5])

    def test_disagreement_is_the_deviation_of_the_weighted_predictions(self):
        P = np.array([[[0.0, 0]], [[2, 4]]])
        expected = np.sqrt((0.75 * 0.25 * 2**2 + 0.75 * 0.25 * 4**2) / 2)
        np.testing.assert_allclose(spread(P, np.array([0.75, 0.25])), [expected])


class TestComparison:
    def test_a_clear_difference_is_more_than_chance(self):
        errors = np.array([[1.0, 1.1, 0.9, 1.0], [4.0, 4.2, 3.9, 4.1], [9, 9, 9, 9]])
        told = compare_best_numbers(["A", "B", "C"], errors)
        assert "is 1 deviations of y for A and 2 for B, which is more than" in told

    def test_noise_takes_more_numbers(self):
        errors = RNG.exponential(size=(2, 10)) + np.array([[0], [0.1]])
        told = compare_best_numbers(["A", "B"], errors)
        assert int(told.split("about ")[1].split()[0]) > 10

    @pytest.mark.parametrize("errors", [[[1.0], [1.0]], [[0.0, 1], [1, 0]]])
    def test_equal_ones_are_never_told_apart(self, errors):
        assert "would not tell" in compare_best_numbers(["A", "B"], np.array(errors))

    def test_one_number_settles_nothing(self):
        told = compare_best_numbers(["A", "B"], np.array([[1.0], [2.0]]))
        assert "about 3 more such numbers" in told
