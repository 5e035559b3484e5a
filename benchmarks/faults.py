"""What kills and flipped bits do: python -m benchmarks faults_kills, python -m benchmarks faults_bits.

Kills: a run of a family at the sizes of conf/test kills itself at one of its changes of the disk (a rename, a link, a
removal, a flush), at evenly spaced places from the first dataset to the report. The same command runs again and must
give the bits of an undisturbed run, without training an epoch twice that was finished.

Bits: one bit of a saved file is flipped, and the file is loaded by its dataset.
"""

import contextlib
import os
import pkgutil
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.digests import digest_artifacts
from benchmarks.results import ROOT, Row, chosen, replace_rows, report_table

FAMILIES = ("hyperbolic", "senses", "knowledge_graph", "influence", "scenes")
BEFORE = {"influence": "knowledge_graph"}
"""Families that start from a finished run of another one."""
KILLS = int(os.environ.get("TERRARIUM_KILLS", "50"))
FLIPS = 400
CHANGES = ((os, "replace"), (os, "fsync"), (os, "link"), (os, "unlink"), (Path, "unlink"))
"""Functions that change the disk; a killed run dies right before a call of one of them."""
EPOCHS, SEED = 6, 0


def kills() -> None:
    """Kill runs of every family, or of those in TERRARIUM_ONLY, and write their rows of faults_kills.csv."""
    replace_rows("faults_kills", (kill_family(family) for family in chosen(FAMILIES)), seed=SEED)


def bits() -> None:
    """Flip bits of every kind of file, and write faults_bits.csv."""
    with tempfile.TemporaryDirectory() as folder:
        _fork(lambda: run_family("knowledge_graph", Path(folder)), Path(folder) / "log")
        report_table("faults_bits", flip_kinds(Path(folder)), seed=SEED)


@dataclass(frozen=True)
class Attempt:
    """A run in a process of its own.

    Attributes:
        code: exit code, negative for a signal.
        epochs: number of epochs whose checkpoint it has written.
        changes: number of its changes of the disk.
    """

    code: int
    epochs: int
    changes: int


def kill_family(family: str) -> Row:
    """Kill runs of a family and return what became of them."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        begun = folder / "begun"
        begun.mkdir()
        if family in BEFORE:
            _require_success(attempt(BEFORE[family], begun), begun)
        attempt(family, _begin(begun, folder / "compiled"))
        whole = attempt(family, _begin(begun, folder / "whole"))
        _require_success(whole, folder / "whole")
        expected = digest_artifacts(folder / "whole")
        counts = {"killed": 0, "different bits": 0, "failed": 0, "lost epochs": 0, "killed in training": 0}
        counts["killed after training"] = 0
        for number, place in enumerate(np.linspace(1, whole.changes, KILLS).astype(int)):
            root = _begin(begun, folder / str(number))
            killed = attempt(family, root, dies_at=int(place))
            resumed = attempt(family, root)
            counts["killed"] += killed.code == -signal.SIGKILL
            counts["failed"] += resumed.code != 0
            counts["different bits"] += digest_artifacts(root) != expected
            counts["lost epochs"] += max(0, killed.epochs + resumed.epochs - whole.epochs)
            counts["killed in training"] += 0 < killed.epochs < whole.epochs
            counts["killed after training"] += 0 < killed.epochs == whole.epochs
            shutil.rmtree(root)
    return {"family": family, "runs": KILLS, "epochs": whole.epochs, "changes of the disk": whole.changes, **counts}


def _begin(begun: Path, root: Path) -> Path:
    """Return a new folder with what is there before the first attempt."""
    return shutil.copytree(begun, root)


def _require_success(done: "Attempt", root: Path) -> None:
    if done.code:
        raise SystemExit(root.with_suffix(".log").read_text(encoding="utf-8"))


def attempt(family: str, root: Path, dies_at: int = 0) -> Attempt:
    """Run a family in a process of its own; it kills itself at the change of the disk number `dies_at`, 0 for never."""
    counts = root.with_suffix(".counts")
    counts.write_text("")

    def run() -> None:
        with counts.open("a") as log:
            count_epochs(log)
            die_at(dies_at, log)
            run_family(family, root)

    code = _fork(run, root.with_suffix(".log"))
    lines = counts.read_text().split()
    return Attempt(code, lines.count("epoch"), lines.count("change"))


def count_epochs(log: Any) -> None:
    """Write a line for every checkpoint that has been written."""
    from terrarium.training.checkpointing.run import TrainingRun

    save = TrainingRun.save

    def counted(self: TrainingRun, epoch: int, *arguments: Any) -> Path:
        path = save(self, epoch, *arguments)
        if epoch > 0:
            print("epoch", file=log, flush=True)
        return path

    setattr(TrainingRun, "save", counted)  # noqa: B010


def die_at(count: int, log: Any) -> None:
    """Let this process kill itself at its `count`-th change of the disk; write a line for each."""
    seen = [0]

    def deadly(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **keywords: Any) -> Any:
            seen[0] += 1
            if seen[0] == count:
                os.kill(os.getpid(), signal.SIGKILL)
            print("change", file=log, flush=True)
            return function(*arguments, **keywords)

        return call

    for owner, name in CHANGES:
        setattr(owner, name, deadly(getattr(owner, name)))


def run_family(family: str, root: Path) -> None:
    """Run the pipeline of a family at the sizes of conf/test."""
    from kedro.framework.session import KedroSession
    from kedro.framework.startup import bootstrap_project

    bootstrap_project(ROOT)
    params: dict[str, Any] = {"data_root": str(root)}
    if family not in BEFORE:
        params[family] = {"training": {"max_epochs": EPOCHS}}
    with KedroSession.create(ROOT, env="test", runtime_params=params) as session:
        session.run(pipeline_names=[family])


def flip_kinds(root: Path) -> Iterator[Row]:
    """Yield a row for each kind of file of a finished run."""
    from terrarium.datasets.json_dataset import JSONDataset
    from terrarium.datasets.parquet_dataset import ParquetDataset
    from terrarium.datasets.plotly_dataset import PlotlyDataset
    from terrarium.datasets.run_manifest_dataset import RunManifestDataset
    from terrarium.datasets.state_dataset import StateDataset
    from terrarium.datasets.text_dataset import TextDataset
    from terrarium.training.checkpointing.checkpoint import read_checkpoint

    models, reports = root / "06_models/knowledge_graph", root / "08_reporting"
    datasets = {
        "weights": (StateDataset, models / "weights.safetensors"),
        "table": (ParquetDataset, models / "history.parquet"),
        "metrics": (JSONDataset, reports / "knowledge_graph/metrics.json"),
        "figure": (PlotlyDataset, reports / "knowledge_graph/figure_loss.json"),
        "report": (TextDataset, reports / "knowledge_graph/report.html"),
        "manifest": (RunManifestDataset, reports / "runs/manifest.json"),
    }
    for what, (kind, folder) in datasets.items():
        (path,) = folder.glob(f"*/{folder.name}")
        yield flip_bits(what, path, lambda kind=kind, folder=folder: load_newest(kind, folder))
    checkpoint = max(models.glob("checkpoints/*/checkpoints/epoch_*.safetensors"))
    yield flip_bits("checkpoint", checkpoint, lambda: read_checkpoint(checkpoint))


def load_newest(kind: Callable[..., Any], folder: Path) -> Any:
    """Load the newest version of a dataset."""
    from kedro.io.core import Version

    return kind(filepath=str(folder), version=Version(None, None)).load()


def flip_bits(what: str, path: Path, load: Callable[[], Any]) -> Row:
    """Flip single bits of a file, evenly spaced, and load it each time."""
    from kedro.io.core import DatasetError

    from terrarium.training.checkpointing.state import StateError

    whole = path.read_bytes()
    load()
    errors, others = 0, 0
    for number, position in enumerate(np.linspace(0, len(whole) - 1, FLIPS).astype(int)):
        content = bytearray(whole)
        content[position] ^= 1 << (number % 8)
        path.write_bytes(content)
        try:
            load()
        except (DatasetError, StateError):
            errors += 1
        except Exception:
            others += 1
    path.write_bytes(whole)
    silent = FLIPS - errors - others
    return {
        "file": what,
        "bytes": len(whole),
        "flipped bits": FLIPS,
        "errors": errors,
        "other": others,
        "silent": silent,
    }


def _fork(run: Callable[[], None], log: Path) -> int:
    """Call `run` in a process of its own with its output in a file, and return its exit code."""
    _import_heavy()
    child = os.fork()
    if child == 0:
        code = 1
        with contextlib.suppress(BaseException), log.open("w") as output:
            os.dup2(output.fileno(), sys.stdout.fileno())
            os.dup2(output.fileno(), sys.stderr.fileno())
            os.chdir(ROOT)
            run()
            code = 0
        os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _import_heavy() -> None:
    """Import what every run needs, once, so that a child is ready at once."""
    import lightning.fabric  # noqa: F401
    import pandera.pandas
    import pandera.typing.pandas  # noqa: F401

    import terrarium

    for module in pkgutil.walk_packages(terrarium.__path__, "terrarium."):
        if module.name != "terrarium.__main__":
            import_module(module.name)
    os.environ |= {"TERRARIUM_VIZ_HOOKS": "0", "KEDRO_DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1"}
