"""Fixtures of ranks."""

import pytest


@pytest.fixture
def few_trees():
    """Not here: ranks, processes of their own, have all of them."""
