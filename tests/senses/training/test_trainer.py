import logging
from dataclasses import replace

import numpy as np
import pytest
import torch

from terrarium.senses.data.relations import RELATIONS
from terrarium.senses.training import batches
from terrarium.senses.training.batch_losses import LossMeter, batch_losses, gather_vectors
from terrarium.senses.training.batches import draw_batches, split_batch
from terrarium.senses.training.memory import OutOfMemoryError
from terrarium.senses.training.trainer import Gradients, SenseTrainer
from terrarium.training.checkpointing.checkpoint import read_checkpoint
from terrarium.training.checkpointing.store import TrainingStore
from terrarium.training.fit import fit
from tests.senses.lexicon import options, problem
from tests.training.toy import same


def make(**changes):
    chosen = options(**changes)
    return SenseTrainer(problem(chosen), chosen.model, chosen.training), chosen


def train(folder, epochs=4, **changes):
    trainer, chosen = make(training__max_epochs=epochs, **changes)
    return fit(
        trainer,
        options=chosen.training,
        store=TrainingStore(folder),
        fingerprint={"data": "small"},
        restarts="columns_added_next",
    )


def batch_of(made, size=32, seed=0):
    changes = {"taxonomy_pairs_per_link": 2.0, "antonym_pairs_per_link": 0.5}
    sampler = options().training.sampler.model_copy(update=changes)
    return next(draw_batches(made._problem, "train", size, sampler, np.random.default_rng(seed)))


def no_gradients(made):
    """Gradients of zero."""
    return Gradients(torch.zeros_like(made.table.rows), torch.zeros_like(made.table.maps))


def test_training_lowers_both_losses(tmp_path):
    moving = {"training__loss__vector_link_weight": 1.0, "training__optimizer__learning_rate": 0.3}
    history = train(tmp_path, 8, model__init="random", training__growth__enabled=False, **moving).history
    assert history["loss"].iloc[-1] < 0.6 * history["loss"].iloc[0]
    assert history["validation_loss"].min() < history["validation_loss"].iloc[0]


def test_the_same_seed_gives_the_same_bits_and_another_does_not(tmp_path):
    first, again, other = (train(tmp_path / str(i), training__seed=seed) for i, seed in enumerate((0, 0, 1)))
    assert same(first, again)
    assert not first.final.equals(other.final)


@pytest.mark.parametrize("stop", [2, 3, 5])
def test_a_resumed_training_equals_an_uninterrupted_one_also_after_growth(tmp_path, stop):
    class Killed(Exception):
        pass

    whole = train(tmp_path / "whole", 7)
    assert whole.history["dim"].nunique() > 1
    trainer, chosen = make(training__max_epochs=7)
    epoch = trainer.epoch

    def killed(number):
        if number > stop:
            raise Killed
        return epoch(number)

    trainer.epoch = killed
    store = TrainingStore(tmp_path / "killed")
    given = {"options": chosen.training, "store": store, "fingerprint": {"data": "small"}}
    with pytest.raises(Killed):
        fit(trainer, **given, restarts="columns_added_next")
    resumed = fit(make(training__max_epochs=7)[0], **given, restarts="columns_added_next")
    assert same(whole, resumed)


def test_what_was_validated_is_what_is_saved(tmp_path):
    """The best state gives its own validation loss again, though columns were added after it."""
    result = train(tmp_path, 7)
    trainer, _ = make()
    best = result.history.loc[result.history["best"]].iloc[0]
    trainer.load(read_checkpoint(result.checkpoints.folder / "best.safetensors").state)
    assert trainer.validate()["loss"] == pytest.approx(best["validation_loss"], rel=1e-6)
    assert trainer.table.dim == best["dim"] == result.best.tensors["codes"].shape[1]


def test_patience_restarts_after_growth(tmp_path):
    changes = {"training__stopping": {"patience": 3, "min_delta": 1e9, "metric": "validation_loss", "direction": "min"}}
    grown = train(tmp_path / "a", 30, training__growth__rule="timetable", **changes)
    fixed = train(tmp_path / "b", 30, training__growth__enabled=False, **changes)
    assert fixed.epochs == 4
    assert grown.epochs > fixed.epochs


def test_growth_is_logged_with_its_numbers(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    history = train(tmp_path, 6, training__growth__rule="timetable").history
    assert history["dim"].tolist() == [24, 24, 40, 40, 40, 40]
    assert "[Epoch 2] Adding 16 dimensions (24 -> 40)" in caplog.text
    assert "Adapted batch size to 32" not in caplog.text
    assert "Maximum dimensions reached (40)" in caplog.text
    assert "Total dimensions: 24" in caplog.text
    assert "exact zeros (target: 40% to 70%)" in caplog.text


def test_a_large_batch_shrinks_with_growth_and_is_clipped_to_the_data(tmp_path):
    trainer, _ = make(training__batch_size=1_048_576)
    assert trainer.batch_size == len(problem().links["train"])
    small, _ = make(training__batch_size=64)
    assert small.batch_size == 64


def test_memory_is_checked_before_it_is_used(tmp_path, caplog):
    with pytest.raises(OutOfMemoryError, match=r"senses\.model\.dim 24 needs .* are free: lower"):
        make(training__memory_limit_gb=1e-6)
    start, _ = make()
    limit = start.memory_bytes(24) / 1e9 * 1.02
    history = train(tmp_path, 6, training__growth__rule="timetable", training__memory_limit_gb=limit).history
    assert (history["dim"] == 24).all()
    assert "No growth: growth to 40 dimensions needs" in caplog.text


def test_columns_that_carry_nothing_are_removed(tmp_path, caplog):
    """Columns beyond the rank of a spectral start are zeros, and links bring none of them to life."""
    caplog.set_level(logging.INFO)
    antonyms = {"model__antonym_energy": 0.0, "training__loss__antonym_weight": 0.0}
    chosen = options(model__dim=50, training__growth__max_dim=50, **antonyms)
    given = problem(chosen)
    given = replace(given, spectral=np.pad(given.spectral[:, :40], [(0, 0), (0, 10)]))
    fitted = {"options": chosen.training, "store": TrainingStore(tmp_path), "fingerprint": {"data": "small"}}
    result = fit(SenseTrainer(given, chosen.model, chosen.training), **fitted, restarts="columns_added_next")
    assert result.history["dim"].tolist() == [50, 50, 40, 40]
    assert result.final.tensors["maps"].shape[2] == result.final.tensors["codes"].shape[1] == 40
    assert "Removing 10 unused dimensions (50 -> 40)" in caplog.text


def test_adapted_batches_start_from_the_number_of_links(tmp_path, monkeypatch):
    """A batch_size above the data is all of it at first, and a part of it after a growth."""
    monkeypatch.setattr(batches, "BATCH_FLOOR", 8)
    history = train(tmp_path, 4, training__growth__rule="timetable", training__batch_size=1_048_576).history
    links = len(problem().links["train"])
    assert history["batch_size"].tolist() == [links, links, int(links * 24 / 40), int(links * 24 / 40)]


def test_a_batch_in_parts_has_the_gradient_of_the_whole():
    made, _ = make()
    batch = batch_of(made)
    whole, parts = no_gradients(made), no_gradients(made)
    _, losses = made.add_gradients(batch, whole)
    meter, again = LossMeter(made._weights), LossMeter(made._weights)
    meter.add(losses)
    for part in split_batch(batch, 8):
        again.add(made.add_gradients(part, parts)[1])
    for name in ("rows", "maps"):
        assert torch.allclose(getattr(whole, name), getattr(parts, name), atol=1e-3)
    assert meter.means()["loss"] == pytest.approx(again.means()["loss"], rel=1e-4)


def test_gradients_reach_the_rows_of_the_batch_alone():
    made, _ = make()
    batch = batch_of(made, size=4)
    gradients = no_gradients(made)
    rows, _ = made.add_gradients(batch, gradients)
    moved = gradients.rows.abs().sum(1).nonzero()[:, 0]
    assert set(moved.tolist()) <= set(rows.tolist())
    assert len(moved) > 4


def test_the_gradient_is_that_of_the_loss():
    """A step along the gradient on the sphere lowers the loss by the product of both.

    The direction loss has no part in it, since it trains the relations alone. Antonyms start elsewhere than at their
    margin, where their loss has no derivative.
    """
    zeros = {"training__sparsity__zero_fraction": 0.0, "model__antonym_energy": 0.0}
    made, _ = make(training__loss__direction_weight=0.0, training__loss__vector_link_weight=1.0, **zeros)
    batch = batch_of(made)
    gradients = no_gradients(made)
    _, losses = made.add_gradients(batch, gradients)
    gradient = gradients.rows
    before = losses.total(made._weights, len(batch.links)).item()
    rows = made.table.rows.clone()
    tangent = gradient - (gradient * rows).sum(1, keepdim=True) * rows
    tangent[made.table.synsets :] = 0
    step = 1e-4
    made.table.rows = rows - step * tangent
    after = batch_losses(made.table, gather_vectors(made.table, batch, None), made.table.maps, made._options.loss)
    fall = before - after.total(made._weights, len(batch.links)).item()
    assert fall == pytest.approx(step * float((tangent**2).sum()), rel=0.1)


def test_the_direction_loss_moves_relations_and_no_vectors():
    batch = batch_of(make()[0])
    with_loss, without = (make(training__loss__direction_weight=weight)[0] for weight in (50.0, 0.0))
    first, second = no_gradients(with_loss), no_gradients(without)
    with_loss.add_gradients(batch, first)
    without.add_gradients(batch, second)
    assert torch.equal(first.rows, second.rows)
    assert not torch.allclose(first.maps, second.maps)


def test_links_move_vectors_as_much_as_asked_and_offsets_and_maps_in_any_case():
    others = {"training__loss__taxonomy_weight": 0.0, "training__loss__antonym_weight": 0.0}
    batch, found = batch_of(make()[0]), []
    for weight in (0.0, 0.5, 1.0):
        made, _ = make(training__loss__vector_link_weight=weight, **others)
        found.append(no_gradients(made))
        made.add_gradients(batch, found[-1])
    sizes = [made.table.synsets, made._problem.offsets + 1]
    none, half, whole = (torch.split(gradients.rows, sizes) for gradients in found)
    assert (none[0] == 0).all()
    assert whole[0].abs().max() > 0
    assert torch.allclose(half[0], whole[0] / 2, atol=1e-5)
    assert torch.equal(none[1], whole[1])
    assert torch.equal(found[0].maps, found[2].maps)
    assert whole[1].abs().max() > 0


def test_prefixes_are_trained(tmp_path):
    plain, nested = train(tmp_path / "a"), train(tmp_path / "b", training__loss__matryoshka_dims=[4, 8])
    assert not np.allclose(plain.history["link_loss"], nested.history["link_loss"])


def test_named_axes_are_learned_when_enabled(tmp_path):
    result = train(tmp_path, 12, training__named_axes__enabled=True, training__growth__enabled=False)
    history = result.history
    assert history["polarity_loss"].iloc[-1] < history["polarity_loss"].iloc[0]
    codes, polar = result.final.tensors["codes"], result.final.tensors["polar"]
    axis = int(np.flatnonzero(polar)[0])
    axes = problem(options(training__named_axes__enabled=True)).axes
    assert codes[axes.first[0], axis] > codes[axes.second[0], axis]


def test_without_validation_links_a_training_runs():
    chosen = options()
    given = problem(chosen)
    none = given.links["validation"].take(np.zeros(0, np.int64))
    given = replace(given, links={**given.links, "validation": none})
    made = SenseTrainer(given, chosen.model, chosen.training)
    assert np.isfinite(made.epoch(1)["loss"])


def test_exported_weights_have_their_zeros_and_relations(tmp_path):
    best = train(tmp_path, 3, training__growth__enabled=False).best
    codes = best.tensors["codes"]
    assert (codes == 0).mean() == pytest.approx(14 / 24)  # the parameter, in whole entries
    assert np.allclose(np.linalg.norm(codes, axis=1), 1, atol=1e-5)
    assert best.metadata["relations"] == list(RELATIONS)
