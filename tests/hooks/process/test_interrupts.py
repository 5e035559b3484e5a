import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from terrarium.hooks.process.interrupts import Interrupts

CODE = """
import sys, time
from pathlib import Path
from terrarium.hooks.process.interrupts import Interrupts

interrupts = Interrupts(lambda received: print(received.name, flush=True), is_sequential=sys.argv[1] == "True")
interrupts.install()
try:
    print("ready", flush=True)
    time.sleep(60)
finally:
    print("unwound", flush=True)
"""


@pytest.mark.parametrize("is_sequential", [True, False])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_is_reported_and_ends_the_process_with_its_code(number, code, is_sequential):
    command = [sys.executable, "-c", CODE, str(is_sequential)]
    environment = os.environ | {"PYTHONPATH": ":".join(sys.path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        output = process.communicate(timeout=60)[0].split()
    assert process.returncode == code
    assert output == [number.name, *(["unwound"] if is_sequential else [])]


def test_handlers_are_restored():
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    interrupts = Interrupts(lambda received: None, is_sequential=True)
    interrupts.install()
    assert signal.getsignal(signal.SIGTERM) != before[1]
    interrupts.restore()
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


RUN = """
import sys, os, signal
from pathlib import Path
from importlib import import_module
from tests.hooks.mini import Mini

mini = Mini(Path(sys.argv[1]))
mini.meanwhile(lambda: os.kill(os.getpid(), int(sys.argv[2])))
mini.run("mammals")
"""


@pytest.mark.parametrize(
    ("number", "status", "code"), [(2, "interrupted", 130), (15, "interrupted", 143), (9, "killed", -9)]
)
def test_the_manifest_says_how_a_run_ended(mini, lines, tmp_path, number, status, code):
    """A killed run's manifest is closed by the next run, and what it had half written is removed."""
    environment = os.environ | {"PYTHONPATH": ":".join([str(Path(__file__).parents[3]), *sys.path])}
    command = [sys.executable, "-c", RUN, str(tmp_path), str(number)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == code, done.stderr
    (version,) = (path.name for path in (tmp_path / "data/runs.manifest.json").iterdir())
    partial = tmp_path / "data/f.weights.json.partial" / version
    partial.mkdir(parents=True)
    (tmp_path / "data/f.weights.json.partial" / "unknown").mkdir()
    mini.run("birds")
    manifest = json.loads(mini.path("runs.manifest", version).read_text())
    assert (manifest["status"], manifest["failed_at"]) == (status, "f.train")
    assert not partial.exists()
    assert partial.with_name("unknown").exists()
    command = "to go on: kedro run --pipelines=f --params=f.source.name=mammals,f.source.fail=False"
    said = lines if status == "killed" else (done.stdout + done.stderr).replace("\n", " ").split("WARNING")
    assert any(command.split()[-1] in " ".join(line.split()).replace(" ", "") or command in line for line in said)
