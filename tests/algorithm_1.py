"""Algorithm 1 of the JMLR paper, for the tests of the network and of the engine."""

import numpy as np
import torch
from torch import nn

from skdann.nn import DANN


def algorithm_1():
    """Algorithm 1 of the JMLR paper, one epoch of it, sample by sample.

    The figures are those of GRAAL-Research's reference implementation with lambda 0.5
    and rate 0.1. The paper's lambda multiplies the sum of both domains' losses: 1 for
    their mean. It scales the domain classifier's own update as well, by 0.5 of the sum,
    which is 1 of the mean. So one learning rate serves all. The reference trains its
    domain classifier towards 1 on the source: its u and z are minus those here.

    Returns
    -------
    network : DANN
        As it begins.
    X : Tensor of shape (3, 2)
        Source rows.
    steps : list of (Tensor of shape (2, 2), Tensor of shape (1,))
        Rows of source and target, and the label of the first.
    trained : dict of Tensor to list
        Values of the weights after the steps, to seven digits.
    proba : list of float
        Of class 0, for the rows of X.
    """
    rows = {"dtype": torch.float64}
    X = torch.tensor([[1, 2], [-1, 0.5], [0.3, -0.7]], **rows)
    y = torch.tensor([0, 1, 1])
    X_tgt = torch.tensor([[0.5, 0.5], [2, -1], [-0.4, 1.5]], **rows)
    steps = [
        (torch.stack([X[i], X_tgt[j]]), y[i : i + 1])
        for i, j in zip([0, 1, 2], [0, 1, 1], strict=True)
    ]
    hidden, label, domain = nn.Linear(2, 3), nn.Linear(3, 2), nn.Linear(3, 1)
    network = DANN(nn.Sequential(hidden, nn.Sigmoid()), label, domain).double()
    W0 = [
        [0.1069450288, 0.4714562804],
        [0.2251432766, 0.0983341271],
        [-0.1672639542, 0.3196379870],
    ]
    V0 = [
        [-0.1367395691, 0.8583316398, 1.0158342120],
        [-0.2553668376, 0.6391375358, 0.0633055974],
    ]
    with torch.no_grad():
        for weight in network.parameters():
            weight.zero_()
        hidden.weight.copy_(torch.tensor(W0))
        label.weight.copy_(torch.tensor(V0))
    trained = {
        hidden.weight: [
            [0.1102537213, 0.4723188118],
            [0.2303401659, 0.1013900090],
            [-0.1474269065, 0.3346077366],
        ],
        hidden.bias: [-0.0034983680, -0.0057688825, -0.0234865409],
        label.weight: [
            [-0.1770801791, 0.8145892011, 0.9678392653],
            [-0.2150262276, 0.6828799745, 0.1113005440],
        ],
        label.bias: [-0.1000691543, 0.1000691543],
        domain.weight: [[-0.0062395436, 0.0040512302, -0.0103259179]],
        domain.bias: [0.0002261538],
    }
    return network, X, steps, trained, [0.6083819304, 0.5914490877, 0.5611187239]


def assert_trained(network, X, trained, proba):
    """Hold a network against what :func:`algorithm_1` says of it after training."""
    for weight, value in trained.items():
        np.testing.assert_allclose(weight.detach(), value, rtol=0, atol=1e-7)
    found = network.predict(X)[:, 0]
    np.testing.assert_allclose(found, proba, rtol=0, atol=1e-7)
