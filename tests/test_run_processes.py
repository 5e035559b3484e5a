"""Trainings in several processes through the command line, as torchrun and Slurm start them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from safetensors.numpy import load_file

from tests.project import KEDRO, ROOT, environment, load, run, versions

EXACT = {
    "knowledge_graph": "knowledge_graph.model.input_dropout=0,knowledge_graph.model.output_dropout=0,"
    "knowledge_graph.model.feature_map_dropout=0,knowledge_graph.training.precision=64-true,"
    "knowledge_graph.training.memory.entity_chunk_size=0",
    "scenes": "scenes.model.dropout=0,scenes.training.precision=64-true",
}
"""Float64, and no dropout: each process draws its own."""
CHOSEN = ",knowledge_graph.training.train_type=null,knowledge_graph.training.loss.n3_weight=null"
"""Left to the run: the first process alone searches the weight before all of them train."""
TOLERANCE = {"knowledge_graph": 1e-12, "scenes": 1e-6}
"""Relative; the similarities of scenes are in float32."""


def torchrun(data_root: Path, *arguments: str, params: str, options: tuple[str, ...] = ()) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node=2", "--master_port=0"]
    command += ["--rdzv_backend=c10d", "--rdzv_endpoint=127.0.0.1:0", *options, "-m", "kedro", "run", "--env=test"]
    return start([*command, *arguments, f"--params=data_root={data_root},{params}"])


def start(command: list[str], **variables: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment(**variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(*processes: subprocess.Popen[str]) -> list[str]:
    outputs = [process.communicate(timeout=300)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * len(processes), "\n".join(outputs)
    return outputs


def weights(data_root: Path, family: str) -> dict[str, np.ndarray]:
    return load_file(load(data_root, f"06_models/{family}/weights.safetensors"))


@pytest.mark.parametrize(
    ("family", "more"),
    [
        pytest.param("knowledge_graph", "", id="knowledge_graph"),
        pytest.param("knowledge_graph", CHOSEN, id="knowledge_graph_searched", marks=pytest.mark.slow),
        pytest.param("scenes", "", id="scenes", marks=pytest.mark.slow),
    ],
)
def test_two_processes_train_what_one_trains(family, more, tmp_path):
    arguments = (f"--pipelines={family}", f"--to-outputs={family}.weights,{family}.history")
    finish(torchrun(tmp_path / "two", *arguments, params=EXACT[family] + more))
    run(tmp_path / "one", *arguments, params=EXACT[family] + more)
    one, two = (load(tmp_path / name, f"06_models/{family}/history.parquet") for name in ("one", "two"))
    np.testing.assert_allclose(two["loss"], one["loss"], rtol=TOLERANCE[family])
    shared = [name for name in one if name.startswith("validation")]
    np.testing.assert_allclose(two[shared], one[shared], rtol=TOLERANCE[family])
    assert (two["exchanged_mb"] > 0).all()
    for pattern in ("06_models/*/weights.safetensors", "08_reporting/runs/manifest.json"):
        assert len(versions(tmp_path / "two", pattern)) == 1
    trained = weights(tmp_path / "two", family)
    for name, array in weights(tmp_path / "one", family).items():
        np.testing.assert_allclose(trained[name], array, rtol=1e-4, atol=1e-6)


@pytest.mark.slow
def test_a_killed_process_restarts_from_the_last_checkpoint_with_the_same_bits(tmp_path):
    arguments = ("--pipelines=knowledge_graph", "--to-outputs=knowledge_graph.weights")
    params = "knowledge_graph.training.max_epochs=60,knowledge_graph.training.stopping.patience=0"
    finish(torchrun(tmp_path / "whole", *arguments, params=params))
    killed = torchrun(tmp_path / "killed", *arguments, params=params, options=("--max-restarts=1",))
    wait_for(tmp_path / "killed", "06_models/knowledge_graph/training_state/*/epoch_*.safetensors")
    os.kill(process_of_rank(killed.pid, 1), signal.SIGKILL)
    (printed,) = finish(killed)
    assert "Resuming after epoch" in printed
    whole, resumed = (weights(tmp_path / name, "knowledge_graph") for name in ("whole", "killed"))
    assert whole.keys() == resumed.keys()
    assert all((array == resumed[name]).all() for name, array in whole.items())


def wait_for(folder: Path, pattern: str, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not list(folder.glob(pattern)):
        assert time.monotonic() < deadline, f"nothing like {pattern} in {folder}"
        time.sleep(0.05)


def process_of_rank(launcher: int, rank: int) -> int:
    children = psutil.Process(launcher).children(recursive=True)
    return next(child.pid for child in children if child.environ().get("RANK") == str(rank))


@pytest.mark.slow
def test_the_tasks_of_srun_are_the_processes_of_one_training(tmp_path):
    names = ("SLURM_NODELIST", "SLURM_JOB_NODELIST", "SLURM_STEP_NODELIST")
    shared = dict.fromkeys(names, "localhost") | {"SLURM_JOB_ID": "4711", "SLURM_STEP_ID": "0", "SLURM_NODEID": "0"}
    shared |= {"SLURM_NTASKS": "2", "SLURM_NTASKS_PER_NODE": "2", "SLURM_NNODES": "1", "SLURM_JOB_NAME": "train"}
    command = [str(KEDRO), "run", "--env=test", "--pipelines=knowledge_graph", f"--params=data_root={tmp_path}"]
    tasks = [start(command, **shared, SLURM_PROCID=rank, SLURM_LOCALID=rank) for rank in "01"]
    finish(*tasks)
    assert len(versions(tmp_path, "08_reporting/runs/manifest.json")) == 1
    assert "exchanged_mb" in load(tmp_path, "06_models/knowledge_graph/history.parquet")
