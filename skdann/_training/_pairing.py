"""Pairing of domains: endless shuffled streams of rows become one batch a step."""

import itertools
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from .._domains import take_rows


class BatchLabels(NamedTuple):
    """What is known of the rows of a batch, which come as source | labelled | target.

    Attributes
    ----------
    codes : Tensor of shape (n_labelled,), int64
        Classes of the first rows: the source, then the labelled target rows.
    label_weight : Tensor of shape (n_labelled,) or None
        Weights of these rows in the label loss.
    source_weight : Tensor of shape (n_source,) or None
        Weights of the source rows in the domain loss.
    n_source, n_target : int
        Number of source rows, first in the batch, and of target rows, last in it.
    """

    codes: Tensor
    label_weight: Tensor | None
    source_weight: Tensor | None
    n_source: int
    n_target: int


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
        self.domains = domains
        self.half = batch_size // 2
        self.dtype = dtype
        self.device = device
        self.rngs = rngs

    def __len__(self) -> int:
        """Count the steps in which each row of the larger domain comes once."""
        n_source = len(self.domains.rows)
        n_target = 0 if self.domains.X_tgt is None else self.domains.X_tgt.shape[0]
        return -(-max(n_source, n_target) // self.half)

    def __iter__(self) -> Iterator[tuple[Tensor, BatchLabels]]:
        d, dtype = self.domains, self.dtype
        source = self._stream(
            d.rows,
            self.rngs[0],
            (d.X, dtype),
            (d.y, np.int64),
            (d.label_weight, dtype),
            (d.row_weight, dtype),
        )
        labelled = self._stream(
            d.labelled_rows_tgt,
            self.rngs[1],
            (d.X_tgt, dtype),
            (d.y_tgt, np.int64),
            (d.label_weight_tgt, dtype),
        )
        rows_tgt = np.arange(0 if d.X_tgt is None else d.X_tgt.shape[0])
        target = self._stream(rows_tgt, self.rngs[2], (d.X_tgt, dtype))
        for _ in range(len(self)):
            yield _assemble(next(source), next(labelled), next(target))

    def _stream(self, rows, rng, *columns):
        """Endless batches of ``rows`` as tensors; of None where there are no rows."""
        if len(rows) == 0:
            return itertools.repeat(None)
        if len(rows) <= self.half:
            return itertools.repeat(self._take(rows, columns))
        batches = shuffled_stream(rows, self.half, rng)
        return (self._take(index, columns) for index in batches)

    def _take(self, index, columns):
        return tuple(
            None if column is None else to_tensor(column, index, dtype, self.device)
            for column, dtype in columns
        )


def shuffled_stream(
    rows: np.ndarray, size: int, rng: np.random.Generator
) -> Iterator[np.ndarray]:
    """Yield batches of exactly ``size`` rows, reshuffling after each pass."""
    left = rng.permutation(rows)
    while True:
        while len(left) < size:  # a pass may end in the middle of a batch
            left = np.concatenate([left, rng.permutation(rows)])
        yield left[:size]
        left = left[size:]


def to_tensor(X, index, dtype: np.dtype, device: torch.device) -> Tensor:
    """Rows ``index`` of an array or sparse matrix, dense, as a tensor of their own."""
    rows = take_rows(X, index)
    # torch warns of arrays that it must not write to, such as read-only memory maps
    rows = rows.astype(dtype, copy=not rows.flags.writeable)
    return torch.from_numpy(rows).to(device)


def _assemble(source, labelled, target):
    rows, codes, label_weight, source_weight = source
    parts = [rows]
    if labelled is not None:
        labelled_rows, labelled_codes, labelled_weight = labelled
        parts.append(labelled_rows)
        codes = torch.cat([codes, labelled_codes])
        label_weight = _join_weights(label_weight, labelled_weight, len(labelled_codes))
    n_target = 0
    if target is not None:
        parts.append(target[0])
        n_target = len(target[0])
    X = torch.cat(parts) if len(parts) > 1 else rows
    return X, BatchLabels(codes, label_weight, source_weight, len(rows), n_target)


def _join_weights(weight, labelled_weight, n_labelled):
    if weight is None:
        return None
    if labelled_weight is None:  # sample_weight is of the source; these count once
        labelled_weight = weight.new_ones(n_labelled)
    return torch.cat([weight, labelled_weight])
