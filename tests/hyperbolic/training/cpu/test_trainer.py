"""Both trainers on one problem: they agree, are reproducible, and resume to the same bits."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from terrarium.hyperbolic.evaluation.distortion import distortion
from terrarium.hyperbolic.evaluation.reconstruction import choose_queries, reconstruct
from terrarium.hyperbolic.geometry.ball import Layout, detour
from terrarium.hyperbolic.layouts.initial import inherited_directions, move_off_origin
from terrarium.hyperbolic.layouts.rays import ray_layout
from terrarium.hyperbolic.layouts.targets import target_radii
from terrarium.hyperbolic.training.cpu.trainer import CpuTrainer, run_in_threads
from terrarium.hyperbolic.training.factory import make_trainer
from terrarium.hyperbolic.training.problem import Problem, pair_weights
from terrarium.hyperbolic.training.schedule import LearningRateSchedule
from terrarium.hyperbolic.training.torch.trainer import TorchTrainer
from terrarium.hyperbolic.training.weights import unpack_weights
from terrarium.training.torch.device import DeviceError
from tests.hyperbolic.training.problems import FEATURES, order_of, problem, training_options
from tests.hyperbolic.trees import random_dag, random_tree


@pytest.mark.parametrize("loss", ["detour", "distance_softmax", "margin_ranking"])
@pytest.mark.parametrize("train_radius", [True, False])
@pytest.mark.parametrize("optimizer", ["riemannian_adam", "riemannian_sgd"])
def test_kernel_equals_torch(loss, train_radius, optimizer):
    task = problem(max_radius=3.0, loss=loss, train_radius=train_radius, optimizer=optimizer)
    compiled, autograd = CpuTrainer(task), TorchTrainer(task, "cpu")
    for epoch in (1, 2):
        numbers, expected = compiled.epoch(epoch), autograd.epoch(epoch)
        for name, value in numbers.items():
            assert value == pytest.approx(expected[name], rel=1e-5, abs=1e-6), name
    found, wanted = unpack_weights(compiled.weights()), unpack_weights(autograd.weights())
    assert np.allclose(found.radius, wanted.radius, atol=1e-5)
    assert np.allclose(found.direction, wanted.direction, atol=1e-3)


JOINT = {"loss": "joint", "train_radius": True}


def joint_problem(tree, start, **changes):
    return replace(
        problem(**JOINT, **changes),
        tree=tree,
        **dict(zip(("ancestor", "descendant", "difference"), tree.closure(), strict=True)),
        initial=move_off_origin(start),
        target=start.radius,
        root_distance=root_distances(tree),
    )


@pytest.mark.parametrize("make", [random_tree, random_dag])
@pytest.mark.parametrize("batch_size", [16, 1000])
def test_kernel_equals_torch_in_the_joint_loss(make, batch_size):
    tree = make(np.random.default_rng(2), 120)
    task = joint_problem(tree, ray_layout(tree, 5, 12.0), batch_size=batch_size)
    compiled, autograd = CpuTrainer(task), TorchTrainer(task, "cpu")
    for epoch in (1, 2):
        numbers, expected = compiled.epoch(epoch), autograd.epoch(epoch)
        for name, value in numbers.items():
            assert value == pytest.approx(expected[name], rel=1e-5, abs=1e-6), name
    found, wanted = unpack_weights(compiled.weights()), unpack_weights(autograd.weights())
    assert np.allclose(found.radius, wanted.radius, atol=1e-5)
    assert np.allclose(found.direction, wanted.direction, atol=1e-3)


def test_sampling_on_the_device_trains_too():
    tree = random_tree(np.random.default_rng(2), 300)
    start, sample = ray_layout(tree, 5, 4.0), choose_queries(tree, 1000, 1000, 0)
    run = TorchTrainer(joint_problem(tree, start, batch_size=256, learning_rate=0.05), "cpu", sample_on_device=True)
    losses = [run.epoch(epoch)["loss"] for epoch in range(1, 9)]
    before, after = (
        reconstruct(tree, layout, sample).metrics()["ancestor_map_detour"]
        for layout in (start, unpack_weights(run.weights()))
    )
    assert losses[-1] < 0.9 * losses[0]
    assert after > before


def root_distances(tree):
    """Lengths 0.5 and 1.5 by turns."""
    way = np.zeros(len(tree))
    for row in range(1, len(tree)):
        way[row] = way[tree.parent[row]] + 0.5 + row % 2
    return way


def test_joint_training_raises_all_that_it_is_made_of():
    tree = random_tree(np.random.default_rng(2), 300)
    start = ray_layout(tree, 4, 4.0)
    run = CpuTrainer(joint_problem(tree, start, positive_weight=0.0, learning_rate=0.05, max_epochs=20))
    for epoch in range(1, 21):
        run.epoch(epoch)
    sample = choose_queries(tree, 1000, 1000, 0)
    before, after = (
        reconstruct(tree, layout, sample).metrics()
        | distortion(tree, layout, max_pairs=10_000, seed=0, root_distance=root_distances(tree))
        for layout in (start, unpack_weights(run.weights()))
    )
    for metric in ("ancestor_map_detour", "edge_map", "hops_spearman"):
        assert after[metric] > before[metric], metric


def test_each_weight_of_the_joint_loss_serves_its_own_metric():
    tree = random_tree(np.random.default_rng(2), 300)
    start, sample = ray_layout(tree, 4, 4.0), choose_queries(tree, 1000, 1000, 0)
    metrics = {}
    for name in ("edge_weight", "stress_weight"):
        chosen = {"edge_weight": 0.0, "stress_weight": 0.0, name: 30.0, "learning_rate": 0.05}
        run = CpuTrainer(joint_problem(tree, start, positive_weight=0.0, **chosen))
        for epoch in range(1, 11):
            run.epoch(epoch)
        layout = unpack_weights(run.weights())
        metrics[name] = reconstruct(tree, layout, sample).metrics() | distortion(
            tree, layout, max_pairs=10_000, seed=0, root_distance=root_distances(tree)
        )
    assert metrics["edge_weight"]["edge_map"] > metrics["stress_weight"]["edge_map"]
    assert metrics["stress_weight"]["hops_spearman"] > metrics["edge_weight"]["hops_spearman"]


@pytest.mark.slow
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_training_on_a_gpu():
    tree = random_tree(np.random.default_rng(2), 5000)
    task = joint_problem(tree, ray_layout(tree, 5, 6.0), batch_size=8192, learning_rate=0.05)
    runs = CpuTrainer(task), TorchTrainer(task, "cuda")
    losses = [[run.epoch(epoch)["loss"] for epoch in range(1, 6)] for run in runs]
    assert all(found[-1] < found[0] for found in losses)


def test_the_same_seed_gives_the_same_bits_and_another_does_not():
    runs = [CpuTrainer(problem(seed=seed)) for seed in (1, 1, 2)]
    for run in runs:
        run.epoch(1)
    assert runs[0].weights().equals(runs[1].weights())
    assert not runs[0].weights().equals(runs[2].weights())


def test_training_leaves_the_problem_as_it_is():
    task = problem()
    direction = task.initial.direction.copy()
    CpuTrainer(task).epoch(1)
    assert (task.initial.direction == direction).all()


@pytest.mark.parametrize("trainer", [CpuTrainer, lambda task: TorchTrainer(task, "cpu")])
def test_resumed_equals_uninterrupted(trainer):
    whole, half = trainer(problem()), trainer(problem())
    for epoch in (1, 2, 3):
        whole.epoch(epoch)
    half.epoch(1)
    rest = trainer(problem())
    rest.load(half.state())
    for epoch in (2, 3):
        rest.epoch(epoch)
    assert rest.weights().equals(whole.weights())
    found, wanted = rest.state().tensors, whole.state().tensors
    assert all((found[name] == wanted[name]).all() for name in wanted if not name.startswith("random."))
    assert {name: array.dtype for name, array in found.items()} == {name: wanted[name].dtype for name in found}


@pytest.mark.parametrize("loss", ["joint", "detour", "distance_softmax", "margin_ranking"])
def test_training_lowers_the_loss_and_stays_inside(loss):
    run = CpuTrainer(problem(loss=loss, learning_rate=0.05))
    history = [run.epoch(epoch) for epoch in range(1, 8)]
    assert history[-1]["loss"] < 0.8 * history[0]["loss"]
    assert all(row["fraction_outside"] == 0.0 and row["max_norm"] < 1.0 for row in history)


def test_only_with_a_radius_penalty_do_radii_follow_far_targets():
    free, bound = CpuTrainer(problem(radius_penalty=0.0)), CpuTrainer(problem(radius_penalty=100.0))
    for epoch in (1, 2, 3):
        free.epoch(epoch)
        bound.epoch(epoch)
    target = problem().target
    far = [np.abs(unpack_weights(run.weights()).radius - target).mean() for run in (free, bound)]
    assert far[1] < 0.5 * far[0]


def test_pair_weights_and_learning_rate():
    task = problem(learning_rate=0.04, final_learning_rate=0.01, max_epochs=3)
    assert [LearningRateSchedule(task.options).rate(epoch) for epoch in (1, 2, 3)] == pytest.approx([0.04, 0.02, 0.01])
    assert np.allclose(pair_weights(task), np.sqrt(task.difference + 1.0))
    assert (pair_weights(problem(pair_weights="uniform")) == 1.0).all()
    assert sorted(order_of(task)) == list(range(len(task.ancestor)))


def test_the_device_decides_the_trainer():
    assert isinstance(make_trainer(problem()), CpuTrainer)
    with pytest.raises(DeviceError):
        make_trainer(problem(device="tpu"))


def test_a_chain_has_nothing_to_push_and_still_trains():
    from tests.hyperbolic.trees import chain

    tree = chain(6)
    target = target_radii(tree.depth, FEATURES)
    start = Layout(target.copy(), inherited_directions(tree, 3, 0.3, 0))
    for loss in ("detour", "margin_ranking"):
        task = Problem(
            tree,
            *tree.closure(),
            target,
            start,
            34.0,
            training_options(loss=loss),
        )
        for run in (CpuTrainer(task), TorchTrainer(task, "cpu")):
            assert run.epoch(1)["loss"] == 0.0
            assert np.allclose(unpack_weights(run.weights()).direction, start.direction)


def test_pairs_of_a_taxon_follow_each_other_where_they_share_negatives():
    task = problem(loss="detour")
    descendant = task.descendant[order_of(task)]
    assert (np.diff(descendant) != 0).sum() == len(task.tree) - 2
    assert not (order_of(task) == order_of(task, 2)).all()


def test_positive_weight_lowers_the_detour_of_ancestors():
    runs = [CpuTrainer(problem(loss="detour", positive_weight=weight, train_radius=False)) for weight in (0.0, 50.0)]
    for run in runs:
        for epoch in range(1, 6):
            run.epoch(epoch)
    task = problem()
    means = [
        detour(*point(layout, task.descendant), *point(layout, task.ancestor)).mean()
        for layout in (unpack_weights(run.weights()) for run in runs)
    ]
    assert means[1] < 0.8 * means[0]


def point(layout, rows):
    return layout.radius[rows], layout.direction[rows]


def test_threads_train_as_well_and_cover_every_pair():
    one, two = (CpuTrainer(problem(loss="detour", threads=threads, learning_rate=0.05)) for threads in (1, 2))
    losses = [[run.epoch(epoch)["loss"] for epoch in range(1, 9)] for run in (one, two)]
    assert losses[1][-1] < 0.8 * losses[1][0]
    assert losses[1][-1] == pytest.approx(losses[0][-1], rel=0.25)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_threads_share_out_the_order(threads):
    seen = []
    found = run_in_threads(lambda part: seen.append(part) or (1.0, 2.0, 3.0, 4, 5), np.arange(7), threads)
    assert sorted(np.concatenate(seen)) == list(range(7))
    assert list(found) == [(1.0, 2.0, 3.0, 4, 5)] * threads


def test_threads_are_for_the_kernel():
    with pytest.raises(ValueError, match="set threads to 1"):
        problem(threads=2, device="cuda")
