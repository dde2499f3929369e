"""What Pipelines and the like are made of: named steps, and columns for them."""

import numpy as np
from sklearn.compose import make_column_selector

from ._checks import (
    array,
    each,
    either,
    flag,
    integer,
    mapping,
    maybe,
    one_of,
    real,
    text,
)
from ._known import A_NAME, Known


def _is_slice(value, sizes):
    bounds = (value.start, value.stop, value.step) if isinstance(value, slice) else ()
    kinds = {type(bound) for bound in bounds if bound is not None}
    return isinstance(value, slice) and kinds in (set(), {int}, {str})


def _is_selector(value, sizes):
    return isinstance(value, make_column_selector)


def _transforms(value, sizes):
    return hasattr(value, "get_params") and hasattr(value, "transform")


_COLUMNS = either(
    text, integer(-(2**31)), each(A_NAME), each(flag), array("iub", None), _is_slice
)
_STEP = either(_transforms, one_of("passthrough"), lambda value, _: value is None)
_PART = either(_transforms, one_of("passthrough", "drop"))
_WEIGHTS = maybe(mapping(text, real))


def _entry(*checks):
    """Return a check of a tuple of a name and what goes with it."""
    checks = (text, *checks)
    return lambda value, sizes: (
        isinstance(value, tuple)
        and len(value) == len(checks)
        and all(check(x, sizes) for check, x in zip(checks, value, strict=True))
    )


_PARTS = each(_entry(_PART, either(_COLUMNS, _is_selector)))
_FITTED_PART = _entry(_PART, _COLUMNS)


def _require(what, is_right):
    if not is_right:
        raise ValueError(f"it has no list of {what}, with a name each")


def _are_named(entries):
    return len({entry[0] for entry in entries}) == len(entries)


def _check_steps(pipeline):
    """Raise ValueError if steps are none, or any but the last can't transform."""
    steps = pipeline.steps
    is_list = isinstance(steps, list) and each(_entry(lambda *_: True))(steps, {})
    _require("steps", is_list and len(steps) > 0 and _are_named(steps))
    _require("transformers", all(_STEP(step, {}) for _, step in steps[:-1]))
    last = steps[-1][1]
    _require("steps", _STEP(last, {}) or hasattr(last, "predict"))
    _require("inputs", maybe(each(text))(pipeline.transform_input, {}))


def _check_union(union):
    parts = union.transformer_list
    _require("transformers", each(_entry(_PART))(parts, {}) and _are_named(parts))
    _require("weights", _WEIGHTS(union.transformer_weights, {}))


def _check_parts(transformer):
    parts = transformer.transformers
    _require("transformers", _PARTS(parts, {}) and _are_named(parts))
    _require("weights", _WEIGHTS(transformer.transformer_weights, {}))


def _check_fitted_parts(transformer):
    """Raise ValueError if parts and their columns do not go together."""
    n, of_names = transformer.n_features_in_, transformer._transformer_to_input_indices
    names = {name for name, _, _ in transformer.transformers_}
    n_given = len(transformer.transformers)
    if not names <= set(of_names) or len(transformer._columns) != n_given:
        raise ValueError("its columns are not those of its transformers")
    labels = set(getattr(transformer, "feature_names_in_", ()))
    of_all = [columns for _, _, columns in transformer.transformers_]
    for columns in (*of_all, *transformer._columns, *of_names.values()):
        if not _are_columns(columns, n, labels):
            raise ValueError(f"it has columns that its rows lack: {str(columns)[:50]}")


def _are_columns(columns, n, labels):
    if isinstance(columns, slice):
        return True
    columns = np.atleast_1d(np.asarray(columns))
    if columns.dtype.kind == "b":
        return len(columns) == n
    if columns.dtype.kind in "iu":
        return bool(((-n <= columns) & (columns < n)).all())
    return set(columns.tolist()) <= labels


def _pipeline(module):
    return Known(
        module, {}, check_parameters=_check_steps, holds=("steps",), fits_them=True
    )


COMPOSED = {
    "Pipeline": _pipeline("sklearn.pipeline"),
    "AdaptationPipeline": _pipeline("skdann._adaptation_pipeline"),
    "FeatureUnion": Known(
        "sklearn.pipeline",
        {},
        check_parameters=_check_union,
        holds=("transformer_list",),
        fits_them=True,
    ),
    "ColumnTransformer": Known(
        "sklearn.compose",
        {
            "transformers_": each(_FITTED_PART),
            "_columns": each(_COLUMNS),
            "_transformer_to_input_indices": mapping(text, each(integer())),
            "_remainder": _FITTED_PART,
            "sparse_output_": flag,
            "output_indices_": mapping(text, _is_slice),
        },
        check=_check_fitted_parts,
        check_parameters=_check_parts,
        holds=("transformers", "remainder", "transformers_", "_remainder"),
        state_is_fitted=None,  # where no columns are selected
    ),
}
