"""Running the project as a user does, without writing into the repository."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

ROOT = Path(__file__).parents[1]
KEDRO = Path(sys.executable).with_name("kedro")


def environment(**extra: str) -> dict[str, str]:
    """The environment of a command; kedro-viz keeps no record of runs, as it would write that into the repository."""
    quiet = {"KEDRO_DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1", "TERRARIUM_VIZ_HOOKS": "0", "COLUMNS": "200"}
    return os.environ | quiet | extra


def kedro(*arguments: str, check: bool = True, timeout: float = 300) -> subprocess.CompletedProcess[str]:
    """Run kedro in the project; the output of a failed command is shown."""
    done = subprocess.run(
        [str(KEDRO), *arguments],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert not check or done.returncode == 0, done.stdout
    return done


def run(data_root: Path, *arguments: str, params: str = "", check: bool = True) -> subprocess.CompletedProcess[str]:
    """`kedro run` at the sizes of conf/test with its data elsewhere."""
    given = ",".join(part for part in (f"data_root={data_root}", params) if part)
    return kedro("run", "--env=test", *arguments, f"--params={given}", check=check)


def versions(data_root: Path, pattern: str) -> list[str]:
    """Versions of the artifact whose folder matches a pattern, oldest first."""
    (folder,) = data_root.glob(pattern)
    return sorted(path.name for path in folder.iterdir())


def load(data_root: Path, pattern: str, version: str | None = None) -> Any:
    """An artifact's table or JSON, the newest by default."""
    (folder,) = data_root.glob(pattern)
    saved = folder / (version or versions(data_root, pattern)[-1])
    (file,) = (path for path in saved.iterdir() if path.name != "SHA256SUMS")
    if file.suffix == ".parquet":
        return pd.read_parquet(file)
    return json.loads(file.read_text(encoding="utf-8")) if file.suffix == ".json" else file


SHARED = ROOT.parent / "shared" / "data"
"""Recorded scenes and benchmark graphs for some tests; not part of the project."""


def find_optional() -> list[tuple[str, bool, str]]:
    """What some tests need beyond `make test`: its name, whether it is there, and how to get it."""
    oracle, bench = (f"pip install -c constraints.txt -e '.[{extra}]'" for extra in ("oracle", "bench"))
    return [
        ("WordNet 3.0", _has_wordnet(), "apt install wordnet-base, or see docs/sources.md"),
        ("a browser for the reports", shutil.which("chromium") is not None, "apt install chromium"),
        ("recorded scenes", SHARED.is_dir(), f"data in {SHARED}"),
        ("Captum, PyKEEN (oracles)", _has("captum", "pykeen"), oracle),
        ("gensim, geoopt (peers)", _has("gensim", "geoopt"), bench),
        ("a CUDA device", shutil.which("nvidia-smi") is not None, "a machine with one"),
        ("an S3 server", find_s3_server() is not None and _has("obstore"), NO_S3_SERVER),
    ]


def _has(*packages: str) -> bool:
    return all(find_spec(package) is not None for package in packages)


def _has_wordnet() -> bool:
    from terrarium.sources.errors import SourceError
    from terrarium.sources.wordnet import find_wordnet

    try:
        find_wordnet()
    except SourceError:
        return False
    return True


NO_S3_SERVER = "pip install 'moto[server]' in an environment of its own, then TERRARIUM_S3_SERVER=PATH/bin/moto_server"


def find_s3_server() -> str | None:
    """The command of a local S3 server: moto's, on the path or named by TERRARIUM_S3_SERVER."""
    return shutil.which(os.environ.get("TERRARIUM_S3_SERVER", "moto_server"))


@contextmanager
def s3_server() -> Iterator[str]:
    """Address of a running S3 server; skips the test where the server or its client obstore is not installed."""
    command = find_s3_server()
    if command is None:
        pytest.skip(f"no S3 server: {NO_S3_SERVER}")
    pytest.importorskip("obstore", reason="obstore is not installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen([command, "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(process, port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait_for(process: subprocess.Popen[bytes], port: int, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            pytest.skip(f"the S3 server does not start: {process.args}")
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    raise TimeoutError(f"nothing listens on port {port}")
