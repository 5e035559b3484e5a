"""What CONTRIBUTING.md and docs/architecture.md say of the repository itself."""

import re
import subprocess
import sys
import tomllib
from graphlib import CycleError, TopologicalSorter

import grimp
import pytest
import yaml

import terrarium
from tests.project import ROOT, environment

SOURCE, TESTS = ROOT / "src/terrarium", ROOT / "tests"
MODULES = sorted(path for folder in ("src", "tests", "benchmarks", "scripts") for path in (ROOT / folder).rglob("*.py"))
MAX_LINES, MAX_MODULES = 400, 10
OUTSIDE = ("benchmarks", "scripts")
"""Folders of tests whose modules are not below src/terrarium but in a folder of the same name."""
NOT_OF_A_MODULE = {
    "datasets/test_datasets.py",  # what all datasets promise
    "datasets/test_remote.py",  # the same on object stores
    "hooks/test_hooks.py",  # the hooks on catalogs
    "hooks/test_sessions.py",  # the hooks in Kedro sessions
    "influence/scoring/test_captum.py",  # scores equal Captum's
    "kge/evaluation/test_pykeen.py",  # ranks and metrics equal PyKEEN's
    "scenes/test_recipes.py",  # each recipe trains
}
"""Tests of several modules together, besides those at the top of tests/, which are of the whole project."""
KEDRO_PRIVATE = re.compile(
    r"\._(version|filepath|exists_function|glob_function|copy|clear_version_cache|get_versioned_path|get_load_path"
    r"|get_save_path)\b|__wrapped__|kedro\w*\._|from kedro.* import _"
)


def relative(paths, root=ROOT):
    return [path.relative_to(root).as_posix() for path in paths]


def text(name):
    return (ROOT / name).read_text(encoding="utf-8")


def test_no_file_is_longer_than_400_lines():
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    assert relative(path for path, count in lines.items() if count > MAX_LINES) == []


def test_no_folder_has_more_than_ten_modules():
    folders = {path.parent for path in SOURCE.rglob("*.py")}
    modules = {folder: [path for path in folder.glob("*.py") if path.name != "__init__.py"] for folder in folders}
    assert {folder: len(paths) for folder, paths in modules.items() if len(paths) > MAX_MODULES} == {}


def test_tests_mirror_the_modules():
    """tests/PACKAGE/test_MODULE.py tests src/terrarium/PACKAGE/MODULE.py, or several, told apart by a suffix."""
    strays = []
    for path in sorted(TESTS.glob("*/**/test_*.py")):
        folder = path.parent.relative_to(TESTS)
        root = ROOT if folder.parts[0] in OUTSIDE else SOURCE
        if path.relative_to(TESTS).as_posix() in NOT_OF_A_MODULE:
            continue
        tested = path.stem.removeprefix("test_")
        if not (root / folder / f"{tested}.py").is_file() and not (root / folder / tested).is_dir():
            strays.append(path)
    assert relative(strays) == []


def test_exceptions_to_the_mirror_exist():
    assert [name for name in NOT_OF_A_MODULE if not (TESTS / name).is_file()] == []


def test_underscore_names_of_kedro_are_used_where_datasets_and_runners_are_made():
    users = [path for path in sorted(SOURCE.rglob("*.py")) if KEDRO_PRIVATE.search(path.read_text(encoding="utf-8"))]
    assert relative(users, SOURCE) == ["datasets/base.py", "runner/dask_runner.py"]


def test_no_module_imports_itself_through_others():
    """Imports inside functions count too, as they do for import-linter."""
    graph = grimp.build_graph("terrarium")
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(reversed(error.args[1])))


def test_what_slow_means_is_said_once():
    (marker,) = tomllib.loads(text("pyproject.toml"))["tool"]["pytest"]["ini_options"]["markers"]
    meaning = marker.removeprefix("slow: ").partition(";")[0]
    assert f"Mark a test `slow` if it {meaning}." in " ".join(text("CONTRIBUTING.md").split())


def test_the_citation_is_of_this_version():
    citation = yaml.safe_load(text("CITATION.cff"))
    assert citation["version"] == terrarium.__version__
    assert citation["license"] == tomllib.loads(text("pyproject.toml"))["project"]["license"]
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()


def test_the_container_gets_every_file_that_the_package_is_built_from():
    project = tomllib.loads(text("pyproject.toml"))["project"]
    copied = {
        word for line in re.findall(r"^COPY (.+) \S+$", text("Containerfile"), re.MULTILINE) for word in line.split()
    }
    assert {project["readme"], *project["license-files"], "pyproject.toml", "constraints.txt", "src"} <= copied
    assert {line[1:] for line in text(".dockerignore").splitlines() if line.startswith("!")} == copied


REGISTRY = "import sys; from kedro.framework.project import pipelines; names = sorted(pipelines)"
TRAINING = """
import sys
from kedro.framework.session import KedroSession
with KedroSession.create('.', env='test', runtime_params={'data_root': sys.argv[1]}) as session:
    session.run(pipeline_names=['hyperbolic'], tags=['ingestion', 'features', 'training'])
"""


@pytest.mark.parametrize("code", [REGISTRY, TRAINING], ids=["registry", "training on the CPU kernel"])
def test_torch_and_lightning_are_imported_only_where_they_are_needed(code, tmp_path):
    start = (
        "from pathlib import Path; from kedro.framework.startup import bootstrap_project; bootstrap_project(Path.cwd())"
    )
    end = "print('imported:', sorted({'torch', 'lightning', 'torch_geometric'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", "\n".join([start, code, end]), str(tmp_path)],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "imported: []"
