"""The rows whose labels tell most: drawn by disagreement, with their weights."""

import numpy as np
import pytest
from helpers import SMALL, make_domains
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

from skdann import AutoDANNClassifier, BaselineClassifier, DANNClassifier
from skdann.metrics._sampling import draw_rows, inclusion_probabilities
from skdann.model_selection import DANNGridSearchCV, rows_to_label

CANDIDATES = [
    ("source", BaselineClassifier(standardize="source")),
    ("domain", BaselineClassifier(standardize="domain")),
    ("Bayes", GaussianNB()),
    ("tree", DecisionTreeClassifier(max_depth=2, random_state=0)),
    ("linear", LogisticRegression()),
]


@pytest.fixture(scope="module")
def auto():
    X, y, X_tgt, _ = make_domains()
    return AutoDANNClassifier(CANDIDATES).fit(X, y, X_tgt)


def _disagree(auto, X_tgt):
    votes = np.stack([c.predict(X_tgt) for c in auto.candidates_.values()])
    return np.ptp(votes, axis=0) > 0


def test_rows_are_those_on_which_candidates_disagree(auto):
    _, _, X_tgt, _ = make_domains()
    rows, weight = rows_to_label(auto, X_tgt, 12, random_state=0)
    assert len(set(rows)) == 12
    assert _disagree(auto, X_tgt)[rows].all()
    assert weight.mean() == pytest.approx(1)


def test_where_few_rows_are_open_all_of_them_come_first(auto):
    _, _, X_tgt, _ = make_domains()
    n_open = _disagree(auto, X_tgt).sum()
    rows, _ = rows_to_label(auto, X_tgt, int(n_open) + 10, random_state=0)
    assert _disagree(auto, X_tgt)[rows].sum() == n_open


def test_weighted_differences_of_accuracy_are_right_on_average(auto):
    _, _, X_tgt, y_tgt = make_domains()
    is_right = {k: c.predict(X_tgt) == y_tgt for k, c in auto.candidates_.items()}
    gains = [
        is_right[name].astype(float) - is_right["domain"] for name in ("tree", "source")
    ]
    drawn = [rows_to_label(auto, X_tgt, 20, random_state=seed) for seed in range(400)]
    # weights are 1 on average: what is right is the ratio of two differences
    found = [sum(weight @ gain[rows] for rows, weight in drawn) for gain in gains]
    expected = [gain.sum() for gain in gains]
    assert min(map(abs, expected)) > 3
    assert found[0] / found[1] == pytest.approx(expected[0] / expected[1], rel=0.2)


def test_one_after_the_other_no_row_comes_twice(auto):
    _, _, X_tgt, y_tgt = make_domains()
    known = np.full(len(y_tgt), -1)
    for seed in range(15):
        [row], _ = rows_to_label(auto, X_tgt, 1, y_tgt=known, random_state=seed)
        assert known[row] == -1
        known[row] = y_tgt[row]
    assert (known != -1).sum() == 15


def test_it_names_rows_for_a_search_too():
    X, y, X_tgt, _ = make_domains()
    search = DANNGridSearchCV(
        DANNClassifier(**SMALL), {"lambda_max": [0, 1], "lr": [1e-3, 1e-1]}, cv=2
    ).fit(X, y, X_tgt)
    rows, _ = rows_to_label(search, X_tgt, 5, random_state=0)
    assert len(set(rows)) == 5
    with pytest.raises(ValueError, match="pass those"):
        rows_to_label(search, X_tgt[:20], 5)


def test_what_can_not_be_drawn_is_refused(auto):
    X, y, X_tgt, y_tgt = make_domains()
    with pytest.raises(ValueError, match="rows without a label"):
        rows_to_label(auto, X_tgt, 151)
    with pytest.raises(ValueError, match="rows without a label"):
        rows_to_label(auto, X_tgt, 1, y_tgt=y_tgt)
    with pytest.raises(ValueError, match="candidates that can disagree"):
        rows_to_label(GaussianNB().fit(X, y), X_tgt, 5)


@given(
    st.lists(st.sampled_from([0.0, 0.1, 0.5, 0.7, 3.0]), min_size=3, max_size=40),
    st.data(),
)
def test_draws_have_the_size_and_the_probabilities_that_are_said(size, data):
    size = np.array(size)
    n = data.draw(st.integers(1, len(size)))
    probabilities = inclusion_probabilities(size, n)
    assert probabilities.sum() == pytest.approx(n)
    assert ((probabilities >= 0) & (probabilities <= 1 + 1e-9)).all()
    drawn = draw_rows(probabilities, np.random.RandomState(0))
    assert len(set(drawn)) == n
    assert (probabilities[drawn] > 0).all()


def test_systematic_draws_are_as_frequent_as_said():
    probabilities = inclusion_probabilities(np.array([1.0, 2, 3, 4, 30]), 2)
    counts = np.zeros(5)
    for seed in range(3000):
        counts[draw_rows(probabilities, np.random.RandomState(seed))] += 1
    np.testing.assert_allclose(counts / 3000, probabilities, atol=0.03)
    assert probabilities.tolist() == pytest.approx([0.1, 0.2, 0.3, 0.4, 1])
