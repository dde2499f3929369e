r"""Dense layers of one network or of several, derived by hand, in memory of their own.

Autograd notes what it computes, asks for memory, and looks up the derivative of each
note on the way back. Of layers that are known beforehand all this can be done once: a
step becomes a list of calls on arrays that stay where they are. All arrays have an axis
of networks in front, which costs one network nothing:

.. math:: z = x W^\\top + b, \\quad a = \\varphi(z), \\quad h = m \\odot a

with the mask :math:`m` of dropout. With :math:`g_v` for the gradient of the loss with
respect to :math:`v`, the way back is

.. math:: g_z = \\varphi'(z) \\odot m \\odot g_h, \\quad
          g_W = g_z^\\top x, \\quad g_b = \\sum_i g_{z,i}, \\quad g_x = g_z W
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ._ensemble import EnsembleLinear
from ._mlp import ACTIVATIONS, Dropout

# One operation on arrays that stay where they are, whose values change.
Call = Callable[[], object]

_aten = torch.ops.aten


class Activation(NamedTuple):
    """An activation and its derivative, as torch computes both.

    Attributes
    ----------
    compute : callable
        From the values and the array to write to, which may be the same, to a call.
    derive : callable
        From the gradient, which is to be replaced, and what it reads, to a call.
    reads_result : bool
        Whether the derivative reads the result; else it reads the values.
    """

    compute: Callable[[Tensor, Tensor], Call]
    derive: Callable[[Tensor, Tensor], Call]
    reads_result: bool = True


def _derivative(operator, *constants):
    """Return what makes a call of an operator from a gradient and what it reads."""
    return lambda g, read: partial(operator, g, read, *constants, grad_input=g)


# By the names that parameters have; the constants are the defaults of torch's modules.
DERIVATIVES = {
    "relu": Activation(
        lambda z, out: partial(torch.clamp_min, z, 0, out=out),
        _derivative(_aten.threshold_backward.grad_input, 0),
    ),
    "leaky_relu": Activation(
        lambda z, out: partial(_aten.leaky_relu.out, z, 0.01, out=out),
        _derivative(_aten.leaky_relu_backward.grad_input, 0.01, True),
    ),
    "elu": Activation(
        lambda z, out: partial(_aten.elu.out, z, out=out),
        lambda g, a: partial(
            _aten.elu_backward.grad_input, g, 1.0, 1.0, 1.0, True, a, grad_input=g
        ),
    ),
    "gelu": Activation(
        lambda z, out: partial(_aten.gelu.out, z, out=out),
        _derivative(_aten.gelu_backward.grad_input),
        reads_result=False,
    ),
    "silu": Activation(
        lambda z, out: partial(_aten.silu.out, z, out=out),
        _derivative(_aten.silu_backward.grad_input),
        reads_result=False,
    ),
    "tanh": Activation(
        lambda z, out: partial(torch.tanh, z, out=out),
        _derivative(_aten.tanh_backward.grad_input),
    ),
    "sigmoid": Activation(
        lambda z, out: partial(torch.sigmoid, z, out=out),
        _derivative(_aten.sigmoid_backward.grad_input),
    ),
}


class LayerPlan(NamedTuple):
    """What a layer is made of: modules whose order is this.

    Attributes
    ----------
    linear : nn.Linear or EnsembleLinear
        Has a weight and a bias.
    activation : str or None
        Key of ``DERIVATIVES``.
    dropout : Dropout or None
        Behind the activation.
    """

    linear: nn.Module
    activation: str | None = None
    dropout: Dropout | None = None

    @property
    def n_out(self) -> int:
        """Width of the layer."""
        return self.linear.weight.shape[-2]


def plan_layers(module: nn.Module) -> list[LayerPlan] | None:
    """Return the dense layers that a module is made of; None if it is not.

    Parameters
    ----------
    module : nn.Module
        A linear layer, or several in an ``nn.Sequential``, each of them followed by an
        activation, by dropout, by both or by neither.
    """
    plans: list[LayerPlan] = []
    for part in _leaves(module):
        last = plans[-1] if plans else None
        if type(part) in (nn.Linear, EnsembleLinear) and part.bias is not None:
            plans.append(LayerPlan(part))
        elif last is None or last.dropout is not None:
            return None
        elif type(part) is Dropout:
            plans[-1] = last._replace(dropout=part if part.p else None)
        elif last.activation is None and _name(part):
            plans[-1] = last._replace(activation=_name(part))
        else:
            return None
    return plans or None


def _leaves(module: nn.Module) -> Iterator[nn.Module]:
    if type(module) is not nn.Sequential:
        yield module
        return
    for part in module:
        yield from _leaves(part)


def _name(part):
    """Return the name of an activation with torch's default settings, or None."""
    kinds = {kind: name for name, kind in ACTIVATIONS.items()}
    name = kinds.get(type(part))
    return name if name and repr(part) == repr(type(part)()) else None


class DenseLayer:
    """A layer of all networks, with every array that a step needs.

    Parameters
    ----------
    plan : LayerPlan
        Says what follows the linear part.
    weight, bias : Tensor of shape (n_networks, n_out, n_in) and (n_networks, n_out)
        What is trained.
    weight_grad, bias_grad : Tensor
        Where gradients are written to, of the same shapes.
    n_rows : int
        Rows of a step.

    Attributes
    ----------
    h : Tensor of shape (n_networks, n_rows, n_out)
        What the layer answers.
    g : Tensor of the same shape
        The gradient of the loss with respect to h; on the way back it becomes that with
        respect to z.
    masks : list of tuple of Tensor
        Masks of dropout, each with the parts of a, h and g that it is for.
    """

    def __init__(
        self,
        plan: LayerPlan,
        weight: Tensor,
        bias: Tensor,
        weight_grad: Tensor,
        bias_grad: Tensor,
        n_rows: int,
    ):
        self.weight, self.weight_grad = weight, weight_grad
        self.bias, self.bias_grad = bias.unsqueeze(1), bias_grad.unsqueeze(1)
        self.activation = DERIVATIVES.get(plan.activation or "")
        self.masks: list[tuple[Tensor, Tensor, Tensor, Tensor]] = []
        self.z = weight.new_empty(len(weight), n_rows, plan.n_out)
        # in one array whatever the way back can do without: the derivative of relu
        # finds its zeros behind the mask, too
        keeps_z = self.activation is not None and not self.activation.reads_result
        self.a = torch.empty_like(self.z) if keeps_z else self.z
        keeps_a = plan.dropout is not None and plan.activation not in (None, "relu")
        self.h = torch.empty_like(self.z) if keeps_a else self.a
        self.g = torch.empty_like(self.z)
        self.ones = weight.new_ones(len(weight), 1, n_rows)

    def forward(self, inputs: Sequence[tuple[Tensor, slice]]) -> Iterator[Call]:
        """Yield the calls that compute h.

        Parameters
        ----------
        inputs : sequence of (Tensor, slice)
            Rows of shape (..., n_rows, n_in), with the networks that read them.
        """
        self.inputs = inputs
        weight_t = self.weight.transpose(1, 2)
        for x, of in inputs:
            yield partial(torch.baddbmm, self.bias[of], x, weight_t[of], out=self.z[of])
        yield from self._after_product()

    def _after_product(self) -> Iterator[Call]:
        if self.activation is not None:
            yield self.activation.compute(self.z, self.a)
        for mask, a, h, _ in self.masks:
            yield partial(torch.mul, a, mask, out=h)

    def backward(self) -> Iterator[Call]:
        """Yield the calls from the gradient of h to those of z and of the weights."""
        for mask, _, _, g in self.masks:
            yield partial(torch.mul, g, mask, out=g)
        if self.activation is not None:
            reads_result = self.activation.reads_result
            yield self.activation.derive(self.g, self.a if reads_result else self.z)
        yield from self._of_weight()
        yield partial(torch.bmm, self.ones, self.g, out=self.bias_grad)

    def _of_weight(self) -> Iterator[Call]:
        g_t = self.g.transpose(1, 2)
        for x, of in self.inputs:
            yield partial(torch.bmm, g_t[of], x, out=self.weight_grad[of])


ALL = slice(None)


def forward(
    layers: Sequence[DenseLayer], inputs: Sequence[tuple[Tensor, slice]]
) -> Iterator[Call]:
    """Yield the calls that pass rows through layers, one after the other."""
    for layer in layers:
        yield from layer.forward(inputs)
        inputs = [(layer.h, ALL)]


def backward(layers: Sequence[DenseLayer], out: Tensor | None = None) -> Iterator[Call]:
    """Yield the calls from the gradient of the last layer's h to those of all weights.

    Parameters
    ----------
    layers : sequence of DenseLayer
        In the order of ``forward``.
    out : Tensor or None, default=None
        Where the gradient of the first layer's input is written to, if it is wanted.
    """
    for i in reversed(range(len(layers))):
        yield from layers[i].backward()
        of_input = layers[i - 1].g if i else out
        if of_input is not None:
            yield partial(torch.bmm, layers[i].g, layers[i].weight, out=of_input)
