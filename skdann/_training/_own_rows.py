"""Which rows of a batch a rank has, and the logits of all of them."""

from collections.abc import Iterator, Sequence
from functools import partial

import torch
from torch import Tensor

from ..nn._dense import Call, DenseLayer
from ._ranks import Ranks


class OwnRows:
    """The rows of a batch that this rank passes through the network.

    What a rank has of source, labelled target and target is every ``size``-th row.
    Labels, weights and domains of all rows it knows: they are numbers. So once logits
    have been exchanged each rank computes the losses of the whole batch, to the bit the
    same as the others, and decides as they do.

    Parameters
    ----------
    ranks : Ranks
        Who shares the batch.
    sizes : sequence of int
        Rows of source, labelled target and target of all ranks.
    device : torch.device
        Where the network is.
    """

    def __init__(self, ranks: Ranks, sizes: Sequence[int], device):
        self.ranks = ranks
        self.n_rows, self.n_all_labelled = sum(sizes), sum(sizes[:2])
        parts = torch.arange(self.n_rows).split(list(sizes))
        own = [self.of(part) for part in parts]
        #: of each own row its place in the batch
        self.places = torch.cat(own).to(device)
        self.n_labelled = len(own[0]) + len(own[1])
        if max(sizes) < ranks.size:
            raise ValueError(
                f"A batch has {sizes[0]} rows of the source and {sizes[2]} of the "
                f"target: not one for each of {ranks.size} ranks. Start fewer, or "
                "raise batch_size."
            )

    def of(self, rows):
        """Return this rank's of the rows of one domain, along the last axis."""
        return rows[..., self.ranks.rank :: self.ranks.size]

    def count(self, part: str, reads_all_labels: bool) -> int:
        """Return how many rows of all ranks come to a part of the network.

        Parameters
        ----------
        part : str
            One of ``PARTS``.
        reads_all_labels : bool
            Whether labels are predicted for rows without a label, too.
        """
        is_of_labelled = part == "label_classifier" and not reads_all_labels
        return self.n_all_labelled if is_of_labelled else self.n_rows

    def places_of(self, n_rows: int) -> Tensor:
        """Return places among all rows of a batch, or among the first, labelled."""
        return self.places if n_rows == self.n_rows else self.places[: self.n_labelled]

    def to_all(self, logits: Tensor, n_rows: int, axis: int) -> Tensor:
        """Return the logits of all ranks' rows, with a gradient for those of this one.

        Parameters
        ----------
        logits : Tensor
            Of own rows.
        n_rows : int
            How many all ranks have: those of the batch, or the labelled ones.
        axis : int
            That of rows.
        """
        return _ToAll.apply(logits, self.places_of(n_rows), n_rows, axis, self.ranks)


class _ToAll(torch.autograd.Function):
    """Logits of all ranks; all compute the same of them, so the gradient is there."""

    @staticmethod
    def forward(ctx, logits, places, n_rows, axis, ranks):
        ctx.places, ctx.axis = places, axis
        shape = list(logits.shape)
        shape[axis] = n_rows
        of_all = logits.new_zeros(shape).index_copy_(axis, places, logits)
        ranks.add_up(of_all)
        return of_all

    @staticmethod
    def backward(ctx, gradient):
        return gradient.index_select(ctx.axis, ctx.places), None, None, None, None


class Logits:
    """Logits of one process: where the last layers leave them.

    Parameters
    ----------
    layers : sequence of DenseLayer
        The last of each classifier.

    Attributes
    ----------
    h, g : list of Tensor
        Logits of all rows of the batch, and where the gradients of losses go.
    """

    def __init__(self, layers: Sequence[DenseLayer]):
        self.layers = layers
        self.h = [layer.h for layer in layers]
        self.g = [layer.g for layer in layers]

    def exchange(self) -> Iterator[Call]:
        """Yield the calls after which ``h`` is of all rows."""
        yield from ()

    def hand_back(self, i: int) -> Iterator[Call]:
        """Yield the calls that bring ``g[i]`` to the i-th layer."""
        yield from ()


class LogitsOfRanks(Logits):
    """Logits of all ranks, exchanged in one message.

    Parameters
    ----------
    layers : sequence of DenseLayer
        The last of each classifier.
    own : OwnRows
        What this rank has of a batch.
    n_rows : sequence of int
        For each layer, the number of rows of all ranks.
    """

    def __init__(
        self, layers: Sequence[DenseLayer], own: OwnRows, n_rows: Sequence[int]
    ):
        self.layers, self.own = layers, own
        sizes = zip(layers, n_rows, strict=True)
        shapes = [(len(layer.h), n, layer.h.shape[-1]) for layer, n in sizes]
        like = layers[0].h
        self.message = like.new_zeros(sum(map(_size, shapes)))
        parts = self.message.split([_size(shape) for shape in shapes])
        self.h = [part.view(s) for part, s in zip(parts, shapes, strict=True)]
        self.g = [torch.zeros_like(h) for h in self.h]
        self.places = [own.places_of(n) for n in n_rows]

    def exchange(self) -> Iterator[Call]:
        """Yield the calls after which ``h`` is of all rows."""
        yield self.message.zero_
        for layer, h, places in zip(self.layers, self.h, self.places, strict=True):
            yield partial(h.index_copy_, 1, places, layer.h)
        yield partial(self.own.ranks.add_up, self.message)

    def hand_back(self, i: int) -> Iterator[Call]:
        """Yield the calls that bring ``g[i]`` to the i-th layer."""
        g, places = self.g[i], self.places[i]
        yield partial(torch.index_select, g, 1, places, out=self.layers[i].g)


def _size(shape):
    return torch.Size(shape).numel()


def add_up_gradients(ranks: Ranks, weights: Sequence[Tensor]) -> None:
    """Replace the gradients of weights by their sums over all ranks, in one message."""
    grads = [weight.grad for weight in weights if weight.grad is not None]
    message = torch.cat([grad.flatten() for grad in grads])
    ranks.add_up(message)
    for grad, part in zip(
        grads, message.split([grad.numel() for grad in grads]), strict=True
    ):
        grad.copy_(part.view_as(grad))
