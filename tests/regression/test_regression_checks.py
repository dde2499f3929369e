"""scikit-learn's own judgement of the regressor, with and without a target."""

import pytest
from helpers import BringsTarget
from sklearn.utils.estimator_checks import parametrize_with_checks

from skdann import DANNRegressor


class Adapting(BringsTarget, DANNRegressor):
    pass


def _expected_to_fail(estimator):
    """Name the one check that dropout makes impossible to pass."""
    if estimator.dropout == 0:
        return {}
    reason = (
        "As of the classifier: dropout draws one mask a row. Passes with dropout=0."
    )
    return {
        "check_sample_weight_equivalence_on_dense_data": reason,
        "check_sample_weight_equivalence_on_sparse_data": reason,
    }


@pytest.mark.filterwarnings("ignore::skdann.AdaptationWarning")
@parametrize_with_checks(
    [
        DANNRegressor(max_epochs=10),
        DANNRegressor(
            n_estimators=1,
            dropout=0,
            max_epochs=40,
            loss="huber",
            optimizer="sgd",
            lr=0.1,
        ),
        # not by domain: what the checks fit on and what they predict are one domain
        Adapting(dropout=0, max_epochs=10, standardize="source"),
    ],
    expected_failed_checks=_expected_to_fail,
)
def test_sklearn_check(estimator, check):
    check(estimator)
