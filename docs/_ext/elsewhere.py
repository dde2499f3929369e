"""Inventories of other libraries: written here, nothing is downloaded."""

import zlib
from pathlib import Path

from sklearn.utils.discovery import all_displays, all_estimators, all_functions

ROOT = Path(__file__).parents[1] / "_build" / "inventories"

# Where each library documents a name, and the names that our pages have.
OTHERS = {
    "numpy": (
        "https://numpy.org/doc/stable/",
        "reference/generated/$.html",
        ["numpy.concatenate", "numpy.digitize", "numpy.memmap", "numpy.ndarray"],
    ),
    "pandas": (
        "https://pandas.pydata.org/docs/",
        "reference/api/$.html",
        ["pandas.DataFrame", "pandas.concat", "pandas.to_numeric"],
    ),
    "skorch": (
        "https://skorch.readthedocs.io/en/stable/",
        "net.html#$",
        ["skorch.net.NeuralNet"],
    ),
    "skrub": (
        "https://skrub-data.org/stable/",
        "reference/generated/$.html",
        ["skrub.TableVectorizer"],
    ),
    "torch": (
        "https://docs.pytorch.org/docs/stable/",
        "generated/$.html",
        ["torch.nn.Linear", "torch.nn.Module", "torch.nn.Sequential"],
    ),
}


def setup(app):
    """Write the inventories before intersphinx reads them."""
    app.connect("config-inited", write_inventories, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def write_inventories(app, config):
    """Write a file for each library, and tell intersphinx of it."""
    ROOT.mkdir(parents=True, exist_ok=True)
    others = {**OTHERS, "sklearn": _scikit_learn()}
    for name, (_, where, names) in others.items():
        lines = [f"{n} py:{_role(n)} 1 {where} -\n" for n in sorted(names)]
        head = f"# Sphinx inventory version 2\n# Project: {name}\n# Version: stable\n"
        head += "# The remainder of this file is compressed using zlib.\n"
        body = zlib.compress("".join(lines).encode())
        (ROOT / f"{name}.inv").write_bytes(head.encode() + body)
    config.intersphinx_mapping = {
        name: (address, str(ROOT / f"{name}.inv"))
        for name, (address, _, _) in others.items()
    }


def _scikit_learn():
    """Return all that scikit-learn makes public, each under its public module."""
    public = {*all_estimators(), *all_displays(), *all_functions()}
    names = [
        f"{'.'.join(p for p in found.__module__.split('.') if p[0] != '_')}.{name}"
        for name, found in public
    ]
    names += ["sklearn.pipeline.make_pipeline", "sklearn.config_context"]
    return "https://scikit-learn.org/stable/", "modules/generated/$.html", set(names)


def _role(name):
    return "class" if name.rsplit(".", 1)[1][0].isupper() else "function"
