"""Pairing of domains: endless shuffled streams of rows become one batch a step."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from .._data._rows import take_rows


class BatchLabels(NamedTuple):
    """What is known of the rows of a batch, which come as source | labelled | target.

    Attributes
    ----------
    codes : Tensor of shape (n_labelled,), int64
        Classes of the first rows: the source, then the labelled target rows.
    label_weight : Tensor of shape (n_labelled,) or None
        Weights of these rows in the label loss; None weighs all alike.
    is_target : Tensor of shape (n,) or None
        Domain of each row, 0 or 1; None if there is no target.
    domain_weight : Tensor of shape (n,) or None
        Share of each row in the domain loss; labelled rows, which come twice, have 0.
    """

    codes: Tensor
    label_weight: Tensor | None
    is_target: Tensor | None
    domain_weight: Tensor | None


class PairedBatches:
    """An epoch of batches, half source and half target; iterate again for the next.

    A domain with fewer rows than half a batch gives all of them at each step. Target
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
    rngs : sequence of three numpy.random.Generator
        They shuffle source, labelled target and target rows: one each, so that the
        order of the source does not depend on whether there is a target.
    """

    def __init__(self, domains, *, batch_size, dtype, device, rngs):
        self.domains = d = domains
        self.half = batch_size // 2
        self.dtype = dtype
        self.device = device
        self.rngs = rngs
        n_target = 0 if d.X_tgt is None else d.X_tgt.shape[0]
        self.rows = d.rows, d.labelled_rows_tgt, np.arange(n_target)
        self.domain_columns = self._make_domain_columns()

    def __len__(self) -> int:
        """Count the steps in which each row of the larger domain comes once."""
        source, _, target = self.rows
        return -(-max(len(source), len(target)) // self.half)

    def __iter__(self) -> Iterator[tuple[Tensor, BatchLabels]]:
        source, labelled, target = (
            shuffled_stream(rows, self.half, rng)
            for rows, rng in zip(self.rows, self.rngs, strict=True)
        )
        for _ in range(len(self)):
            yield self._assemble(next(source), next(labelled), next(target))

    def _assemble(self, source, labelled, target):
        d, dtype = self.domains, self.dtype
        rows = [(d.X, source), (d.X_tgt, labelled), (d.X_tgt, target)]
        codes = [(d.y, source), (d.y_tgt, labelled)]
        label_weight = None
        if d.label_weight is not None:
            weights = [(d.label_weight, source), (d.label_weight_tgt, labelled)]
            label_weight = self._gather(weights, dtype)
        is_target, domain_weight = self.domain_columns
        if is_target is not None and d.row_weight is not None:
            weight = self._gather([(d.row_weight, source)], dtype)
            domain_weight = domain_weight.clone()
            domain_weight[: len(source)] *= weight
        return self._gather(rows, dtype), BatchLabels(
            self._gather(codes, np.int64), label_weight, is_target, domain_weight
        )

    def _gather(self, parts, dtype):
        """Join rows of several arrays into a tensor of their own."""
        taken = [take_rows(data, rows) for data, rows in parts if len(rows)]
        with _no_overflow(dtype):
            joined = np.concatenate(taken, dtype=dtype)
        return torch.from_numpy(joined).to(self.device)

    def _make_domain_columns(self):
        """Return ``is_target`` and ``domain_weight`` of source rows of equal weight."""
        sizes = [min(len(rows), self.half) for rows in self.rows]
        n_source, _, n_target = sizes
        if n_target == 0:
            return None, None
        columns = [0, 0, 1], [0.5 / n_source, 0, 0.5 / n_target]
        return tuple(
            torch.from_numpy(np.repeat(column, sizes).astype(self.dtype)).to(
                self.device
            )
            for column in columns
        )


def shuffled_stream(
    rows: np.ndarray, size: int, rng: np.random.Generator
) -> Iterator[np.ndarray]:
    """Yield batches of ``size`` rows, reshuffling after each pass.

    If there are no more rows than that, each batch is all of them, in their order.
    """
    if len(rows) <= size:
        yield from itertools.repeat(rows)
    left = rng.permutation(rows)
    while True:
        while len(left) < size:  # a pass may end in the middle of a batch
            left = np.concatenate([left, rng.permutation(rows)])
        yield left[:size]
        left = left[size:]


def to_tensor(X, index, dtype: np.dtype, device: torch.device) -> Tensor:
    """Rows ``index`` of an array or sparse matrix, dense, as a tensor of their own."""
    rows = take_rows(X, index)
    # torch warns of arrays that it must not write to, such as read-only memory maps,
    # and refuses those that run backwards
    must_copy = not rows.flags.writeable or min(rows.strides) < 0
    with _no_overflow(dtype):
        rows = rows.astype(dtype, copy=must_copy)
    return torch.from_numpy(rows).to(device)


@contextmanager
def _no_overflow(dtype):
    """Refuse rows that are too large for the dtype of the network."""
    try:
        with np.errstate(over="raise"):
            yield
    except FloatingPointError as error:
        raise ValueError(
            f"Some rows hold values too large for {np.dtype(dtype).name}, in which the "
            "network computes since X of fit has that dtype. Scale the rows, for "
            "example with StandardScaler, or fit on float64."
        ) from error
