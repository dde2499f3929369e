"""Fixtures of the command."""

import pytest
from clinics import Clinics


@pytest.fixture
def clinics(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Clinics(tmp_path)
