"""Benchmarks that tests run write their results elsewhere."""

import pytest

from benchmarks import results


@pytest.fixture
def results_folder(tmp_path, monkeypatch):
    """The folder that results are written to, for this test."""
    monkeypatch.setattr(results, "RESULTS", tmp_path)
    return tmp_path
