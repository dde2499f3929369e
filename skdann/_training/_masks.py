"""Masks of dropout: those that layers would draw, for several steps at once."""

import itertools
from collections.abc import Sequence
from functools import partial

import torch

from ..nn._dense import Call, DenseLayer
from ..nn._mlp import Dropout, draw_bits, keep_mask
from ._own_rows import OwnRows
from ._runs import runs

# Values that are drawn at once, of all layers of the networks that draw together: about
# as many as stay in the cache of a core.
MOST_VALUES = 2**18
MOST_STEPS = 16


class Masks:
    """Masks of the layers of networks of one architecture.

    Parameters
    ----------
    layers : sequence of DenseLayer
        Those with dropout, in the order in which they draw. They are given their masks.
    dropouts : sequence of sequence of Dropout
        Of each network, or ensemble of networks: what it has in these layers, each with
        its probability and its generator. Neighbors that share a generator draw once.
    n_steps : int
        The most steps of an epoch.
    own : OwnRows or None, default=None
        If ranks share a batch, what this one has of it: masks are drawn for all rows.
    n_rows : sequence of int, default=()
        Then for each layer, the number of rows of all ranks.
    """

    def __init__(
        self,
        layers: Sequence[DenseLayer],
        dropouts: Sequence[Sequence[Dropout]],
        n_steps: int,
        own: OwnRows | None = None,
        n_rows: Sequence[int] = (),
    ):
        self.dropouts = dropouts
        n = len(layers[0].h) // len(dropouts)
        n_rows = n_rows if own else [layer.h.shape[1] for layer in layers]
        widths = [layer.h.shape[-1] for layer in layers]
        shapes = [(n, *sizes) for sizes in zip(n_rows, widths, strict=True)]
        # a layer's draws begin with a draw of its own, of which each yields four values
        sizes = [-(-torch.Size(shape).numel() // 4) * 4 for shape in shapes]
        n_held = max(1, min(n_steps, MOST_STEPS, MOST_VALUES // sum(sizes)))
        self.drawers = runs([id(of[0].generator) for of in dropouts])
        empty = layers[0].h.new_empty
        # on a device a generator's draws depend on how many are asked for at once
        self.draws_at_once = layers[0].h.is_cpu
        self.sizes_of_draws = [size // 4 for size in sizes]
        self.draws = [
            empty(n_held, sum(sizes) // 4, dtype=torch.int64) for _ in self.drawers
        ]
        self.calls: list[list[Call]] = [[] for _ in range(n_held)]
        for draws, (first, last) in zip(self.draws, self.drawers, strict=True):
            of_drawer = [[d.p for d in of] for of in dropouts[first:last]]
            for start, stop in runs(of_drawer):
                mask = empty(sum(sizes))
                networks = slice(n * (first + start), n * (first + stop))
                of_layers = zip(layers, shapes, mask.split(sizes), strict=True)
                picks: list[Call] = []
                for layer, shape, values in of_layers:
                    of_layer = values[: torch.Size(shape).numel()].view(shape)
                    if own:
                        picks.append(_pick(of_layer, own.places_of(shape[1])))
                        of_layer = picks[-1].keywords["out"]
                    _give(layer, networks, of_layer)
                self._note(draws.view(torch.int16), sizes, of_drawer[start], mask)
                for calls in self.calls:
                    calls += picks

    def _note(self, draws, sizes, p, mask):
        """Note the calls that make a mask of the draws of each step."""
        if len(set(p)) == 1:  # then layers need not be told apart
            sizes, p = [len(mask)], p[:1]
        for calls, of_step in zip(self.calls, draws, strict=True):
            for values, p_of_layer, out in zip(
                of_step.split(sizes), p, mask.split(sizes), strict=True
            ):
                calls.append(partial(keep_mask, values, p_of_layer, out=out))

    def restart(self, n_steps: int) -> None:
        """Begin an epoch, of so many steps, for which generators have been seeded."""
        self.n_left = n_steps
        self.n_drawn = self.position = 0

    def next(self) -> None:
        """Bring the masks of the next step into the layers."""
        if self.position == self.n_drawn:
            self._draw()
        for call in self.calls[self.position]:
            call()
        self.position += 1

    def _draw(self):
        """Draw for as many steps as are held, or as are left."""
        self.n_drawn, self.position = min(len(self.calls), self.n_left), 0
        self.n_left -= self.n_drawn
        for draws, (first, _) in zip(self.draws, self.drawers, strict=True):
            generator = self.dropouts[first][0].generator
            for part in self._parts(draws[: self.n_drawn]):
                draw_bits(part, generator)

    def _parts(self, draws):
        """Return what is to be drawn at once: all, or of each step each layer."""
        if self.draws_at_once:
            return [draws]
        of_layers = (of_step.split(self.sizes_of_draws) for of_step in draws)
        return list(itertools.chain.from_iterable(of_layers))


def _pick(mask, places):
    """Return the call that takes the rows of this rank out of the mask of all."""
    own = mask.new_empty(mask.shape[0], len(places), mask.shape[2])
    return partial(torch.index_select, mask, 1, places, out=own)


def _give(layer, networks, mask):
    """Give a layer the mask of some of its networks, as many at a time as it has."""
    arrays = (
        x[networks].unflatten(0, (-1, len(mask))) for x in (layer.a, layer.h, layer.g)
    )
    layer.masks.append((mask, *arrays))
