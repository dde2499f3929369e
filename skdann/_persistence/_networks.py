"""Networks in files: alone, or somewhere in a larger whole."""

from .._classifier import DANNClassifier
from .._io._metadata import (
    check_group_names,
    check_names,
    check_row_shape,
    describe,
    describe_parameters,
    needs_code,
)
from .._io._states import describe_routing, restore_routing
from .._regressor import DANNRegressor
from .._training import to_plain
from .._warn import warn
from ..nn._dann import PARTS
from ._ours import OURS

NETWORKS = {kind._kind: kind for kind in (DANNClassifier, DANNRegressor)}


# All that a file can hold, or a Pipeline in it end in.
ENDS = (*NETWORKS.values(), *(known.imported for known in OURS.values()))


class CallersError(Exception):
    """Its cause is wrong in what the caller has given, and not in the file."""


def describe_network(network, is_fitted=True):
    """Return a network as a tree of plain values; of one not fitted its parameters."""
    if not is_fitted:
        own = {"kind": network._kind, "parameters": describe_parameters(network)}
        return {"estimator": own, **describe_routing(network)}
    built = network._as_built()
    built._validate_params()  # as load will
    metadata = describe(built, built._targets, built._row_shape, built._group_names)
    return {**metadata, **to_plain(built.net_), **describe_routing(network)}


class NetworkWriter:
    """Describes what networks, and other estimators of ours, there are in a whole."""

    table = OURS

    def describe(self, estimator, is_fitted):
        """Return a network as a tree of plain values, or None of all else."""
        is_network = isinstance(estimator, tuple(NETWORKS.values()))
        return describe_network(estimator, is_fitted) if is_network else None


class NetworkReader:
    """Restores networks of a file, with what the caller gives for parameters in it.

    Parameters
    ----------
    path : str or PathLike
        The file, for messages.
    parameters : dict
        As ``set_params`` of what the file holds would take them.

    Attributes
    ----------
    unused : dict
        Parameters of others than the networks that have been restored.
    """

    table = OURS

    def __init__(self, path, parameters):
        self.path = path
        self.parameters = parameters
        self.unused = dict(parameters)
        self._lost = []

    def restore(self, saved, names=(), is_fitted=True):
        """Return the network that a tree describes.

        Parameters
        ----------
        saved : dict
            From :func:`describe_network`.
        names : tuple of str, default=()
            Where it is in the whole.
        is_fitted : bool, default=True
            Or one that others are cloned from, of which parameters are known alone.
        """
        prefix = "".join(f"{name}__" for name in names)
        given = self._take(prefix)
        metadata = saved["estimator"]
        kind = NETWORKS[metadata.get("kind", DANNClassifier._kind)]
        written = kind._of_old_versions | metadata["parameters"]
        written = {k: v for k, v in written.items() if k not in given}
        of_code = {name: value for name, value in written.items() if needs_code(value)}
        self._check_parts_given(of_code, prefix)
        for name in (*of_code, "checkpoint"):
            written.pop(name, None)
        try:
            network = kind().set_params(**given)
        except ValueError as error:
            raise CallersError from error
        network.set_params(**written)
        network._validate_params()
        if is_fitted:
            if "optimizer" in of_code:  # the state is of another than the default
                saved["net"]["optimizer"] = None
            _restore_fitted(network, saved)
        restore_routing(network, saved)
        known = set(of_code) & set(network.get_params())
        self._lost += [prefix + name for name in sorted(known)]
        return network

    def warn_of_lost_code(self):
        """Warn if the default has taken the place of code."""
        if self._lost:
            warn(
                f"{self.path} can't hold the code of {', '.join(self._lost)}; the "
                f"default is in its place. To train on, give it: load(path, "
                f"{self._lost[0]}=...)."
            )

    def _take(self, prefix):
        """Return the parameters of a network by the names that it has for them."""
        own = {}
        for name, value in self.parameters.items():
            own_name = name.removeprefix(prefix)
            if name.startswith(prefix) and "__" not in own_name:
                own[own_name] = value
                self.unused.pop(
                    name, None
                )  # a candidate is there twice: as it was, too
        return own

    def _check_parts_given(self, of_code, prefix):
        for name in PARTS:
            if name in of_code:
                [code] = of_code[name].values()
                raise CallersError from ValueError(
                    f"{self.path} holds the weights of {name}, but not its code, which "
                    f"was {code}. Give it: load(path, {prefix}{name}=...)."
                )


def _restore_fitted(network, saved):
    metadata = saved["estimator"]
    row_shape = check_row_shape(metadata["row_shape"])
    names = check_names(metadata["feature_names"], row_shape[0])
    network._read_description(metadata)
    if "groups" in metadata:
        network._group_names = check_group_names(metadata["groups"])
    network._restore_fitted(saved, row_shape, names)
