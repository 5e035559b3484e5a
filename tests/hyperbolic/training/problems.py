"""A small training with options that tests change by name."""

from copy import deepcopy

import numpy as np

from terrarium.hyperbolic.geometry.ball import Layout
from terrarium.hyperbolic.layouts.initial import inherited_directions
from terrarium.hyperbolic.layouts.targets import target_radii
from terrarium.hyperbolic.options import FeatureOptions, TrainingOptions
from terrarium.hyperbolic.training.problem import Problem
from tests.hyperbolic.trees import random_tree

FEATURES = FeatureOptions(radius_schedule="linear", root_norm=0.1, leaf_norm=0.95)
OPTIONS = {
    "loss": {
        "name": "detour",
        "temperature": 1 / 3,
        "positive_weight": 0.5,
        "edge_weight": 1.5,
        "stress_weight": 2.0,
        "margin": 0.2,
        "depth_margin": None,
        "radius_penalty": 0.3,
        "pair_weights": "sqrt_depth",
        "class_weights": False,
    },
    "sampler": {
        "pairs": "closure",
        "curriculum": [],
        "epoch_fraction": 1.0,
        "class_balanced": False,
        "num_negatives": 8,
        "hard_negatives": 3,
        "hard_negative_ancestors": 4,
        "edge_negatives": 5,
        "negative_sampler": "true_negatives",
    },
    "optimizer": {
        "name": "riemannian_adam",
        "learning_rate": 0.02,
        "train_radius": True,
        "legacy_adam": {
            "clip_norm": 1.0,
            "projection": "batch_rows",
            "projection_limit": 0.99999,
            "project_all_every": 0,
            "parametrization": "ball",
            "radial_nudge": 0.0,
        },
    },
    "schedule": {"final_learning_rate": 0.01, "burn_in_epochs": 0, "burn_in_factor": 0.1},
    "batch_size": 16,
    "max_epochs": 4,
    "skip_above": 1.0,
    "schedule_epochs": None,
    "stopping": {"patience": 0, "min_delta": 0.0, "metric": "loss", "direction": "min"},
    "checkpoints": {"keep_last": 5, "keep_every": 0, "retrain": False},
    "threads": 1,
    "device": "cpu",
    "seed": 0,
}


def training_options(**changes):
    """The options with changes by the last part of their names; `loss` and `optimizer` are those blocks' names."""
    tree = deepcopy(OPTIONS)
    blocks = [tree, *(tree[name] for name in ("loss", "sampler", "optimizer", "schedule"))]
    for name, value in changes.items():
        if name in {"loss", "optimizer"}:
            tree[name]["name"] = value
        else:
            (block,) = (block for block in blocks if name in block)
            block[name] = value
    return TrainingOptions.model_validate(tree)


def problem(max_radius=34.0, size=150, **options):
    tree = random_tree(np.random.default_rng(5), size)
    target = np.minimum(target_radii(tree.depth, FEATURES), max_radius)
    initial = Layout(target.copy(), inherited_directions(tree, 5, 0.3, 0))
    chosen = training_options(**options)
    return Problem(tree, *tree.closure(), target, initial, max_radius, chosen)


def order_of(problem, epoch=1):
    """Positions of an epoch's pairs in the order of training."""
    return problem.pair_sampler().epoch(epoch, problem.epoch_rng(epoch))
