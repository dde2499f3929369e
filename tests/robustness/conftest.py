"""All tests of this folder are marked: a daily run may leave them out."""

import pytest


def pytest_itemcollected(item):
    """Mark it; pytest calls this for the items of this folder alone."""
    item.add_marker(pytest.mark.robustness)
