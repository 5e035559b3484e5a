"""The notebooks run from a clean state, and are kept without outputs."""

import json
import os

import nbformat
import pytest
from nbclient import NotebookClient

from terrarium.sources.errors import SourceError
from terrarium.sources.wordnet import find_wordnet

from .project import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
SHOWN = {
    "hyperbolic": "Homo sapiens",
    "senses": "sloping land",
    "knowledge_graph": "proponent",
    "influence": "infects",
    "scenes": "novelty_p",
}


def needs_wordnet():
    try:
        find_wordnet()
    except SourceError:
        assert not os.environ.get("CI"), "WordNet is missing: .ci/run installs it"
        pytest.skip("WordNet is not installed")


SLOW = {"senses": pytest.mark.slow}
"""It reads all of WordNet."""


@pytest.mark.parametrize("path", [pytest.param(p, id=p.stem, marks=SLOW.get(p.stem, ())) for p in NOTEBOOKS])
def test_runs_from_a_clean_state(path, monkeypatch):
    if path.stem == "senses":
        needs_wordnet()
    monkeypatch.setitem(os.environ, "TERRARIUM_VIZ_HOOKS", "0")
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(path.parent)}}).execute()
    shown = json.dumps([cell.get("outputs", []) for cell in notebook.cells])
    assert SHOWN[path.stem] in shown
    assert "application/vnd.plotly" in shown


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_is_kept_without_outputs(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    assert all(not cell.get("outputs") and cell.get("execution_count") is None for cell in cells)
