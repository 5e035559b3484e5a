"""Training as in "Taxonomy optimizations" is reproducible and resumable, and reports points outside the ball."""

import numpy as np
import pytest
from pydantic import ValidationError

from terrarium.hyperbolic.geometry.ball import Layout, norm_of_radius, to_ball
from terrarium.hyperbolic.legacy.trainer import LegacyAdamTrainer, projection_limit
from terrarium.hyperbolic.options import LegacyAdamOptions
from terrarium.hyperbolic.training.cpu.trainer import CpuTrainer
from terrarium.hyperbolic.training.factory import make_trainer
from terrarium.hyperbolic.training.problem import pair_class_weights, pair_weights, total_weights
from terrarium.hyperbolic.training.torch.trainer import TorchTrainer
from terrarium.hyperbolic.training.weights import trained_norm, unpack_weights
from tests.hyperbolic.training.problems import OPTIONS, problem

V1 = {
    "loss": "margin_ranking",
    "optimizer": "legacy_adam",
    "negative_sampler": "same_depth",
    "radius_penalty": 0.01,
    "learning_rate": 0.05,
    "final_learning_rate": 0.05,
}

SHORT_STEPS = {"learning_rate": 0.001, "final_learning_rate": 0.001}
"""Where the gradients of a row cancel, as for a sibling that is a positive of one pair and a negative of the next, the
kernel keeps 1e-18 by fused multiplication and PyTorch 0: one moves the row by its momentum, the other does not. Steps
of this length keep that out of the compared digits."""


def legacy_adam(**changes):
    return OPTIONS["optimizer"]["legacy_adam"] | {"clip_norm": 0.0} | changes


def task(size=400, **changes):
    return problem(size=size, **(V1 | {"legacy_adam": legacy_adam()} | changes))


def trained(epochs=1, **changes):
    run = LegacyAdamTrainer(task(**changes))
    return run, [run.epoch(epoch) for epoch in range(1, epochs + 1)]


def test_the_optimiser_decides_the_trainer():
    assert isinstance(make_trainer(task()), LegacyAdamTrainer)
    assert isinstance(make_trainer(task(optimizer="riemannian_adam")), CpuTrainer)


def test_it_starts_at_the_problems_layout():
    for parametrization in ("ball", "tangent_space"):
        run = LegacyAdamTrainer(task(legacy_adam=legacy_adam(parametrization=parametrization)))
        layout = unpack_weights(run.weights())
        assert np.allclose(norm_of_radius(layout.radius), norm_of_radius(task().target), atol=1e-6)
        assert np.allclose(layout.direction, task().initial.direction, atol=1e-6)


def test_rows_leave_the_ball_and_the_history_and_the_weights_say_so():
    run, (row,) = trained()
    weights = run.weights()
    norm, layout = trained_norm(weights), unpack_weights(weights)
    assert row["fraction_outside"] == np.mean(norm >= 1.0) > 0.0
    assert row["max_norm"] == norm.max() > 1.0
    assert row["max_norm_before_projection"] >= row["max_norm"]
    assert (np.linalg.norm(to_ball(layout), axis=1) < 1.0).all()
    inside = norm < 1.0 - 1e-5
    assert np.allclose(norm_of_radius(layout.radius)[inside], norm[inside])
    assert row["rows_moved_per_batch"] == 400 > row["rows_per_batch"] > 16


@pytest.mark.parametrize(
    "changes", [{"projection": "all_rows"}, {"project_all_every": 1}, {"parametrization": "tangent_space"}]
)
def test_what_holds_all_rows_leaves_none_outside(changes):
    _, (row,) = trained(legacy_adam=legacy_adam(**changes))
    assert row["fraction_outside"] == 0.0
    assert row["max_norm"] <= 1.0


def test_clipping_and_a_smaller_rate_keep_more_rows_inside():
    plain = trained()[1][0]["fraction_outside"]
    assert trained(legacy_adam=legacy_adam(clip_norm=0.1))[1][0]["fraction_outside"] < plain
    assert trained(learning_rate=0.005, final_learning_rate=0.005)[1][0]["fraction_outside"] < plain


def test_the_nudge_keeps_norms_near_their_targets():
    target = norm_of_radius(task().target)
    off = [
        np.abs(trained_norm(trained(legacy_adam=legacy_adam(radial_nudge=share))[0].weights()) - target).mean()
        for share in (0.0, 0.2)
    ]
    assert off[1] < off[0]


def test_the_schedules_and_the_limit():
    limits = {}
    for projection in ("batch_rows", "schedule_as_written", "schedule_corrected"):
        options = LegacyAdamOptions.model_validate(legacy_adam(projection=projection))
        limits[projection] = [projection_limit(options, epoch, 10) for epoch in (1, 5, 10)]
    assert limits["batch_rows"] == [0.99999] * 3
    assert limits["schedule_as_written"] == pytest.approx([1 - 9e-6, 1 - 5e-6, 1.0], abs=1e-12)
    assert limits["schedule_corrected"] == pytest.approx([1 - 1e-5 * 100**0.1, 1 - 1e-4, 0.999], abs=1e-12)
    _, (row,) = trained(legacy_adam=legacy_adam(projection="all_rows", projection_limit=0.8))
    assert row["max_norm"] == pytest.approx(0.8, abs=1e-6)


def test_training_lowers_the_loss():
    slow = {"learning_rate": 0.002, "final_learning_rate": 0.002, "legacy_adam": legacy_adam(projection="all_rows")}
    _, history = trained(8, negative_sampler="true_negatives", pairs="parent_child", margin=1.0, **slow)
    assert history[-1]["loss"] < 0.8 * history[0]["loss"]


def test_the_same_seed_gives_the_same_bits_and_another_does_not():
    first, same, other = (trained(seed=seed)[0].weights() for seed in (1, 1, 2))
    assert first.equals(same)
    assert not first.equals(other)


def test_resumed_equals_uninterrupted():
    whole, _ = trained(3)
    half, _ = trained(1)
    rest = LegacyAdamTrainer(task())
    rest.load(half.state())
    for epoch in (2, 3):
        rest.epoch(epoch)
    assert rest.state().equals(whole.state())
    assert rest.weights().equals(whole.weights())


def test_class_weights_scale_the_loss_of_small_classes():
    plain, weighted = (
        trained(class_weights=given, learning_rate=1e-9, final_learning_rate=1e-9)[1][0] for given in (False, True)
    )
    assert weighted["loss"] > 1.01 * plain["loss"]
    given = task(class_weights=True)
    assert np.allclose(total_weights(given), pair_weights(given) * pair_class_weights(given))
    assert not np.allclose(total_weights(given), total_weights(task()))


@pytest.mark.parametrize("sampler", ["true_negatives", "same_depth", "random", "tiered"])
def test_false_negatives_are_counted_in_all_trainers(sampler):
    given = problem(**(V1 | {"optimizer": "riemannian_adam", "negative_sampler": sampler} | SHORT_STEPS))
    run, reference = CpuTrainer(given), TorchTrainer(given, "cpu")
    row, expected = run.epoch(1), reference.epoch(1)
    dense_row = LegacyAdamTrainer(problem(**(V1 | {"negative_sampler": sampler}))).epoch(1)
    assert row["false_negatives"] == expected["false_negatives"] == dense_row["false_negatives"]
    assert (row["false_negatives"] > 0.01) is (sampler != "true_negatives")
    assert row["loss"] == pytest.approx(expected["loss"], rel=1e-6)


def test_margins_by_depth_are_the_same_in_kernel_and_torch():
    options = {"loss": "margin_ranking", "negative_sampler": "tiered", **SHORT_STEPS}
    given, plain = problem(depth_margin={"min": 0.05, "max": 1.0}, **options), problem(margin=0.05, **options)
    row, expected = CpuTrainer(given).epoch(1), TorchTrainer(given, "cpu").epoch(1)
    assert row["loss"] == pytest.approx(expected["loss"], rel=1e-6)
    assert row["loss"] > CpuTrainer(plain).epoch(1)["loss"]


def test_a_start_about_the_origin_trains():
    given = task(radius_penalty=0.0)
    start = Layout(np.full(len(given.target), 2e-3), given.initial.direction)
    run = LegacyAdamTrainer(type(given)(**{**vars_of(given), "initial": start}))
    row = run.epoch(1)
    assert np.isfinite(row["loss"])
    assert row["mean_norm"] > 0.01


def vars_of(given):
    return {name: getattr(given, name) for name in given.__dataclass_fields__}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"loss": "detour", "negative_sampler": "true_negatives"}, "optimizer legacy_adam needs loss margin_ranking"),
        ({"loss": "distance_softmax", "optimizer": "riemannian_adam"}, "negative_sampler same_depth needs loss"),
        ({"device": "cuda"}, "legacy_adam runs on the CPU only"),
        ({"train_radius": False}, "cannot hold radii"),
        ({"legacy_adam": legacy_adam(parametrization="tangent_space", project_all_every=5)}, "never projected"),
        ({"pairs": "parent_child", "curriculum": "auto"}, r"set sampler\.curriculum to"),
    ],
)
def test_what_does_not_go_together_is_refused(changes, message):
    with pytest.raises(ValidationError, match=message):
        task(**changes)


def test_a_margin_by_depth_is_for_ranking():
    with pytest.raises(ValidationError, match="depth_margin needs loss margin_ranking"):
        problem(depth_margin={"min": 0.1, "max": 0.2})
