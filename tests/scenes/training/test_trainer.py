import numpy as np
import pytest
import torch

from terrarium.scenes.training.trainer import mean_norm
from terrarium.training.checkpointing.store import TrainingStore
from terrarium.training.fit import fit
from tests.scenes.trainers import make, train
from tests.training.toy import same


def test_the_same_seed_gives_the_same_bits_and_another_does_not(tmp_path):
    first, again, other = (train(tmp_path / str(i), training__seed=seed) for i, seed in enumerate((0, 0, 1)))
    assert same(first, again)
    assert not first.final.equals(other.final)


@pytest.mark.parametrize(
    "changes", [{}, {"training__loss__name": "info_nce", "training__schedule__warm_restarts": True}]
)
def test_a_resumed_training_equals_an_uninterrupted_one(tmp_path, changes):
    class Killed(Exception):
        pass

    changes |= {"training__schedule__cycle_epochs": 2, "model__dropout": 0.2}
    whole = train(tmp_path / "whole", 4, **changes)
    trainer, chosen = make(training__max_epochs=4, **changes)
    epoch = trainer.epoch

    def killed(number):
        if number == 3:
            raise Killed
        return epoch(number)

    trainer.epoch = killed
    with pytest.raises(Killed):
        fit(trainer, options=chosen.training, store=TrainingStore(tmp_path / "b"), fingerprint={"data": "small"})
    torch.manual_seed(99)
    assert same(whole, train(tmp_path / "b", 4, **changes))


def test_training_leaves_the_global_generator_alone():
    trainer, _ = make(model__dropout=0.5)
    before = torch.get_rng_state()
    trainer.epoch(1)
    assert torch.equal(before, torch.get_rng_state())


def test_gradients_are_clipped_to_the_norm():
    trainer, _ = make(training__optimizer__clip_norm=0.001)
    numbers = trainer.epoch(1)
    assert numbers["gradient_norm"] > 0.001
    gradients = [p.grad for p in trainer.objective.parameters() if p.grad is not None]
    assert float(torch.stack([g.norm() for g in gradients]).norm()) <= 0.00101


def test_overflowing_steps_do_not_count_for_the_gradient_norm():
    assert mean_norm([1.0, float("inf"), 3.0, float("nan")]) == 2.0
    assert np.isnan(mean_norm([float("inf")]))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("precision", ["32-true", "16-mixed"])
def test_on_a_gpu_the_same_seed_gives_the_same_bits_and_a_finite_norm(tmp_path, precision):
    """Pooling and message passing add in a fixed order."""
    changes = {"training__device": "cuda", "training__precision": precision}
    first, again = (train(tmp_path / str(i), **changes) for i in range(2))
    assert same(first, again)
    assert np.isfinite(first.history["gradient_norm"]).all()


def test_each_cycle_has_a_new_optimizer():
    restarts = {"training__schedule__warm_restarts": True, "training__schedule__cycle_epochs": 1}
    trainer, _ = make(**restarts)
    trainer.epoch(1)
    steps = next(iter(trainer._optimizer.state.values()))["step"].item()
    trainer.epoch(2)
    assert next(iter(trainer._optimizer.state.values()))["step"].item() == steps


def test_a_context_stays_with_its_node():
    trainer, _ = make(training__augmentation__node_drop_prob=0.5, training__augmentation__temporal_positive_prob=0.0)
    given = trainer._problem
    chosen = given.train[:8]
    first, *_ = trainer._batch(chosen, np.random.default_rng(0))
    whole = given.graphs.view(chosen)
    assert len(first.x) < len(whole.x)
    pairs = {(int(graph), int(context)) for graph, context in zip(whole.graph, whole.context, strict=True)}
    assert {(int(g), int(c)) for g, c in zip(first.graph, first.context, strict=True)} <= pairs


def test_temporal_positives_take_the_graph_a_second_later():
    trainer, _ = make(training__augmentation__temporal_positive_prob=1.0)
    given = trainer._problem
    chosen = given.train[given.next_row[given.train] >= 0][:8]
    still = dict.fromkeys(("node_noise", "edge_noise", "edge_drop_prob", "node_drop_prob"), 0.0)
    augmentation = trainer._options.augmentation.model_copy(update=still)
    trainer._options = trainer._options.model_copy(update={"augmentation": augmentation})
    _, second, *_ = trainer._batch(chosen, np.random.default_rng(0))
    assert np.array_equal(second.x.numpy(), given.graphs.view(given.next_row[chosen]).x)


def test_only_the_second_view_is_changed_when_asked_for():
    trainer, _ = make(training__augmentation__apply_to="second")
    chosen = trainer._problem.train[:8]
    first, second, *_ = trainer._batch(chosen, np.random.default_rng(0))
    plain = trainer._problem.graphs.view(chosen)
    assert np.array_equal(first.x.numpy(), plain.x)
    assert second.x.shape != plain.x.shape or not np.array_equal(second.x.numpy(), plain.x)
