import pytest
from click import ClickException
from kedro.pipeline import Node, Pipeline

from terrarium.hooks.process.joining import SHARED_NODES, JoinProcesses
from terrarium.pipeline_registry import register_pipelines

TORCHRUN = {"RANK": "0", "WORLD_SIZE": "2", "LOCAL_RANK": "0", "LOCAL_WORLD_SIZE": "2"}


def test_the_nodes_that_train_in_several_processes_exist():
    assert set(SHARED_NODES) <= {node.name for node in register_pipelines()["__default__"].nodes}


def test_processes_that_a_run_cannot_use_are_refused(monkeypatch):
    for name, value in TORCHRUN.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ClickException, match=r"2 processes and no node that trains in several .*DaskRunner"):
        JoinProcesses().before_pipeline_run(Pipeline([Node(len, "a", "b", name="hyperbolic.train")]))


def test_a_wrong_start_is_one_line(monkeypatch):
    monkeypatch.setenv("SLURM_NTASKS", "2")
    monkeypatch.setenv("SLURM_PROCID", "0")
    monkeypatch.delenv("SLURM_STEP_ID", raising=False)
    with pytest.raises(ClickException, match="srun has not started this process"):
        JoinProcesses().before_pipeline_run(Pipeline([]))


def test_one_process_needs_nothing():
    hook = JoinProcesses()
    hook.before_pipeline_run(Pipeline([]))
    hook.after_pipeline_run()
    hook.on_pipeline_error(ValueError())
