import logging
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from terrarium.kge.data.graph import Graph
from terrarium.kge.data.queries import KnownAnswers
from terrarium.kge.evaluation.ranking import rank_triples
from terrarium.kge.models.scorer import load_scorer
from terrarium.kge.training.defaults import fill_training
from terrarium.kge.training.memory import SavedMemory, measure_saved_mb
from terrarium.kge.training.messages import log_savings, log_start
from terrarium.kge.training.trainer import Batch, NothingToTrainError, ScorerTrainer
from terrarium.training.checkpointing.store import TrainingStore
from terrarium.training.fit import TrainingDiverged, fit
from terrarium.training.torch.device import DeviceError
from tests.kge.graphs import graph, options, random_graph
from tests.training.toy import same


def make(given=None, **changes):
    chosen = options(**changes)
    return ScorerTrainer(given or graph(), chosen.model, chosen.training, chosen.evaluation), chosen


def train(folder, epochs=3, given=None, **changes):
    trainer, chosen = make(given, training__max_epochs=epochs, **changes)
    filled = fill_training(given or graph(), chosen.training)
    return fit(trainer, options=filled, store=TrainingStore(folder), fingerprint={"data": "small"})


@pytest.mark.parametrize("kind", ["conve", "complex", "distmult"])
def test_training_lowers_the_loss_and_learns_what_it_is_shown(tmp_path, kind):
    made = random_graph()
    shown = Graph(
        30, 4, {"train": made.splits["train"], "validation": made.splits["train"][:40], "test": made.splits["test"]}
    )
    changes = {
        "model__name": kind,
        "model__dim": 32,
        "training__optimizer__learning_rate": 0.02,
        "training__schedule__learning_rate_decay": 1.0,
        "training__validation__interval": 20,
    }
    history = train(tmp_path, 40, shown, **changes, training__stopping=_patient()).history
    assert history["loss"].iloc[-1] < 0.7 * history["loss"].iloc[0]
    assert history["validation_mrr"].iloc[-1] > 0.5


def _patient():
    return {"patience": 0, "min_delta": 0.0, "metric": "loss", "direction": "min"}


@pytest.mark.parametrize("changes", [{}, {"model__name": "complex", "training__optimizer__name": "adagrad"}])
def test_a_resumed_training_equals_an_uninterrupted_one(tmp_path, changes):
    class Killed(Exception):
        pass

    whole = train(tmp_path / "whole", 4, **changes)
    trainer, chosen = make(training__max_epochs=4, **changes)
    epoch = trainer.epoch

    def killed(number):
        if number > 2:
            raise Killed
        return epoch(number)

    trainer.epoch = killed
    given = {
        "options": fill_training(graph(), chosen.training),
        "store": TrainingStore(tmp_path / "killed"),
        "fingerprint": {"data": "small"},
    }
    with pytest.raises(Killed):
        fit(trainer, **given)
    torch.manual_seed(99)
    assert same(whole, fit(make(training__max_epochs=4, **changes)[0], **given))


def test_the_same_seed_gives_the_same_bits_and_another_does_not(tmp_path):
    first, again, other = (train(tmp_path / str(i), 2, training__seed=seed) for i, seed in enumerate((0, 0, 1)))
    assert same(first, again)
    assert not first.final.equals(other.final)


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_checkpointing_changes_memory_and_nothing_else(tmp_path, precision):
    """Weights and running statistics to the same bits, though the forward pass runs twice."""
    plain = train(tmp_path / "a", 2, training__precision=precision)
    saving = train(tmp_path / "b", 2, training__precision=precision, training__memory__gradient_checkpointing=True)
    assert saving.final.equals(plain.final)
    trainer, _ = make(training__precision=precision)
    before = trainer.state()
    kept, without = trainer.measure_saved_mb()
    assert kept < 0.7 * without
    assert trainer.state().equals(before)


@pytest.mark.parametrize("size", [3, 6, 32])
def test_what_a_batch_keeps_is_read_off_few_rows(monkeypatch, size):
    """A report that runs a whole batch would make the peak of memory that it speaks of."""
    trainer, _ = make(training__batch_size=size, training__memory__entity_chunk_size=0)
    asked, encode = [], trainer.scorer.encoder.forward
    monkeypatch.setattr(trainer.scorer.encoder, "forward", lambda *given: asked.append(len(given[0])) or encode(*given))
    found = trainer.measure_saved_mb()
    assert max(asked) <= 8
    rows = np.arange(size)
    ones = torch.ones(size, dtype=torch.long)
    first = trainer.queries.answers[trainer.queries.offsets[rows]]
    arrays = (trainer.queries.entity[rows], trainer.queries.relation[rows], rows, first)
    batch = Batch(size, *(torch.from_numpy(array) for array in arrays), ones, ones.float())
    whole = measure_saved_mb(
        trainer.scorer, lambda checkpointing: trainer._loss_of(trainer._model, batch, checkpointing), trainer._fabric
    )
    assert found == pytest.approx(whole, rel=0.01)


@pytest.mark.parametrize("loss", ["bce", "cross_entropy"])
def test_chunks_of_entities_train_as_all_at_once_does(tmp_path, loss):
    whole = train(tmp_path / "a", 2, training__loss__name=loss, training__memory__entity_chunk_size=0)
    pieces = train(tmp_path / "b", 2, training__loss__name=loss, training__memory__entity_chunk_size=10)
    for name in ("entity.weight", "relation.weight", "bias"):
        assert np.allclose(whole.final.tensors[name], pieces.final.tensors[name], atol=1e-4), name
    assert np.allclose(whole.history["loss"], pieces.history["loss"], rtol=1e-5)


def test_chunks_train_in_mixed_precision_and_a_batch_of_one_row_never_comes(tmp_path):
    made = graph()
    rows = len(make(made)[0].queries)
    history = train(
        tmp_path,
        1,
        made,
        training__batch_size=rows - 1,
        training__precision="mixed",
        training__memory__entity_chunk_size=7,
    ).history
    assert np.isfinite(history["loss"]).all()


def test_single_rows_without_a_way_back_are_the_training_triples():
    trainer, _ = make(training__train_type="1vsAll", model__inverse_relations=False)
    assert len(trainer.queries) == len(graph().splits["train"])
    assert math.isfinite(trainer.epoch(1)["loss"])


def test_validation_is_measured_every_so_many_epochs_and_at_the_end(tmp_path):
    history = train(tmp_path, 5, training__validation__interval=2, training__validation__max_triples=6).history
    assert history["validation_mrr"].notna().tolist() == [False, True, False, True, True]
    sides = history[["validation_head_mrr", "validation_tail_mrr"]].mean(axis=1)
    assert np.allclose(sides, history["validation_mrr"], equal_nan=True)


def test_the_best_epochs_weights_are_kept_and_give_its_measure_again(tmp_path):
    result = train(tmp_path, 6, training__optimizer__learning_rate=0.05)
    made, chosen = graph(), options()
    ranks = rank_triples(
        load_scorer(result.best, made.fingerprint),
        made.splits["validation"],
        KnownAnswers(made.known_triples, made.num_relations),
        chosen.evaluation,
    )
    best = result.history.loc[result.history["best"], "validation_mrr"].iloc[0]
    assert (1 / ranks).mean() == pytest.approx(best, rel=1e-6)
    assert best == result.history["validation_mrr"].max()


def test_the_penalty_and_the_decay_act(tmp_path):
    plain = train(tmp_path / "a", 2, model__name="complex", training__schedule__learning_rate_decay=0.5)
    held = train(tmp_path / "b", 2, model__name="complex", training__loss__n3_weight=1.0)
    assert held.history["loss"].iloc[0] > plain.history["loss"].iloc[0]
    assert plain.history["learning_rate"].tolist() == [0.003, 0.0015]


def test_a_loss_that_is_no_number_stops_the_training(tmp_path):
    with pytest.raises(TrainingDiverged, match="lower learning rate or a higher precision"):
        train(tmp_path, 30, model__name="distmult", training__optimizer__learning_rate=1e30)


def test_what_cannot_be_trained_is_refused():
    made = random_graph()
    empty = Graph(30, 4, dict(made.splits, validation=made.splits["validation"][:0]))
    with pytest.raises(NothingToTrainError, match="there are no validation triples"):
        make(empty)
    one = Graph(30, 4, dict(made.splits, train=made.splits["train"][:1]))
    with pytest.raises(NothingToTrainError, match="fewer than two rows"):
        make(one, model__inverse_relations=False)
    with pytest.raises(DeviceError, match="16-mixed needs a GPU"):
        make(training__precision="16-mixed")


def test_the_log_says_what_the_optimisations_save(caplog):
    caplog.set_level(logging.INFO)
    trainer, chosen = make(training__memory__gradient_checkpointing=True, training__memory__cleanup=True)
    saved = log_savings(trainer, chosen.training)
    log_start(graph(), chosen.model, chosen.training, len(trainer.queries), {"use_mixed_precision": False})
    assert saved["kept_for_backward_mb"] < saved["kept_without_checkpointing_mb"]
    assert "Gradient checkpointing: a batch keeps" in caplog.text
    assert "use_mixed_precision: off" in caplog.text
    assert "Memory cleanup saves nothing here" in caplog.text
    assert "fp16 needs a GPU" in caplog.text
    product, chosen = make(
        model__name="distmult", training__memory__gradient_checkpointing=True, training__batch_size=4
    )
    product.measure_saved_mb = lambda: SavedMemory(1.0, 1.0)
    log_savings(product, chosen.training)
    assert "saves nothing of the 1.0 MB" in caplog.text


def test_cleanup_is_counted_in_the_history(tmp_path):
    history = train(tmp_path, 1, training__memory__cleanup=True).history
    assert history["cleanup_released_mb"].tolist() == [0.0]


@pytest.mark.parametrize("loss", ["bce", "cross_entropy"])
@pytest.mark.parametrize("optimizer", ["adam", "adagrad"])
@pytest.mark.parametrize("hierarchy", [None, 1])
def test_a_sample_of_all_entities_trains_as_all_of_them_do(tmp_path, loss, optimizer, hierarchy):
    """Also where rows are updated sparsely, and where embeddings are sums over ancestors."""
    given = replace(random_graph(), hierarchy=hierarchy)
    changes = {"training__loss__name": loss, "training__optimizer__name": optimizer, "model__name": "complex"}
    changes |= {"training__loss__n3_weight": 0.1, "training__loss__relation_weight": 0.5, "model__dim": 8}
    changes |= {"model__input_dropout": 0.0, "model__output_dropout": 0.0}
    whole = train(tmp_path / "a", 2, given, **changes, training__num_negatives=0)
    sampled = train(tmp_path / "b", 2, given, **changes, training__num_negatives=3000)
    assert np.allclose(whole.history["loss"], sampled.history["loss"], rtol=1e-5)
    for name in ("entity.weight", "relation.weight", "bias"):
        assert np.allclose(whole.final.tensors[name], sampled.final.tensors[name], atol=2e-4), name


def test_a_sample_learns_what_it_is_shown(tmp_path):
    made = random_graph()
    shown = replace(made, splits={**made.splits, "validation": made.splits["train"][:40]})
    changes = {"training__optimizer__learning_rate": 0.1, "training__schedule__learning_rate_decay": 1.0}
    changes |= {"model__name": "complex", "model__dim": 32, "training__optimizer__name": "adagrad"}
    history = train(tmp_path, 40, shown, **changes, training__num_negatives=5, training__stopping=_patient()).history
    assert history["validation_mrr"].iloc[-1] > 0.5
