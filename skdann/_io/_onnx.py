"""A fitted estimator as an ONNX file, which predicts without Python."""

import copy
import inspect
import io
import json
import logging
import warnings
from contextlib import contextmanager, redirect_stderr
from functools import partial

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted
from torch import nn

from ._container import write_bytes

# Operators that onnxruntime 1.32 has in float32 but not in float64. It has Sigmoid, but
# 1.20 to 1.23 replace x * Sigmoid(x) by an operator that is in float32 alone.
_FLOAT32_ONLY = """
Acos Acosh Asin Asinh Atan Atanh AveragePool Col2Im Conv ConvTranspose Cosh Det Elu Erf
GRU Gelu GlobalAveragePool GlobalLpPool GlobalMaxPool HardSigmoid HardSwish Hardmax
InstanceNormalization LRN LSTM LeakyRelu LpPool MaxRoiPool MaxUnpool Mean
MeanVarianceNormalization Mish NonZero OneHot PRelu RNN Resize Selu Sigmoid Sinh
Softplus Softsign Tan ThresholdedRelu Upsample"""


def export_onnx(estimator, path):
    """Write what predicts, without the domain classifier, to one ONNX file.

    The input ``X`` takes any number of rows, in the dtype of the network. The outputs
    are, as sklearn-onnx names them, ``label`` and ``probabilities`` of a classifier, or
    ``variable`` of a regressor. The file also holds ``classes`` and ``feature_names``,
    if any, as JSON among its metadata.

    Parameters
    ----------
    estimator : DANNClassifier or DANNRegressor
        Fitted; stays as it is.
    path : str or PathLike
        Where; a file that is there is replaced.

    Raises
    ------
    ImportError
        If packages are missing.
    ValueError
        If ONNX has no type for the labels, or torch can't export the network.
    """
    check_is_fitted(estimator)
    onnx = _import_onnx()
    rows = np.zeros((3, *estimator._row_shape), estimator.net_.dtype)
    is_classifier = hasattr(estimator, "classes_")
    classes = _check_classes(estimator.classes_) if is_classifier else None
    output = "probabilities" if is_classifier else "variable"
    model = _export_network(onnx, estimator.module_, torch.from_numpy(rows), output)
    _declare(onnx, model.graph, rows, output, estimator._targets.n_outputs)
    metadata = {}
    if classes is not None:
        _add_label(onnx, model.graph, classes)
        metadata["classes"] = json.dumps(classes.tolist())
    if rows.dtype == np.float64:
        _cast_where_float64_is_missing(onnx, model)
    if hasattr(estimator, "feature_names_in_"):
        metadata["feature_names"] = json.dumps(estimator.feature_names_in_.tolist())
    onnx.helper.set_model_props(model, metadata)
    write_bytes(path, model.SerializeToString())


def _import_onnx():
    try:
        import onnx

        if _torch_exports_programs():
            import onnxscript  # noqa: F401 - torch's exporter is written in it
    except ImportError as error:
        raise ImportError(
            "Export to ONNX needs onnx and onnxscript, the extra onnx: in a clone, "
            "pip install '.[onnx]'."
        ) from error
    return onnx


def _torch_exports_programs():
    """Whether torch prefers its exporter of programs to that of traces, as from 2.9."""
    return inspect.signature(torch.onnx.export).parameters["dynamo"].default is True


def _check_classes(classes):
    """Return the labels in a type of ONNX: bool, int64, float64 or strings."""
    if all(isinstance(label, str) for label in classes):
        return classes.astype(object)
    wide = {"b": bool, "i": np.int64, "u": np.int64, "f": np.float64}
    labels = classes.astype(wide.get(classes.dtype.kind, object))
    if labels.dtype == object or not np.array_equal(labels, classes):
        raise ValueError(
            f"The labels {classes.tolist()[:5]} of dtype {classes.dtype} have no type "
            "in ONNX. Fit with labels that are strings, int64, float64 or booleans."
        )
    return labels


def _export_network(onnx, network, rows, output):
    """Return the model of ``DANN.predict``, for any number of rows."""
    predictor = _Predictor(copy.deepcopy(network).cpu()).eval()
    export = _export_program if _torch_exports_programs() else _export_trace
    names = {"input_names": ["X"], "output_names": [output]}
    try:
        with _silence():
            return export(onnx, predictor, rows, names)
    except Exception as error:  # of any kind: it may come out of the user's module
        cause = error
        while cause.__cause__ is not None:
            cause = cause.__cause__
        reason = " ".join(str(cause).split())[:300]
        raise ValueError(
            f"torch can't export this network to ONNX. {type(cause).__name__}: "
            f"{reason}. Write feature_extractor and label_classifier with operators "
            "that ONNX has, for any number of rows, without branches on values."
        ) from error


class _Predictor(nn.Module):
    """A network that answers with what it predicts alone.

    Parameters
    ----------
    network : skdann.nn.DANN
        Changed: it loses its domain classifier.
    """

    def __init__(self, network):
        super().__init__()
        self.network = network
        self.network.domain_classifier = nn.Identity()
        self.network.conditioning = None

    def forward(self, X):
        return self.network.compute_predictions(X)


def _export_program(onnx, predictor, rows, names):
    # captured first, as torch.onnx.export would silently fix the number of rows if it
    # can't leave it open
    with redirect_stderr(io.StringIO()):  # torch prints the graph before an error
        program = torch.export.export(
            predictor,
            (rows,),
            dynamic_shapes=({0: torch.export.Dim("n")},),
            strict=False,
        )
    return torch.onnx.export(program, verbose=False, **names).model_proto


def _export_trace(onnx, predictor, rows, names):
    file = io.BytesIO()
    axes = {name: {0: "n"} for of_kind in names.values() for name in of_kind}
    torch.onnx.export(predictor, (rows,), file, dynamic_axes=axes, **names)
    return onnx.load_from_string(file.getvalue())


@contextmanager
def _silence():
    """Keep from users what torch tells its own developers."""
    logger = logging.getLogger("torch")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            # not TracerWarning, by which older torch says that it may be wrong
            for category in (DeprecationWarning, FutureWarning, UserWarning):
                warnings.simplefilter("ignore", category)
            yield
    finally:
        logger.setLevel(level)


def _declare(onnx, graph, rows, output, n_outputs):
    """Say in the graph what goes in and what comes out."""
    for old in (graph.input, graph.output, graph.value_info):
        del old[:]
    of_rows = onnx.helper.np_dtype_to_tensor_dtype(rows.dtype)
    of_output = onnx.TensorProto.DOUBLE if output == "variable" else of_rows
    value = onnx.helper.make_tensor_value_info
    graph.input.append(value("X", of_rows, ["n", *rows.shape[1:]]))
    graph.output.append(value(output, of_output, ["n", n_outputs]))
    for old in graph.node:
        del old.metadata_props[:]  # torch's, with the paths of files on this machine


def _add_label(onnx, graph, classes):
    """Add to a graph of probabilities the label, as its first output."""
    node, value = onnx.helper.make_node, onnx.helper.make_tensor_value_info
    labels = onnx.numpy_helper.from_array(classes, "skdann.classes")
    graph.initializer.append(labels)
    best = node("ArgMax", ["probabilities"], ["skdann.best"], axis=1, keepdims=0)
    graph.node.append(best)
    graph.node.append(node("Gather", [labels.name, "skdann.best"], ["label"]))
    graph.output.insert(0, value("label", labels.data_type, ["n"]))


def _cast_where_float64_is_missing(onnx, model):
    """Compute in float32 at the nodes for which onnxruntime has nothing else."""
    cast, tensor = partial(onnx.helper.make_node, "Cast"), onnx.TensorProto
    graph = onnx.shape_inference.infer_shapes(model).graph
    types = {value.name: value.data_type for value in graph.initializer}
    for value in (*graph.input, *graph.value_info, *graph.output):
        types[value.name] = value.type.tensor_type.elem_type
    doubles = {name for name, type_ in types.items() if type_ == tensor.DOUBLE}
    nodes = []
    for i, node in enumerate(model.graph.node):
        wanted = doubles if node.op_type in _FLOAT32_ONLY.split() else ()
        for k, name in enumerate(node.input):
            if name in wanted:
                node.input[k] = f"{name}.float32.{i}.{k}"
                nodes.append(cast([name], [node.input[k]], to=tensor.FLOAT))
        nodes.append(node)
        for k, name in enumerate(node.output):
            if name in wanted:
                node.output[k] = f"{name}.float32"
                nodes.append(cast([node.output[k]], [name], to=tensor.DOUBLE))
    del model.graph.node[:]
    model.graph.node.extend(nodes)
