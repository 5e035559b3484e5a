"""The documentation names what exists, and the README's commands work."""

import re
import shlex

import pytest

from tests.project import KEDRO, ROOT, kedro, run
from tests.test_parameters import parameters

FLAGS = {"hyperbolic": 9, "senses": 9, "knowledge_graph": 13, "influence": 5, "scenes": 17}
PAGES = {family: (ROOT / "docs" / f"{family}.md").read_text(encoding="utf-8") for family in FLAGS}
README = (ROOT / "README.md").read_text(encoding="utf-8")


def value_of(name):
    value = parameters("local")
    for part in name.split("."):
        value = value[part]
    return value


def leaves(tree, prefix=""):
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


@pytest.mark.parametrize("family", PAGES)
def test_every_flag_of_the_documents_has_its_parameter_and_default(family):
    row = rf"^\| `[-a-z_]+`[^|]*\| [^|]+\| `({family}\.[^`]+)` \| ([^|]+) \|$"
    rows = re.findall(row, PAGES[family], flags=re.MULTILINE)
    assert len(rows) == FLAGS[family]
    for name, default in rows:
        assert str(value_of(name)) == default, name


@pytest.mark.parametrize("family", PAGES)
def test_every_parameter_is_explained(family):
    page = PAGES[family]
    known = set(re.findall(r"`([a-z_.]+)(?::[^`]*)?`", page)) | {
        part for name in re.findall(rf"`({family}\.[a-z_.]+)`", page) for part in name.split(".")
    }
    known |= {name.removeprefix(f"{family}.") for name in known}
    obvious = {"group_min", "group_sample", "purity_sample", "neighbours", "ranks", "seed", "direction", "metric"}
    obvious |= {"disk_points", "scatter_points", "disk_rank", "disk_groups", "radius_schedule"}
    for name in leaves(parameters("local")[family] | _without_axes(family)):
        last = name.rpartition(".")[2]
        assert last in known or name in known or name.split(".", 1)[1] in known or last in obvious, name


def _without_axes(family):
    """The branch features; the names of axes are the user's."""
    return {
        "features": {name: value for name, value in parameters("local")[family]["features"].items() if name != "axes"}
    }


def test_the_readme_is_short_and_its_files_exist():
    assert len(README.splitlines()) < 150
    for target in re.findall(r"\]\(([^)h][^)]*)\)", README):
        assert (ROOT / target).is_file(), target


def commands():
    blocks = re.findall(r"```sh\n(.*?)```", README, flags=re.DOTALL)
    lines = [line.partition("#")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith("kedro run")]


@pytest.fixture(scope="module")
def ready(tmp_path_factory):
    """A data root with a run in it, for the commands that run a part, and a table of one's own."""
    root = tmp_path_factory.mktemp("readme")
    (root / "mine.csv").write_text("child,parent\n" + "\n".join(f"{i},{i // 2}" for i in range(1, 40)) + "\n")
    run(root, "--pipelines=hyperbolic")
    return root


@pytest.mark.parametrize("command", commands())
def test_every_run_of_the_readme_runs(ready, command):
    """As written, at the sizes of conf/test and with the data elsewhere; clades are cut at a depth."""
    words = shlex.split(command)[2:]
    options = [word for word in words if not word.startswith("--params=")]
    given = next((word.removeprefix("--params=") for word in words if word.startswith("--params=")), "")
    given = re.sub(r"data_root=[^,]+,?", "", given).replace("mine.csv", str(ready / "mine.csv"))
    if "path" not in given:
        given = f"{given},hyperbolic.source.max_depth=3".strip(",")
    run(ready, *options, params=given.strip(","))


def test_the_other_commands_of_the_readme_exist():
    assert "hyperbolic" in kedro("registry", "list").stdout
    assert "--no-browser" in kedro("viz", "run", "--help").stdout
    targets = re.findall(r"^make (\w+)", README, flags=re.MULTILINE)
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert targets
    assert all(re.search(rf"^{target}:", makefile, flags=re.MULTILINE) for target in targets)
    assert KEDRO.is_file()
