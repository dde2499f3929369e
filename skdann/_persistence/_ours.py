"""What baselines and combinations hold once they are fitted."""

from .._auto import AutoDANNClassifier, AutoDANNRegressor
from .._baseline import BaselineClassifier, BaselineRegressor
from .._data._scalers import SCALERS
from .._io._metadata import check_classes, check_row_shape
from .._io._states import Known
from .._io._states._checks import (
    array,
    each,
    flag,
    floats,
    instance,
    integer,
    mapping,
    real,
    text,
    values,
)


def _is_model(value, sizes):
    return hasattr(value, "get_params") and hasattr(value, "predict")


def _is_row(value, sizes):
    return check_row_shape(value)[0] == sizes.setdefault("n", value[0])


_KIND_OF_SCALER = {kind: name for name, kind in SCALERS.items()}
_BASELINE = {
    "_scaler": lambda value, _: type(value) in _KIND_OF_SCALER,
    "_row_shape": _is_row,
    "estimator_": _is_model,
}
_OF_SCALER = {
    "as it is": {},
    "moments": {"mean": floats(2, "n"), "scale": floats(2, "n")},
    "quantiles": {
        "transformers": mapping(text, instance("QuantileTransformer")),
        "constant": mapping(text, array("b", "n")),
    },
}


def _are_classes(value, sizes):
    return len(check_classes(value)) == sizes.setdefault("c", len(value))


def _check_classes_of_model(baseline):
    """Raise ValueError if the model knows classes that the whole does not."""
    classes = set(check_classes(baseline.estimator_.classes_).tolist())
    if not classes <= set(baseline.classes_.tolist()):
        raise ValueError("its model is for other classes")


def _pack_scaler(parameters, state):
    scaler = state["_scaler"]
    state["_scaler"] = [_KIND_OF_SCALER[type(scaler)], dict(vars(scaler))]


def _unpack_scaler(baseline, state):
    kind, of_scaler = state["_scaler"]
    wanted, sizes = _OF_SCALER[kind], {"n": state["n_features_in_"]}
    if wanted.keys() != of_scaler.keys() or not all(
        is_right(of_scaler[name], sizes) for name, is_right in wanted.items()
    ):
        raise ValueError("its columns are scaled by other numbers than it has columns")
    for by_domain in of_scaler.values():
        if isinstance(by_domain, dict) and by_domain.keys() != {"source", "target"}:
            raise ValueError("its columns are not scaled for source and target")
    state["_scaler"] = SCALERS[kind](**of_scaler)


def _check_candidates(auto):
    """Raise ValueError if weights are not those of candidates for the same rows."""
    weights = auto._weight_of
    if set(weights) != set(auto.candidates_) or not sum(weights.values()) > 0:
        raise ValueError("its weights are not those of its candidates")
    for name, candidate in auto.candidates_.items():
        if _shape(candidate) != _shape(auto):
            raise ValueError(f"its candidate {name[:50]} is for other rows")


def _shape(fitted):
    """Return how many columns it reads, and what it predicts of a row."""
    classes = getattr(fitted, "classes_", None)
    of_row = fitted.n_outputs_ if classes is None else len(classes)
    return fitted.n_features_in_, of_row


def _check_numbers(auto):
    _check_candidates(auto)
    if not len(auto._response_mean) == len(auto._response_scale) == auto.n_outputs_:
        raise ValueError("its numbers are brought to other scales than there are")


_COMBINATION = {
    "_row_shape": _is_row,
    "_scales": each(floats(2, "n"), 2, of=tuple),
    "_weight_of": mapping(text, real),
    "candidates_": mapping(text, _is_model),
    "results_": mapping(text, values(None)),
    "reason_": text,
}


def _known(cls, state, **others):
    return Known(cls.__module__, state, imported=cls, **others)


OURS = {
    "BaselineClassifier": _known(
        BaselineClassifier,
        {**_BASELINE, "classes_": _are_classes},
        check=_check_classes_of_model,
        pack=_pack_scaler,
        unpack=_unpack_scaler,
        holds=("estimator", "estimator_", "_scaler"),
    ),
    "BaselineRegressor": _known(
        BaselineRegressor,
        {**_BASELINE, "n_outputs_": integer(1), "_is_column": flag},
        pack=_pack_scaler,
        unpack=_unpack_scaler,
        holds=("estimator", "estimator_", "_scaler"),
    ),
    "AutoDANNClassifier": _known(
        AutoDANNClassifier,
        {**_COMBINATION, "classes_": _are_classes},
        check=_check_candidates,
        holds=("candidates", "candidates_"),
    ),
    "AutoDANNRegressor": _known(
        AutoDANNRegressor,
        {
            **_COMBINATION,
            "n_outputs_": integer(1),
            "_is_column": flag,
            "_response_mean": floats(None),
            "_response_scale": floats(None),
        },
        check=_check_numbers,
        holds=("candidates", "candidates_"),
    ),
}
