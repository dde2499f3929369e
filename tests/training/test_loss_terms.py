"""The objective: a term is trained, recorded and shown by its name."""

import numpy as np
import pytest
import torch
from helpers import make_domains
from scipy.special import softmax
from sklearn.base import clone

from skdann._training import OPTIONAL_TERMS
from skdann._training._objective import LOSS_TERMS, Objective
from skdann.nn import class_confusion_loss, entropy_loss


def confusion_by_numpy(logits, temperature=2.5):
    """Equations 2 to 6 of the paper, row by row."""
    P = softmax(logits / temperature, axis=1)
    H = -(P * np.log(P)).sum(axis=1)
    W = len(P) * (1 + np.exp(-H)) / (1 + np.exp(-H)).sum()
    C = sum(w * np.outer(p, p) for w, p in zip(W, P, strict=True))
    C /= C.sum(axis=1, keepdims=True)
    return (C.sum() - np.trace(C)) / len(C)


@pytest.mark.parametrize("n_classes", [2, 5])
@pytest.mark.parametrize("temperature", [1.0, 2.5])
def test_class_confusion_is_that_of_the_paper(n_classes, temperature):
    logits = 3 * np.random.default_rng(0).standard_normal((4, 20, n_classes))
    expected = [confusion_by_numpy(rows, temperature) for rows in logits]
    found = class_confusion_loss(torch.from_numpy(logits), temperature)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    alone = class_confusion_loss(torch.from_numpy(logits[0]), temperature)
    assert alone.item() == pytest.approx(expected[0], rel=1e-12)


def test_class_confusion_does_not_depend_on_the_names_of_classes():
    logits = torch.from_numpy(np.random.default_rng(0).standard_normal((20, 4)))
    renamed = class_confusion_loss(logits[:, [2, 0, 3, 1]])
    torch.testing.assert_close(class_confusion_loss(logits), renamed)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_class_confusion_of_a_class_that_is_never_predicted_is_finite(dtype):
    logits = torch.tensor([[0.0, 1.0, -1e5]] * 3, dtype=dtype, requires_grad=True)
    loss = class_confusion_loss(logits)
    loss.backward()
    assert loss.isfinite()
    assert logits.grad.isfinite().all()


def test_the_entropy_is_that_of_the_rows_by_their_weights():
    logits = 3 * np.random.default_rng(0).standard_normal((4, 20, 5))
    P = softmax(logits, axis=-1)
    expected = -(P * np.log(P)).sum(-1)
    found = entropy_loss(torch.from_numpy(logits))
    np.testing.assert_allclose(found, expected.mean(-1), rtol=1e-12)
    weight = np.random.default_rng(1).random((4, 20))
    found = entropy_loss(torch.from_numpy(logits), torch.from_numpy(weight))
    np.testing.assert_allclose(
        found, np.average(expected, axis=-1, weights=weight), rtol=1e-12
    )


def test_training_with_the_entropy_moves_borders_to_where_no_rows_are(small):
    X, y, X_tgt, y_tgt = make_domains()
    accuracies = []
    for weight in (0, 1):
        clf = small(target_entropy=weight, max_epochs=60, lambda_max=0, dropout=0)
        accuracies.append(clf.fit(X, y, X_tgt).score(X_tgt, y_tgt))
    assert accuracies[0] < 0.6 < 0.9 < accuracies[1]


def test_the_recorded_entropy_is_that_of_the_target(small, domains):
    """One batch holds all rows, so the record can be computed from outside."""
    X, y, X_tgt = (rows[:60] for rows in domains)
    clf = small(max_epochs=1, dropout=0, lr=1e-12, target_entropy=0.3)
    P = clf.fit(X, y, X_tgt).predict_proba(X_tgt)
    expected = -(P * np.log(P)).sum(axis=1).mean()
    assert clf.history_[0]["target_entropy_loss"] == pytest.approx(expected, rel=1e-6)


def test_what_is_asked_of_a_network_is_what_the_terms_read():
    assert list(Objective("cross_entropy", has_target=False).terms) == ["label"]
    assert list(Objective("cross_entropy").terms) == ["label", "domain"]
    assert not Objective("cross_entropy").reads_all_labels
    with_confusion = Objective("cross_entropy", ["class_confusion"])
    assert list(with_confusion.terms) == ["label", "domain", "class_confusion"]
    assert with_confusion.reads_all_labels
    alone = Objective("cross_entropy", ["class_confusion"], has_target=False)
    assert list(alone.terms) == ["label"]


def test_optional_terms_are_parameters_that_are_off_by_default(small):
    parameters = small().get_params()
    assert OPTIONAL_TERMS == ("class_confusion", "target_entropy")
    assert all(parameters[name] == 0 for name in OPTIONAL_TERMS)
    assert set(OPTIONAL_TERMS) < set(LOSS_TERMS)


def test_a_terms_name_reaches_the_history_and_the_progress_bar(small, domains, capsys):
    X, y, X_tgt = domains
    clf = small(class_confusion=0.3, verbose=1).fit(X, y, X_tgt)
    row = clf.history_[-1]
    expected = (
        row["label_loss"] + row["domain_loss"] + 0.3 * row["class_confusion_loss"]
    )
    assert row["train_loss"] == pytest.approx(expected)
    shown = capsys.readouterr().err
    assert f"class_confusion={row['class_confusion_loss']:.3f}" in shown
    without = small().fit(X, y, X_tgt)
    assert "class_confusion_loss" not in without.history_[-1]
    source_only = small(class_confusion=0.3, lambda_max=0).fit(X, y)
    assert "class_confusion_loss" not in source_only.history_[-1]


def test_the_recorded_confusion_is_that_of_the_target(small, domains):
    """One batch holds all rows, so the record can be computed from outside."""
    X, y, X_tgt = (rows[:60] for rows in domains)
    clf = small(max_epochs=1, dropout=0, lr=1e-12, class_confusion=0.3)
    clf.fit(X, y, X_tgt)
    logits = np.log(clf.predict_proba(X_tgt))  # up to a number for each row
    expected = confusion_by_numpy(logits)
    assert clf.history_[0]["class_confusion_loss"] == pytest.approx(expected, rel=1e-6)


def test_training_with_the_term_lowers_the_confusion_of_the_target(small, domains):
    X, y, X_tgt = domains
    confusion = []
    for weight in (0, 1):
        clf = small(class_confusion=weight, max_epochs=60, lambda_max=0, dropout=0)
        P = clf.fit(X, y, X_tgt).predict_proba(X_tgt)
        confusion.append(confusion_by_numpy(np.log(P)))
    assert confusion[1] < confusion[0] - 0.05


def test_class_confusion_is_a_parameter_like_the_others(small, domains, tmp_path):
    import skdann
    from skdann.model_selection import DANNGridSearchCV

    clf = small(class_confusion=0.2).fit(*domains)
    skdann.save(clf, tmp_path / "model.skdann")
    loaded = skdann.load(tmp_path / "model.skdann")
    assert loaded.class_confusion == clone(clf).class_confusion == 0.2
    with pytest.raises(ValueError, match="class_confusion"):
        small(class_confusion=-1).fit(*domains)
    grid = {"class_confusion": [0.0, 0.3], "lambda_max": [0.0, 1.0]}
    search = DANNGridSearchCV(small(), grid, cv=2).fit(*domains)
    assert len(search.cv_results_["params"]) == 4


def test_a_search_adds_a_candidate_that_is_trained_on_the_source_alone(small, domains):
    """With a loss term on the target lambda_max=0 is not enough."""
    from skdann.model_selection import DANNGridSearchCV

    search = DANNGridSearchCV(
        small(class_confusion=0.3), {"lambda_max": [0.0, 1.0]}, cv=2, refit=False
    ).fit(*domains)
    assert search.cv_results_["params"][-1] == {
        "lambda_max": 0.0,
        "class_confusion": 0.0,
        "target_entropy": 0.0,
    }
