"""The first layer over sparse rows: products that pass over their zeros."""

from collections.abc import Iterator, Sequence
from functools import partial

import torch
from scipy import sparse
from torch import Tensor

from ._dense import Call, DenseLayer


class SparseLayer(DenseLayer):
    """A layer whose rows are sparse matrices; on the CPU.

    Weights have to lie with the axis of columns before that of units: a row then adds
    up the weights of its columns, each of them a stretch of memory.

    Parameters are those of :class:`DenseLayer`.
    """

    def forward(
        self, inputs: Sequence[tuple[list[sparse.csr_matrix], int, int]]
    ) -> Iterator[Call]:
        """Yield the calls that compute h.

        Parameters
        ----------
        inputs : sequence of (list of csr_matrix, int, int)
            A list of rows, the position in it of those that are wanted, and which
            network reads them. The lists are the same at each step, their items not.
        """
        self.inputs = inputs
        for rows, i, network in inputs:
            weight = self.weight[network].T.numpy()
            yield partial(_multiply, rows, i, weight, self.z[network])
        yield partial(torch.add, self.z, self.bias, out=self.z)
        yield from self._after_product()

    def _of_weight(self) -> Iterator[Call]:
        for rows, i, network in self.inputs:
            g, out = self.g[network].numpy(), self.weight_grad[network].T
            yield partial(_multiply_transposed, rows, i, g, out)


def _multiply(rows, i, weight, out: Tensor):
    out.copy_(torch.from_numpy(rows[i] @ weight))


def _multiply_transposed(rows, i, g, out: Tensor):
    out.copy_(torch.from_numpy(rows[i].T @ g))
