"""Draw the figures of stored results before the pages that show them are read."""

import sys
from pathlib import Path

REPRODUCE = Path(__file__).parents[2] / "benchmarks" / "reproduce"


def setup(app):
    """Draw as the build begins."""
    app.connect("builder-inited", draw)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def draw(app):
    """Draw into docs/_build/figures, which no one keeps."""
    sys.path.insert(0, str(REPRODUCE))
    import figures

    figures.draw_all(Path(app.srcdir) / "_build" / "figures")
