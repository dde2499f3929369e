"""At once or in great number, fits and predictions are what they are alone."""

import json
import sys

import children
import loads
import pytest
from helpers import PLAIN

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="needs fork and Linux's account"
)


def in_a_process(calls):
    """Evaluate calls of ``loads`` in one process, which must not take forever."""
    return json.loads(children.fork(program(calls)).stdout)


def program(calls):
    results = ", ".join(f"loads.{call}" for call in calls)
    return f"""
import json, loads, warnings
warnings.simplefilter("ignore")
print(json.dumps([{results}]))
"""


def test_parallel_fits_equal_serial_ones_to_the_bit():
    """Though OpenMP's threads were at work before the processes were forked."""
    ways = ("threading", "fork", "joblib-fork")
    for result in in_a_process([f"compare_parallel_fits({way!r})" for way in ways]):
        assert result["fits"] == 6
        assert result["differences"] == 0
        assert result["deviation"] < 1e-6
        assert result["n_threads"] == 2


def test_a_process_forked_in_the_midst_of_a_fit_can_fit():
    calls = [f"compare_forked_fits({network!r})" for network in loads.EXTRACTORS]
    for result in in_a_process(calls):
        assert result == {"forks": 3, "differences": 0, "generators": 0}


def test_processes_forked_in_the_first_fit_of_all_can_fit():
    """It imports modules, whose locks a child would find taken."""
    child = children.run("-c", program(["compare_forks_in_first_fit()"]))
    (result,) = json.loads(child.stdout)
    assert result["forks"] > 0
    assert result["differences"] == 0


def test_a_forked_process_reads_models_of_large_layers(tmp_path):
    """By a step of their optimizer, which OpenMP would divide among threads."""
    call = f"use_saved_models_in_forks({str(tmp_path)!r})"
    assert in_a_process([call]) == [[True, True]]


def test_a_process_forked_while_a_bar_is_drawn_can_draw_one():
    assert in_a_process(["compare_fork_while_a_bar_is_drawn()"]) == [True]


@pytest.mark.parametrize("meanwhile", loads.EXTRACTORS)
@pytest.mark.usefixtures("two_threads")
def test_many_threads_predict_what_one_does_while_another_fits(meanwhile):
    clf = loads.fit("theirs" if meanwhile == "ours" else "ours")
    result = loads.compare_predictions(clf, loads.make_rows()[2], meanwhile)
    assert result["threads"] == 8
    assert result["predictions"] >= 8 * 24
    assert result["differences"] == 0
    assert result["fits"] > 0
    assert result["fits_differ"] == 0
    assert result["n_threads"] == [2]  # though born while a fit had but one


@pytest.mark.parametrize("network", loads.EXTRACTORS)
@pytest.mark.usefixtures("two_threads")
def test_fits_in_many_threads_give_all_of_torchs_threads_back(network):
    assert loads.count_threads(network, n_fits=8) == [2] * 10


@pytest.mark.parametrize("first", ["fit", "search"])
def test_what_shows_no_bar_leaves_no_thread(first):
    assert in_a_process([f"count_threads_after(loads.{first})"]) == [1]


def test_many_fits_leave_nothing_behind():
    call = f"measure_growth(n_fits=150, n_before=30, **{PLAIN})"
    (growth,) = in_a_process([call])
    assert growth.pop("fits") == 150
    assert growth.pop("mib") < 8  # 50 KiB a fit would be 7.3
    assert growth == {"tensors": 0, "threads": 0, "files": 0}
