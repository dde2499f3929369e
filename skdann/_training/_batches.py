"""Pairing of domains: endless shuffled streams of rows become one batch a step."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from .._data._rows import take_rows
from .._data._weights import domain_loss_weights
from ..nn._standardizer import SOURCE, TARGET
from ._own_rows import OwnRows
from ._ranks import Ranks
from ._shuffle import index_dtype, shuffled_stream


@dataclass(slots=True)
class Batch:
    """Rows of a step, in the order source | labelled target | target.

    The dots are the networks of an ensemble, and before them those of a stack, see
    :mod:`skdann._training._stacking`.

    Attributes
    ----------
    X : Tensor of shape (..., n, *row_shape)
        The rows. For an engine that reads sparse rows a list of CSR matrices, one for
        each network of an ensemble.
    y : Tensor of shape (..., n_labelled), int64, or (..., n_labelled, n_outputs)
        Of the first rows, the source and then the labelled target rows, the codes of
        their classes, or numbers.
    label_weight : Tensor of shape (..., n_labelled) or None
        Weights of these rows in the label loss; None weighs all alike.
    domain : Tensor of shape (..., n), int64, or None
        Code of each row's domain, ``SOURCE`` or ``TARGET``; None without a target.
    domain_weight : Tensor of shape (..., n) or None
        Weight of each row in the domain loss. Labelled target rows, which come twice,
        have 0 the first time.
    weighs_target : bool
        Whether the rows of the target differ in these weights.
    shares_rows : bool
        Whether the rows of all batches lie in the same memory, one after the other.
    group : Tensor of shape (..., n), int64, or None
        Position of each row's group among the outputs of the domain classifier; None if
        that has one output, for source and target.
    own : OwnRows or None
        If ranks share the batch, which of its rows ``X`` are; the rest is of all rows.
    """

    X: Tensor
    y: Tensor
    label_weight: Tensor | None
    domain: Tensor | None
    domain_weight: Tensor | None
    weighs_target: bool = False
    shares_rows: bool = False
    group: Tensor | None = None
    own: OwnRows | None = None

    def __iter__(self):
        """Yield X and y, as skorch's callbacks expect of a batch."""
        yield from (self.X, self.y)

    def __len__(self) -> int:
        return self.X.shape[self._row_axis]

    @property
    def has_numbers(self) -> bool:
        """Whether numbers are learned, not classes."""
        return self.y.is_floating_point()

    @property
    def n_labelled(self) -> int:
        """Number of the first rows whose labels are known."""
        return self.y.shape[self._row_axis]

    @property
    def n_labelled_here(self) -> int:
        """Number of the first rows of ``X`` whose labels are known."""
        return self.n_labelled if self.own is None else self.own.n_labelled

    @property
    def domain_here(self) -> Tensor | None:
        """Code of the domain of each row of ``X``."""
        if self.own is None or self.domain is None:
            return self.domain
        return self.domain.index_select(-1, self.own.places)

    @property
    def _row_axis(self):
        return self.y.ndim - 1 - self.has_numbers


class PairedBatches:
    """An epoch of batches, half source and half target; iterate again for the next.

    If a domain has fewer rows than half a batch, each step uses all of them. Target
    rows with a known label come once as target and once more, in a stream of their
    own, beside the source: each step sees all of them or half a batch.

    Parameters
    ----------
    domains : Domains
        The data.
    batch_size : int
        Rows per step, both domains together.
    dtype : numpy.dtype
        Of the rows and weights handed out.
    device : str or torch.device
        Where batches are wanted.
    reuses_rows : bool, default=False
        Whether the rows of a batch are overwritten by those of the next.
    keeps_sparse : bool, default=False
        Whether rows stay sparse, see :func:`are_sparse`.
    rngs : sequence of numpy.random.Generator
        They shuffle source, labelled target and target rows: one each, so that the
        order of the source does not depend on whether there is a target. Three for
        each network: those of an ensemble see rows in orders of their own.
    ranks : Ranks or None, default=None
        Who shares the rows of each batch; all have the same order.
    """

    def __init__(
        self,
        domains,
        *,
        batch_size,
        dtype,
        device,
        rngs,
        reuses_rows=False,
        keeps_sparse=False,
        ranks: Ranks | None = None,
    ):
        self.domains = d = domains
        self.half = batch_size // 2
        self.n_steps = count_steps(domains, batch_size)
        self.dtype = dtype
        self.device = device
        self.rngs = rngs
        self.reuses_rows, self.keeps_sparse = reuses_rows, keeps_sparse
        self.memory = None
        self.is_of_ensemble = len(rngs) > 3
        self.source_weight, self.target_weight = domain_loss_weights(domains)
        target = np.arange(d.n_target, dtype=index_dtype(d.n_target))
        self.rows = d.rows, d.labelled_rows_tgt, target
        self.torch_dtype = torch.from_numpy(np.empty(0, dtype)).dtype
        self.sizes = [min(len(rows), self.half) for rows in self.rows]
        self.domain, self.domain_weight = self._make_domain_columns()
        self.own = None if ranks is None else OwnRows(ranks, self.sizes, device)

    def __len__(self) -> int:
        return self.n_steps

    def __iter__(self) -> Iterator[Batch]:
        streams = [
            [shuffled_stream(rows, self.half, rng) for rng in self.rngs[i::3]]
            for i, rows in enumerate(self.rows)
        ]
        for _ in range(self.n_steps):
            yield self._assemble(*(self._next(networks) for networks in streams))

    @staticmethod
    def _next(streams):
        """Return the next rows, of an ensemble those of each network."""
        rows = [next(stream) for stream in streams]
        return rows[0] if len(rows) == 1 else np.stack(rows)

    def _assemble(self, source, labelled, target):
        d, dtype = self.domains, self.dtype
        rows = [(d.X, source), (d.X_tgt, labelled), (d.X_tgt, target)]
        codes = [(d.y, source), (d.y_tgt, labelled)]
        label_weight, domain, weight = None, self.domain, self.domain_weight
        group = None
        if d.label_weight is not None:
            weights = [(d.label_weight, source), (d.label_weight_tgt, labelled)]
            label_weight = self._gather(weights, dtype)
        if domain is not None and d.groups is not None:
            of_target = [(d.groups_tgt, labelled), (d.groups_tgt, target)]
            group = self._gather([(d.groups, source), *of_target], d.groups.dtype)
        given = self.source_weight, self.target_weight
        if domain is not None and any(w is not None for w in given):
            weight = weight.clone()
            n_source, n_target = source.shape[-1], target.shape[-1]
            self._weigh(weight[..., :n_source], self.source_weight, source)
            self._weigh(weight[..., -n_target:], self.target_weight, target)
        return Batch(
            self._gather_rows(rows),
            self._gather(codes, d.y.dtype),
            label_weight,
            domain,
            weight,
            self.target_weight is not None,
            self.memory is not None,
            group,
            self.own,
        )

    def _weigh(self, weight, row_weight, rows):
        if row_weight is not None:
            weight *= self._gather([(row_weight, rows)], self.dtype)

    def _gather_rows(self, parts):
        """Join rows of source and target, if possible without a copy in between."""
        if self.own is not None:
            parts = [(data, self.own.of(rows)) for data, rows in parts]
        parts = [(data, rows) for data, rows in parts if rows.size]
        if self.keeps_sparse:
            return [
                sparse.vstack([data[rows[i]] for data, rows in parts], format="csr")
                for i in np.ndindex(parts[0][1].shape[:-1])
            ]
        if not all(_is_plain(data, self.dtype) for data, _ in parts):
            return self._gather(parts, self.dtype)
        memory = self.memory or _RowMemory(parts, self.torch_dtype)
        self.memory = memory if self.reuses_rows else None
        memory.fill(parts)
        return memory.rows.to(self.device)

    def _gather(self, parts, dtype):
        """Join rows of several arrays into a tensor of their own."""
        parts = [(data, rows) for data, rows in parts if rows.size]
        if len(parts) == 1 and _is_plain(parts[0][0], dtype):
            data, rows = parts[0]
            return torch.from_numpy(data.take(rows, axis=0)).to(self.device)
        taken = [_take(data, rows) for data, rows in parts]
        with _no_overflow(dtype, taken):
            joined = np.concatenate(taken, axis=parts[0][1].ndim - 1, dtype=dtype)
        return torch.from_numpy(joined).to(self.device)

    def _make_domain_columns(self):
        """Return domain codes and weights of a batch of source rows of equal weight."""
        n_source, _, n_target = self.sizes
        if n_target == 0:
            return None, None
        domain = np.repeat([SOURCE, TARGET, TARGET], self.sizes)
        weight = np.repeat([0.5 / n_source, 0, 0.5 / n_target], self.sizes)
        networks = (len(self.rngs) // 3,) if self.is_of_ensemble else ()
        return tuple(
            torch.from_numpy(column).to(self.device).expand(*networks, -1)
            for column in (domain, weight.astype(self.dtype))
        )


class _RowMemory:
    """Memory for the rows of a batch.

    Parameters
    ----------
    parts : sequence of (ndarray, ndarray of int)
        Data and the rows that are taken of them, of an ensemble (n_networks, n).
    dtype : torch.dtype
        Of the data.
    """

    def __init__(self, parts, dtype):
        sizes = [rows.shape[-1] for _, rows in parts]
        (data, rows), *_ = parts
        networks = rows.shape[:-1]
        shape = *networks, sum(sizes), *data.shape[1:]
        self.rows = torch.empty(shape, dtype=dtype)
        array, edges = self.rows.numpy(), np.cumsum(sizes)[:-1]
        #: of each network, where the rows of each part go
        self.places = [(i, np.split(array[i], edges)) for i in np.ndindex(*networks)]

    def fill(self, parts):
        """Take other rows of the same data."""
        for i, places in self.places:
            for (data, rows), place in zip(parts, places, strict=True):
                take_rows(data, rows[i], out=place)


def _is_plain(data, dtype):
    """Whether rows can be taken as they are.

    Of what is not contiguous, as frames of pandas are, ``take`` copies the whole first.
    """
    is_array = isinstance(data, np.ndarray) and data.flags.c_contiguous
    return is_array and data.dtype == dtype


def are_sparse(domains, dtype) -> bool:
    """Whether all rows are sparse, and need no other dtype."""
    given = [X for X in (domains.X, domains.X_tgt) if X is not None]
    return all(sparse.issparse(X) and X.dtype == dtype for X in given)


def _take(data, rows):
    """Return rows of an array: of shape (n, ...), or (n_networks, n, ...)."""
    if rows.ndim == 1:
        return take_rows(data, rows)
    return take_rows(data, rows.ravel()).reshape(*rows.shape, *data.shape[1:])


def count_steps(domains, batch_size: int) -> int:
    """Count the steps of an epoch: each row of the larger domain comes once."""
    return -(-max(len(domains.rows), domains.n_target) // (batch_size // 2))


def to_tensor(X, index, dtype: np.dtype, device: torch.device) -> Tensor:
    """Rows ``index`` of an array or sparse matrix, dense, as a tensor of their own."""
    rows = take_rows(X, index)
    # torch warns of arrays that it must not write to, such as read-only memory maps,
    # and refuses those that run backwards
    must_copy = not rows.flags.writeable or min(rows.strides) < 0
    with _no_overflow(dtype, [rows]):
        rows = rows.astype(dtype, copy=must_copy)
    return torch.from_numpy(rows).to(device)


@contextmanager
def _no_overflow(dtype, arrays):
    """Refuse rows that are too large for the dtype of the network."""
    dtype = np.dtype(dtype)
    if not any(a.dtype.kind == "f" and a.itemsize > dtype.itemsize for a in arrays):
        yield  # at each step: it costs less, and leaves numpy's settings alone
        return
    try:
        with np.errstate(over="raise"):
            yield
    except FloatingPointError as error:
        raise ValueError(
            f"Some rows hold values too large for {dtype.name}, in which the "
            "network computes since X of fit has that dtype. Scale the rows, for "
            "example with StandardScaler, or fit on float64."
        ) from error
