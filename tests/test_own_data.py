"""The page on own data is true: its files are written and its commands are run, with two epochs each."""

import re
import shlex

import pytest
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from omegaconf import OmegaConf

from tests.project import ROOT

PAGE = (ROOT / "docs/how-to/own-data.md").read_text(encoding="utf-8")
FILES = re.findall(r"^`([\w./]+)`[^\n]*:\n\n((?:    [^\n]*\n|\n(?=    ))+)", PAGE, flags=re.MULTILINE)
SCRIPTS = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, flags=re.DOTALL) for line in block.splitlines()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the files of the page."""
    place = tmp_path_factory.mktemp("own")
    for name, text in FILES:
        (place / name).parent.mkdir(exist_ok=True)
        (place / name).write_text(re.sub(r"^    ", "", text, flags=re.MULTILINE), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        for script in SCRIPTS:
            exec(compile(script, "own-data.md", "exec"), {})
    return place


def test_the_page_has_a_file_for_every_command():
    assert len(FILES) == 6
    assert len(COMMANDS) == 8


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS, ids=map(str, range(len(COMMANDS))))
def test_a_command_of_the_page_runs(command, folder, tmp_path, monkeypatch):
    words = shlex.split(command)
    assert words[:2] == ["kedro", "run"]
    options = dict(word.removeprefix("--").split("=", 1) for word in words[2:])
    family = options["pipelines"]
    dotted = [*options["params"].split(","), f"{family}.training.max_epochs=2", f"data_root={tmp_path}"]
    monkeypatch.chdir(folder)
    bootstrap_project(ROOT)
    params = OmegaConf.to_container(OmegaConf.from_dotlist(dotted))
    env = "test" if family == "scenes" else "base"  # the simulated scenes next to the recording would take minutes
    with KedroSession.create(ROOT, env=env, runtime_params=params) as session:
        session.run(pipeline_names=[family])
    assert list(tmp_path.glob(f"08_reporting/{family}/report.html/*/report.html"))
