"""What a long call says: the log, and the bar that leaves a line in a notebook."""

import logging

import pytest
from tqdm.auto import tqdm

from skdann import AutoDANNClassifier, BaselineClassifier
from skdann._progress import finish
from skdann.model_selection import DANNGridSearchCV


def test_nothing_is_logged_unless_the_program_asks(small, domains, capsys):
    small().fit(*domains)
    assert capsys.readouterr() == ("", "")


def test_a_fit_is_a_line_of_the_log_and_an_epoch_one_of_more_detail(
    small, domains, caplog
):
    with caplog.at_level(logging.DEBUG, "skdann"):
        clf = small().fit(*domains)
    epochs = [r for r in caplog.records if r.levelno == logging.DEBUG]
    assert len(epochs) == clf.n_iter_
    [fitted] = [r.getMessage() for r in caplog.records if r.levelno == logging.INFO]
    assert fitted.startswith(f"DANNClassifier: {len(domains[1])} source and ")
    assert f"label_loss {clf.history_[-1]['label_loss']:.3g}" in fitted


def test_checkpoints_are_logged(small, domains, tmp_path, caplog):
    with caplog.at_level(logging.DEBUG, "skdann"):
        small(checkpoint=tmp_path / "run").fit(*domains)
    assert any("checkpoint" in message for message in caplog.messages)


def test_a_search_logs_what_it_chose(small, domains, caplog):
    with caplog.at_level(logging.INFO, "skdann"):
        search = DANNGridSearchCV(small(), {"lambda_max": [0, 1]}, cv=2).fit(*domains)
    assert f"chosen {search.best_params_}" in caplog.text


def test_a_combination_logs_each_candidate(domains, caplog):
    scales = ("source", "pooled")
    candidates = [(name, BaselineClassifier(standardize=name)) for name in scales]
    with caplog.at_level(logging.INFO, "skdann"):
        AutoDANNClassifier(candidates).fit(*domains)
    for name, _ in candidates:
        assert f"candidate {name}: " in caplog.text


@pytest.mark.parametrize("is_notebook", [False, True])
def test_a_bar_leaves_its_last_state_in_a_notebook(is_notebook, capsys):
    bar = tqdm(total=2, desc="DANN")
    if is_notebook:
        bar.container = "a widget, of which an exported page keeps nothing"
    bar.update(2)
    finish(bar)
    assert ("DANN: 100%" in capsys.readouterr().out) == is_notebook
