"""scikit-learn's own judgement of the estimator, with and without a target."""

import pytest
from helpers import BringsTarget
from sklearn.utils.estimator_checks import parametrize_with_checks

from skdann import DANNClassifier


class Adapting(BringsTarget, DANNClassifier):
    pass


def _expected_to_fail(estimator):
    """Name the one check that dropout makes impossible to pass."""
    if estimator.dropout == 0:
        return {}
    reason = (
        "Dropout draws one mask a row: two copies of a row get two masks, a row of "
        "weight 2 gets one. Passes with dropout=0, see the other configurations."
    )
    return {
        "check_sample_weight_equivalence_on_dense_data": reason,
        "check_sample_weight_equivalence_on_sparse_data": reason,
    }


@pytest.mark.filterwarnings("ignore::skdann.AdaptationWarning")
@parametrize_with_checks(
    [
        # "auto" takes hundreds of epochs of the checks' few rows
        DANNClassifier(n_estimators=2, max_epochs=40),
        DANNClassifier(
            lambda_max=0,
            n_estimators=1,
            lr=0.05,
            lr_schedule="cosine",
            hidden_layer_sizes=32,
            activation="tanh",
            optimizer="sgd",
            dropout=0,
            class_weight="balanced",
            max_epochs=40,
        ),
        # not by domain: what the checks fit on and what they predict are one domain;
        # and no estimate: the bootstrap of a forest sees two rows otherwise than one
        # of weight 2
        Adapting(
            lambda_schedule="linear",
            n_estimators=1,
            dropout=0,
            max_epochs=25,
            standardize="source",
            target_prior=None,
        ),
        Adapting(
            lambda_max=0.1,
            n_estimators=2,
            dropout=0.5,
            batch_size=16,
            max_epochs=4,
            standardize="source",
        ),
    ],
    expected_failed_checks=_expected_to_fail,
)
def test_sklearn_check(estimator, check):
    check(estimator)
