import shutil
import subprocess

import pytest

from terrarium.use.stale import list_stale
from tests.project import ROOT, run


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A data root with a run whose taxa were then read again."""
    folder = tmp_path_factory.mktemp("stale")
    run(folder, "--pipelines=hyperbolic")
    run(folder, "--pipelines=hyperbolic", "--tags=ingestion")
    return folder


def reasons(table, dataset):
    rows = table[table["dataset"] == dataset]
    return dict(zip(rows["reason"], rows["what"], strict=True))


def test_what_was_made_from_older_inputs_is_stale(root):
    table = list_stale(root, ROOT)
    assert "hyperbolic.taxa" in reasons(table, "hyperbolic.metrics")["input"]
    assert "input" not in reasons(table, "hyperbolic.taxa")
    assert not (table["reason"] == "parameters").any()


def test_changed_parameters_and_code_are_named(root, tmp_path):
    project = tmp_path / "project"
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    subprocess.run(["git", "clone", "-q", "--shared", str(ROOT), str(project)], check=True)
    subprocess.run(["git", "checkout", "-q", commit.strip()], cwd=project, check=True)
    shutil.copytree(ROOT / "conf", project / "conf", dirs_exist_ok=True)
    options = project / "conf/test/parameters/hyperbolic.yml"
    options.write_text(options.read_text(encoding="utf-8").replace("dim: ", "dim: 1"), encoding="utf-8")
    code = project / "src/terrarium/hyperbolic/geometry/ball.py"
    code.write_text(code.read_text(encoding="utf-8") + "# changed\n", encoding="utf-8")
    found = reasons(list_stale(root, project), "hyperbolic.weights")
    assert "hyperbolic.model.dim" in found["parameters"]
    assert "hyperbolic/geometry/ball.py" in found["code"]


def test_nothing_was_made_yet(tmp_path):
    assert list_stale(tmp_path, ROOT).empty
