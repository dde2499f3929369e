"""What transformers of scikit-learn hold once they are fitted."""

import re

import numpy as np
from scipy.interpolate import BSpline

from ._checks import (
    array,
    csr,
    dtype,
    each,
    either,
    flag,
    floats,
    indices,
    instance,
    integer,
    mapping,
    maybe,
    one_of,
    optional,
    real,
    text,
    values,
)
from ._known import Known, needs, of_parameters


def _is_spline(value, sizes):
    return isinstance(value, BSpline)


def _pack_words(parameters, state):
    """Write the words, by column; what they are looked up in is made of them again."""
    column_of = state["vocabulary_"]
    words = sorted(column_of, key=column_of.get)
    if [column_of[word] for word in words] != [*range(len(words))]:
        raise ValueError("its vocabulary_ leaves out columns")
    state["vocabulary_"] = words


def _unpack_words(vectorizer, state):
    words = state["vocabulary_"]
    if not each(text)(words, {}):
        raise ValueError("its vocabulary_ holds what are no words")
    state["vocabulary_"] = {word: i for i, word in enumerate(words)}
    if len(state["vocabulary_"]) != len(words):
        raise ValueError("its vocabulary_ holds a word twice")


# Of a polynomial; how many terms there are of more takes long to compute.
MOST_DEGREE = 100

_WORDS = {
    "vocabulary_": mapping(text, integer()),
    "fixed_vocabulary_": flag,
}


def _set_fill_dtype(imputer, state):
    """Set what scikit-learn before 1.8 has not told."""
    state.setdefault("_fill_dtype", state["_fit_dtype"])


def _check_bins(discretizer):
    encoder = getattr(discretizer, "_encoder", None)
    if discretizer.encode != "ordinal" and encoder is None:
        raise ValueError("it lacks its encoder")
    if encoder is not None and any(c.dtype.kind in "OUS" for c in encoder.categories_):
        raise ValueError("its encoder is for texts")


def _check_splines(transformer):
    widths = {spline.c.shape[1:] for spline in transformer.bsplines_}
    n_out = transformer.n_features_out_
    n_out += transformer.n_features_in_ * (not transformer.include_bias)
    degrees = {spline.k for spline in transformer.bsplines_}
    if widths != {(n_out // transformer.n_features_in_,)} or degrees != {
        transformer.degree
    }:
        raise ValueError("it has not the columns of its splines")


def _check_indicator(imputer):
    if imputer.add_indicator != (imputer.indicator_ is not None):
        raise ValueError("it lacks its indicator")


def _check_vectorizer(vectorizer):
    if vectorizer.input != "content":
        raise ValueError("it reads the files that its rows name")
    shortest_longest = vectorizer.ngram_range
    if [type(n) for n in shortest_longest] != [int, int] or shortest_longest[0] < 1:
        raise ValueError("ngram_range is no pair of numbers")
    if vectorizer.analyzer == "word":
        _check_words_alone(vectorizer)


def _check_words_alone(vectorizer):
    if not either(text, maybe(each(text)))(vectorizer.stop_words, {}):
        raise ValueError("stop_words are no list of words")
    try:
        re.compile(vectorizer.token_pattern)
    except (re.error, TypeError) as error:
        raise ValueError(f"token_pattern is no pattern: {error}") from error


def _check_categories(encoder):
    """Raise ValueError if categories are not in order, in which they are looked up."""
    for names in encoder.categories_:
        is_sorted = names.dtype.kind in "OUS" or np.array_equal(
            np.unique(names), names, equal_nan=names.dtype.kind == "f"
        )
        if not is_sorted or not len(names):
            raise ValueError("its categories are not in order, or there are none")


def _check_grouping(encoder):
    """Return how many categories each column has once rare ones are one."""
    _check_categories(encoder)
    counts = [len(values) for values in encoder.categories_]
    if not encoder._infrequent_enabled:
        return counts
    groups = encoder._infrequent_indices, encoder._default_to_infrequent_mappings
    for i, (rare, to_group) in enumerate(zip(*groups, strict=True)):
        if (rare is None) != (to_group is None):
            raise ValueError("its rare categories are not those that it groups")
        if rare is None:
            continue
        n_after = counts[i] - len(rare) + 1
        if not (
            len(to_group) == counts[i]
            and 0 < len(rare) <= counts[i]
            and _is_within(rare, counts[i])
            and _is_within(to_group, n_after)
        ):
            raise ValueError("its rare categories are none of its categories")
        counts[i] = n_after
    return counts


def _is_within(values, n):
    return np.min(values) >= 0 and np.max(values) < n


def _check_one_hot(encoder):
    """Raise ValueError if columns are not as many as the categories that are left.

    It writes ones into places of a sparse matrix, wherever they are.
    """
    counts = _check_grouping(encoder)
    dropped = encoder._drop_idx_after_grouping
    for i, left_out in enumerate([None] * len(counts) if dropped is None else dropped):
        if left_out is None:
            continue
        if not 0 <= left_out < counts[i]:
            raise ValueError("what it drops is none of its categories")
        counts[i] -= 1
    if list(encoder._n_features_outs) != counts:
        raise ValueError("its columns are not as many as its categories")


def _check_target_encoder(encoder):
    """Raise ValueError if there is not a number for each category."""
    counts = _check_grouping(encoder)
    if encoder.target_type_ == "multiclass":
        counts = [n for n in counts for _ in encoder.classes_]
    if [len(values) for values in encoder.encodings_] != counts:
        raise ValueError("its encodings are not those of its categories")


def _check_function(transformer):
    if transformer.kw_args or transformer.inv_kw_args:
        raise ValueError("it gives arguments to its function")


def _check_degree(poly):
    degrees = np.atleast_1d(poly.degree)
    if not all(integer()(d, {}) and d <= MOST_DEGREE for d in degrees.tolist()):
        raise ValueError(f"its degree is above {MOST_DEGREE}")


def _check_polynomial(poly):
    """Raise ValueError if its columns are not those that its degrees give."""
    if max(poly._min_degree, poly._max_degree) > MOST_DEGREE:
        raise ValueError(f"its degree is above {MOST_DEGREE}")
    shape = dict(n_features=poly.n_features_in_, interaction_only=poly.interaction_only)
    for max_degree, min_degree, bias, n in (
        (
            poly._max_degree,
            poly._min_degree,
            poly.include_bias,
            poly.n_output_features_,
        ),
        (poly._max_degree, 0, poly.include_bias, poly._n_out_full),
    ):
        if n != poly._num_combinations(
            **shape, min_degree=min_degree, max_degree=max_degree, include_bias=bias
        ):
            raise ValueError("it has not the columns of its degrees")


_CATEGORIES = {
    "_infrequent_enabled": flag,
    "categories_": each(values(None), "n"),
    "_infrequent_indices": optional(each(maybe(array("iu", None)), "n")),
    "_default_to_infrequent_mappings": optional(each(maybe(array("iu", None)), "n")),
}
_DROPPED = maybe(each(maybe(integer()), "n", of=np.ndarray))
_MAYBE_INDICATOR = {"indicator_": maybe(instance("MissingIndicator"))}
_OF_PCA = {
    "mean_": floats("n"),
    "n_components_": integer(1, "k"),
    "components_": floats("k", "n"),
    "explained_variance_": floats("k"),
    "explained_variance_ratio_": floats("k"),
    "singular_values_": floats("k"),
    "noise_variance_": real,
}
_SEEN = either(real, array("iuf", "n"))
_PROJECTION = {
    "n_components_": integer(1, "k"),
    "_n_features_out": integer(1, "k"),
}
_SCORES = {"scores_": floats("n"), "pvalues_": maybe(floats("n"))}

SKLEARN = {
    "StandardScaler": Known(
        "sklearn.preprocessing",
        {
            "mean_": maybe(floats("n")),
            "var_": maybe(floats("n")),
            "scale_": maybe(floats("n")),
            "n_samples_seen_": _SEEN,
        },
        check=needs(with_mean="mean_", with_std="scale_"),
    ),
    "MinMaxScaler": Known(
        "sklearn.preprocessing",
        {
            **dict.fromkeys(("min_", "scale_", "data_min_", "data_max_"), floats("n")),
            "data_range_": floats("n"),
            "n_samples_seen_": _SEEN,
        },
        check_parameters=of_parameters(feature_range=each(real, 2, of=tuple)),
    ),
    "MaxAbsScaler": Known(
        "sklearn.preprocessing",
        {"max_abs_": floats("n"), "scale_": floats("n"), "n_samples_seen_": _SEEN},
    ),
    "RobustScaler": Known(
        "sklearn.preprocessing",
        {"center_": maybe(floats("n")), "scale_": maybe(floats("n"))},
        check=needs(with_centering="center_", with_scaling="scale_"),
        check_parameters=of_parameters(quantile_range=each(real, 2, of=tuple)),
    ),
    "Normalizer": Known("sklearn.preprocessing", {}),
    "Binarizer": Known("sklearn.preprocessing", {}),
    "PowerTransformer": Known(
        "sklearn.preprocessing",
        {
            "lambdas_": either(floats("n"), each(real, "n")),
            "_scaler": optional(instance("StandardScaler")),
        },
        check=needs(standardize="_scaler"),
        holds=("_scaler",),
    ),
    "QuantileTransformer": Known(
        "sklearn.preprocessing",
        {
            "n_quantiles_": integer(1, "q"),
            "references_": floats("q"),
            "quantiles_": floats("q", "n"),
        },
    ),
    "KBinsDiscretizer": Known(
        "sklearn.preprocessing",
        {
            "bin_edges_": each(floats(None), "n", of=np.ndarray),
            "n_bins_": array("iu", "n"),
            "_encoder": optional(instance("OneHotEncoder")),
        },
        check=_check_bins,
        holds=("_encoder",),
    ),
    "PolynomialFeatures": Known(
        "sklearn.preprocessing",
        dict.fromkeys(
            ("_min_degree", "_max_degree", "n_output_features_", "_n_out_full"),
            integer(),
        ),
        check=_check_polynomial,
        check_parameters=_check_degree,
    ),
    "SplineTransformer": Known(
        "sklearn.preprocessing",
        {"bsplines_": each(_is_spline, "n"), "n_features_out_": integer(1)},
        check=_check_splines,
    ),
    "FunctionTransformer": Known(
        "sklearn.preprocessing", {}, check_parameters=_check_function
    ),
    "OneHotEncoder": Known(
        "sklearn.preprocessing",
        {
            **_CATEGORIES,
            "drop_idx_": _DROPPED,
            "_drop_idx_after_grouping": _DROPPED,
            "_n_features_outs": each(integer(), "n"),
        },
        check=_check_one_hot,
    ),
    "OrdinalEncoder": Known(
        "sklearn.preprocessing",
        {
            **_CATEGORIES,
            "_missing_indices": mapping(integer(), integer()),
        },
        check=_check_grouping,
    ),
    "TargetEncoder": Known(
        "sklearn.preprocessing",
        {
            **_CATEGORIES,
            "target_type_": one_of("binary", "continuous", "multiclass"),
            "classes_": optional(maybe(values("c"))),
            "target_mean_": either(real, floats("c")),
            "encodings_": each(floats(None)),
        },
        check=_check_target_encoder,
    ),
    "SimpleImputer": Known(
        "sklearn.impute",
        {
            **_MAYBE_INDICATOR,
            "statistics_": values("n"),
            "_fit_dtype": dtype,
            "_fill_dtype": optional(dtype),
        },
        unpack=_set_fill_dtype,
        check=_check_indicator,
        holds=("indicator_",),
    ),
    "KNNImputer": Known(
        "sklearn.impute",
        {
            **_MAYBE_INDICATOR,
            "_fit_X": floats("m", "n"),
            "_mask_fit_X": array("b", "m", "n"),
            "_valid_mask": array("b", "n"),
        },
        check=_check_indicator,
        holds=("indicator_",),
    ),
    "MissingIndicator": Known(
        "sklearn.impute",
        {
            "_precomputed": flag,
            "_n_features": integer(0, "n"),
            "features_": indices("n", None),
        },
    ),
    "PCA": Known(
        "sklearn.decomposition",
        {**_OF_PCA, "n_samples_": integer(1), "_fit_svd_solver": text},
    ),
    "IncrementalPCA": Known(
        "sklearn.decomposition",
        {
            **_OF_PCA,
            "var_": floats("n"),
            "n_samples_seen_": real,
            "batch_size_": integer(1),
        },
    ),
    "TruncatedSVD": Known(
        "sklearn.decomposition",
        {
            "components_": floats("k", "n"),
            "explained_variance_": floats("k"),
            "explained_variance_ratio_": floats("k"),
            "singular_values_": floats("k"),
        },
    ),
    "GaussianRandomProjection": Known(
        "sklearn.random_projection", {**_PROJECTION, "components_": floats("k", "n")}
    ),
    "SparseRandomProjection": Known(
        "sklearn.random_projection",
        {
            **_PROJECTION,
            "components_": either(csr("f", "k", "n"), floats("k", "n")),
            "density_": real,
        },
    ),
    "CountVectorizer": Known(
        "sklearn.feature_extraction.text",
        _WORDS,
        forget=("_stop_words_id",),
        pack=_pack_words,
        unpack=_unpack_words,
        check_parameters=_check_vectorizer,
    ),
    "TfidfVectorizer": Known(
        "sklearn.feature_extraction.text",
        {**_WORDS, "_tfidf": instance("TfidfTransformer")},
        holds=("_tfidf",),
        forget=("_stop_words_id",),
        pack=_pack_words,
        unpack=_unpack_words,
        check_parameters=_check_vectorizer,
    ),
    "HashingVectorizer": Known(
        "sklearn.feature_extraction.text",
        {},
        forget=("_stop_words_id",),
        check_parameters=_check_vectorizer,
    ),
    "TfidfTransformer": Known(
        "sklearn.feature_extraction.text",
        {"idf_": optional(floats("n"))},
        check=needs(use_idf="idf_"),
    ),
    "VarianceThreshold": Known(
        "sklearn.feature_selection", {"variances_": floats("n")}
    ),
    **{
        name: Known("sklearn.feature_selection", _SCORES)
        for name in ("SelectKBest", "SelectPercentile", "SelectFpr", "SelectFdr")
    },
}
