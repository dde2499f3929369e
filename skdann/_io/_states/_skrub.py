"""What transformers of skrub hold once they are fitted."""

from ._checks import (
    array,
    each,
    either,
    flag,
    floats,
    instance,
    integer,
    mapping,
    maybe,
    one_of,
    optional,
    positive,
    real,
    text,
)
from ._known import Known, of_parameters
from ._values import is_time_zone

_NAMES = each(text)
_OUTPUTS = {"all_outputs_": either(_NAMES, array("UO", None))}


def _is_dtype_of_dates(value, sizes):
    """Whether it is a type of dates, as from_tree makes them of words."""
    package = type(value).__module__.partition(".")[0]
    is_numpy = package == "numpy" and getattr(value, "kind", None) == "M"
    return is_numpy or package in ("pandas", "polars")


def _is_zone(value, sizes):
    return isinstance(value, str) and is_time_zone(value)


def _is_transformer(value, sizes):
    return hasattr(value, "get_params")


_PART = either(_is_transformer, one_of("passthrough", "drop"))
_KINDS = ("numeric", "datetime", "low_cardinality", "high_cardinality")


def _is_specific(value, sizes):
    return (
        isinstance(value, list | tuple)
        and len(value) == 2
        and _PART(value[0], sizes)
        and each(text, of=list | tuple)(value[1], sizes)
    )


def _check_specific(vectorizer):
    kinds = [getattr(vectorizer, name) for name in _KINDS]
    entries = vectorizer.specific_transformers
    if not each(_PART)(kinds, {}) or not each(_is_specific, of=list | tuple)(
        entries, {}
    ):
        raise ValueError("it has no transformers for its columns")


def _name_columns(parameters, state):
    """Write the columns that were selected, in place of what has selected them."""
    parameters["cols"] = state["_columns"]


def _rebuild_steps(vectorizer, state):
    """Make the steps anew by the parameters, and give them what they had learned."""
    fitted = state["_pipeline"]
    vectorizer._check_specific_columns()
    vectorizer._make_pipeline()
    steps = [step for _, step in vectorizer._pipeline.steps]
    for step, (_, saved) in zip(steps, fitted.steps, strict=True):
        if type(step) is not type(saved):
            raise ValueError("its steps are not those of its parameters")
        vars(step).update({k: v for k, v in vars(saved).items() if k != "cols"})
    vectorizer._store_processing_steps()
    vectorizer._store_column_kinds()
    vectorizer._store_output_to_input()
    state["_pipeline"] = vectorizer._pipeline


def _list_steps(cleaner, state):
    """List the steps of each column, as a fit does."""
    check, *steps = (step for _, step in state["_pipeline"].steps)
    cleaner.all_processing_steps_ = {name: [] for name in check.feature_names_out_}
    for step in steps:
        for name, transformer in step.transformers_.items():
            cleaner.all_processing_steps_[name].append(transformer)


def _check_scalers(squashing):
    """Raise ValueError if columns are to be scaled, and nothing is there to do it."""
    for kind in ("robust", "minmax"):
        columns = getattr(squashing, f"{kind}_cols_")
        if columns.any() and getattr(squashing, f"{kind}_scaler_") is None:
            raise ValueError(f"it lacks its {kind}_scaler_")


_OF_TABLE = {"_pipeline": instance("Pipeline"), **_OUTPUTS}
_DERIVED = (
    *("_specific_columns", "_preprocessors", "_encoders", "_named_encoders"),
    *("_specific_transformers", "_postprocessors", "transformers_", "column_to_kind_"),
    *("input_to_outputs_", "output_to_input_", "kind_to_columns_"),
    "all_processing_steps_",
)
_OF_DATES = one_of(
    *("year", "month", "day", "hour", "minute", "second", "microsecond", "nanosecond"),
    *("total_seconds", "weekday", "day_of_year"),
)
_PERIODIC = {"n_components_": integer(1), "input_name_": text, **_OUTPUTS}

SKRUB = {
    "TableVectorizer": Known(
        "skrub",
        _OF_TABLE,
        forget=_DERIVED,
        unpack=_rebuild_steps,
        check_parameters=_check_specific,
        holds=(*_KINDS, "specific_transformers", "_pipeline"),
    ),
    "Cleaner": Known(
        "skrub",
        _OF_TABLE,
        forget=("all_processing_steps_",),
        unpack=_list_steps,
        holds=("_pipeline",),
    ),
    "CheckInputDataFrame": Known(
        "skrub._check_input",
        {"module_name_": one_of("pandas", "polars"), "feature_names_out_": _NAMES},
    ),
    "ApplyToEachCol": Known(
        "skrub._apply_to_each_col",
        {
            "_columns": _NAMES,
            "all_inputs_": _NAMES,
            "used_inputs_": _NAMES,
            "created_outputs_": _NAMES,
            "transformers_": mapping(text, _is_transformer),
            "input_to_outputs_": mapping(text, _NAMES),
            "output_to_input_": mapping(text, text),
            **_OUTPUTS,
        },
        pack=_name_columns,
        holds=("transformer", "transformers_"),
    ),
    "PassThrough": Known("skrub._table_vectorizer", {}),
    "Drop": Known("skrub._select_cols", _OUTPUTS),
    "CleanNullStrings": Known("skrub._clean_null_strings", {"null_strings_": _NAMES}),
    "DropUninformative": Known(
        "skrub._drop_uninformative",
        {"_null_count": integer(), "drop_": flag, **_OUTPUTS},
    ),
    "ToDatetime": Known(
        "skrub",
        {
            "format_": maybe(text),
            "output_dtype_": _is_dtype_of_dates,
            "output_time_zone_": maybe(_is_zone),
            **_OUTPUTS,
        },
    ),
    "DurationToFloat": Known("skrub._duration_to_float", {}),
    "ToFloat": Known(
        "skrub", {"_thousand": text, "_needs_str_replace": flag, **_OUTPUTS}
    ),
    "ToStr": Known("skrub._to_str", _OUTPUTS),
    "ToCategorical": Known("skrub", _OUTPUTS),
    "CleanCategories": Known("skrub._clean_categories", {}),
    "StringEncoder": Known(
        "skrub",
        {
            "to_str": instance("ToStr"),
            "vectorizer_": instance("TfidfVectorizer", "Pipeline"),
            "tsvd_": optional(instance("TruncatedSVD")),
            "scaling_factor_": real,
            "n_components_": integer(),
            "input_name_": text,
            **_OUTPUTS,
        },
        holds=("to_str", "vectorizer_", "tsvd_"),
    ),
    "DatetimeEncoder": Known(
        "skrub",
        {
            "extracted_features_": each(_OF_DATES),
            "_periodic_encoders": mapping(
                text, instance("_SplineEncoder", "_CircularEncoder")
            ),
            **_OUTPUTS,
        },
        holds=("_periodic_encoders",),
    ),
    "_SplineEncoder": Known(
        "skrub._datetime_encoder",
        {"transformer_": instance("SplineTransformer"), **_PERIODIC},
        holds=("transformer_",),
    ),
    "_CircularEncoder": Known(
        "skrub._datetime_encoder",
        _PERIODIC,
        check_parameters=of_parameters(period=positive),
    ),
    "SquashingScaler": Known(
        "skrub",
        {
            "robust_scaler_": maybe(instance("RobustScaler")),
            "minmax_scaler_": maybe(instance("_MinMaxScaler")),
            "robust_cols_": array("b", "n"),
            "minmax_cols_": array("b", "n"),
            "zero_cols_": array("b", "n"),
        },
        check=_check_scalers,
        check_parameters=of_parameters(max_absolute_value=positive),
        holds=("robust_scaler_", "minmax_scaler_"),
    ),
    "_MinMaxScaler": Known(
        "skrub._squashing_scaler", {"median_": floats("m"), "scale_": floats("m")}
    ),
}
