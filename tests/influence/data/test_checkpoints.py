import shutil
from dataclasses import replace

import numpy as np
import pytest

from terrarium.influence.data.checkpoints import (
    CheckpointError,
    checkpoint_files,
    last_learning_rate,
    read_best,
    read_snapshots,
)
from terrarium.influence.options import CheckpointOptions
from terrarium.kge.data.graph import Graph
from terrarium.training.checkpointing.fingerprints import MismatchedArtifactsError
from terrarium.training.checkpointing.checkpoint import read_checkpoint
from tests.influence.runs import score, select_queries, train
from tests.kge.graphs import tables

ALL = CheckpointOptions(use="all", epochs=[], num_trainings=1)
LAST = CheckpointOptions(use="last", epochs=[], num_trainings=1)


def test_a_checkpoint_without_history_has_no_learning_rate(trained):
    checkpoint = read_checkpoint(trained.checkpoints / "best.safetensors")
    with pytest.raises(CheckpointError, match="no history"):
        last_learning_rate(replace(checkpoint, history=[]))


def test_checkpoints_are_selected_by_epoch(trained, tmp_path):
    folder, graph = trained.checkpoints, Graph.from_tables(*trained.tables)
    snapshots, _ = read_snapshots(folder, graph, ALL, with_preconditioner=True)
    assert [(one.epoch, one.learning_rate) for one in snapshots] == [(1, 0.003), (2, 0.0015)]
    assert set(snapshots[0].preconditioner) == {name for name, _ in snapshots[0].scorer.named_parameters()}
    assert read_best(folder, graph)[0] in {1, 2}
    second = CheckpointOptions(use="all", epochs=[2], num_trainings=1)
    assert [path.stem for path in checkpoint_files(folder, second)] == ["epoch_000002"]
    with pytest.raises(CheckpointError, match=r"epochs 1, 2, not of \[9\]"):
        checkpoint_files(folder, CheckpointOptions(use="all", epochs=[9], num_trainings=1))
    with pytest.raises(CheckpointError, match="no final"):
        checkpoint_files(tmp_path, LAST)
    with pytest.raises(CheckpointError, match="epochs none"):
        checkpoint_files(tmp_path, ALL)


def test_checkpoints_after_the_exported_epoch_do_not_count(trained, tmp_path):
    shutil.copytree(trained.checkpoints, tmp_path / "first")
    (tmp_path / "first" / "best.safetensors").unlink()
    shutil.copyfile(tmp_path / "first" / "epoch_000001.safetensors", tmp_path / "first" / "best.safetensors")
    until_best = CheckpointOptions(use="until_best", epochs=[], num_trainings=1)
    assert [path.stem for path in checkpoint_files(tmp_path / "first", until_best)] == ["epoch_000001"]
    assert len(checkpoint_files(tmp_path / "first", ALL)) == 2


def test_checkpoints_of_another_graph_and_damaged_ones_are_refused(trained, tmp_path):
    folder, graph = trained.checkpoints, Graph.from_tables(*trained.tables)
    parts = {**graph.splits, "train": graph.splits["train"][1:]}
    with pytest.raises(MismatchedArtifactsError, match="another graph or another split"):
        read_snapshots(folder, Graph(graph.num_entities, graph.num_relations, parts), ALL, with_preconditioner=False)
    shutil.copytree(folder, tmp_path / "damaged")
    (tmp_path / "damaged" / "final.safetensors").unlink()
    (tmp_path / "damaged" / "final.safetensors").write_bytes(b"nothing")
    with pytest.raises(CheckpointError, match="cannot be read"):
        read_snapshots(tmp_path / "damaged", graph, LAST, with_preconditioner=False)


def test_the_preconditioner_is_of_own_vectors_and_the_scorer_has_embeddings(tmp_path):
    triples, entities, relations = tables()
    named = triples, entities.assign(name="old " + entities["entity"]), relations
    trained = train(tmp_path, named, model__entity_encoder="words", training__max_epochs=1)
    graph = Graph.from_tables(*named)
    ((snapshot,), _) = read_snapshots(trained.checkpoints, graph, LAST, with_preconditioner=True)
    assert len(snapshot.scorer.entity.weight) == graph.num_entities
    assert len(snapshot.preconditioner["entity.weight"]) == graph.num_entities + 1
    assert len(snapshot.parts.entity) == graph.num_entities
    queries = select_queries(trained, queries__kind="predictions")
    assert np.isfinite(score(trained, queries).scores["score"]).all()
