"""Candidates by the names of their results, and on which problems each is fitted."""

from itertools import chain, product

from candidates import (
    evidence,
    forest,
    logarithm,
    mean,
    network,
    on_target,
    pls,
    ridge,
    simple,
)

# Scales; to a forest those of the source are the columns as they are.
HOWS = {
    "ridge": ["none", "source", "centered", "domain"],
    "pls": ["none", "source", "centered", "domain"],
    "forest": ["none", "centered", "domain"],
}

SIMPLE = {"mean": simple(mean, "none")} | {
    f"{make.__name__} {how}": simple(make, how)
    for make in (ridge, pls, forest)
    for how in HOWS[make.__name__]
}
ON_TARGET = {
    f"{make.__name__} on target": on_target(make, how)
    for make, how in ((ridge, "source"), (pls, "none"))
}

LAMBDAS = (0, 0.03, 0.1, 0.3, 1)

# Of two networks, which take less time and rank alike.
START = {"n_estimators": 2, "standardize": "auto", "lambda_max": 0.1, "dropout": 0}
CHANGES = (
    *({"lambda_max": value} for value in LAMBDAS),
    *(
        {"lambda_max": value, "dropout": of}
        for of, value in product((0.1, 0.25), (0, 0.1, 1))
    ),
    *({"standardize": how} for how in ("source", "domain")),
    *({"weight_decay": value} for value in (0, 0.1)),
    *({"hidden_layer_sizes": sizes} for sizes in ((32, 32), (128, 128))),
    *({"lr": value} for value in (1e-3, 1e-2)),
)


def name_of(parameters):
    """Return the name of a network's results."""
    return "network " + " ".join(f"{k}={v}" for k, v in sorted(parameters.items()))


def _networks(all_parameters):
    return {name_of(p): network(**p) for p in all_parameters}


CHOICE = _networks({**START, **change} for change in CHANGES)
BY_SCALES = {
    how: _networks({"lambda_max": value, "standardize": how} for value in (0, 0.1))
    for how in ("source", "domain")
}
STRONGER = _networks(
    {"lambda_max": 1, "standardize": "domain", **of_classifier}
    for of_classifier in ({}, {"dropout": 0.25})
)
NETWORKS = {**BY_SCALES["source"], **BY_SCALES["domain"], **STRONGER}
SCALES = {"evidence": evidence}

# That learn the logarithm of a concentration.
LOGARITHMS = {
    f"{name}, logarithm": logarithm({**SIMPLE, **NETWORKS}[name])
    for name in (
        "ridge domain",
        "forest domain",
        "network lambda_max=0.1 standardize=domain",
    )
}

CELLS = {**SCALES, **SIMPLE, **ON_TARGET, **CHOICE, **NETWORKS, **LOGARITHMS}

# What the choice of scales is judged by.
BOTH_SCALES = {
    "source": ["ridge source", "forest none"],
    "domain": ["ridge domain", "forest domain"],
}

OF_SET = {
    "made": [*SCALES, *CHOICE, *chain(*BOTH_SCALES.values())],
    "made-other": [*SCALES, *chain(*BOTH_SCALES.values())],
    "populations": [*SCALES, *chain(*BOTH_SCALES.values())],
    "corn": [*SCALES, *SIMPLE, *ON_TARGET, *NETWORKS],
    "twin-gas": [*SCALES, *SIMPLE, *ON_TARGET, *NETWORKS],
    "twin-gas-all": [*SCALES, *SIMPLE, *ON_TARGET, *NETWORKS, *LOGARITHMS],
}

# What the first seed is enough for.
ONCE = [
    *STRONGER,
    *BY_SCALES["source"],
    *LOGARITHMS,
    *("pls none", "pls source", "pls on target", "forest none", "forest centered"),
]

# Twin gas has no halves: a seed changes nothing of these.
NOT_RANDOM = [c for c in CELLS if c.startswith(("evidence", "mean", "ridge", "pls"))]


def seed_of(problem, cell, seed):
    """Return the seed that a result is kept under."""
    return 0 if problem.startswith("twin-gas") and cell in NOT_RANDOM else seed
