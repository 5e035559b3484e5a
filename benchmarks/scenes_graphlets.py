"""Graphlet counts next to other baselines without training: five data seeds, on the simulator and on CARLA."""

import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.parameters import parameters_of
from benchmarks.results import Row, report_table
from benchmarks.scenes import LABELS, MEASURES, SEEDS, interval
from terrarium.pipelines.scenes import nodes
from terrarium.scenes.evaluation.baselines import wl_vectors
from terrarium.scenes.evaluation.evaluate import (
    GRAPHLETS,
    HELD_OUT,
    KERNEL,
    STATISTICS,
    kernel_quality,
    make_tasks,
    quality,
    standardized_statistics,
)
from terrarium.scenes.graphs.columns import from_state
from terrarium.scenes.models.graphlets import fit_counter
from terrarium.scenes.options import Options
from terrarium.training.checkpointing.state import State

Measures = dict[str, dict[str, dict[str, float]]]
"""Test set -> representation -> metric -> value."""
CARLA, SPLIT = "TERRARIUM_CARLA", "TERRARIUM_SCENES_SPLIT"
"""Environment variables: a folder of CARLA recordings, without which only the simulator is measured; and the split."""
SHOWN = {HELD_OUT: "simulator"}
REGRESSIONS = {"smallest_gap_r2": "smallest gap, R²", "mean_speed_r2": "mean speed, R²", "size_r2": "log size, R²"}


def graphlets() -> None:
    """Measure five data seeds: means with 95 % intervals; every seed simulates, splits and subsamples again."""
    split = os.environ.get(SPLIT, "test")
    report_table("scenes_graphlets" + ("" if split == "test" else f"_{split}"), _rows(split), seed="0 to 4")


def _rows(split: str) -> Iterator[Row]:
    all_options = [options_of_seed(seed, split) for seed in SEEDS]
    yield from rows_of([measure(options, **build(options)) for options in all_options])


def rows_of(found: list[Measures]) -> Iterator[Row]:
    """Yield a row per test set and metric from the measures of all seeds."""
    names = dict(zip(MEASURES, LABELS, strict=True)) | REGRESSIONS
    for test_set in found[0]:
        for measure, label in names.items():
            values = {name: [done[test_set][name][measure] for done in found] for name in found[0][test_set]}
            cells = {name: interval(of_seeds) for name, of_seeds in values.items()}
            pairs = zip(values[GRAPHLETS], values[KERNEL], strict=True)
            difference = interval([graphlets - kernel for graphlets, kernel in pairs])
            row = {"metric": f"{SHOWN.get(test_set, test_set)}: {label}", **cells}
            yield row | {"graphlets minus WL kernel": difference}


def build(options: Options) -> dict[str, Any]:
    """Return graphs, graph_index and archetypes of the sources."""
    read = nodes.read_source(options.source)
    made = nodes.build_graphs(read["tracks"], read["lanes"], options.features)
    return {name: made[name] for name in ("graphs", "graph_index", "archetypes")}


def measure(options: Options, graphs: State, graph_index: pd.DataFrame, archetypes: pd.DataFrame) -> Measures:
    """Return the measures of each representation on each test set."""
    columns, train = from_state(graphs), np.flatnonzero(graph_index["split"] == "train")
    vectors = {
        GRAPHLETS: fit_counter(columns, train).vectors(columns).astype(np.float64),
        STATISTICS: standardized_statistics(columns, train),
    }
    kernels = [wl_vectors(columns, iterations, train) for iterations in options.evaluation.wl_iterations]
    return {
        task.name if task.name == HELD_OUT else "CARLA": {
            GRAPHLETS: quality(vectors[GRAPHLETS], task, options.evaluation).metrics,
            KERNEL: kernel_quality(kernels, task, options.evaluation).metrics,
            STATISTICS: quality(vectors[STATISTICS], task, options.evaluation).metrics,
        }
        for task in make_tasks(columns, graph_index, archetypes, options.evaluation)
    }


def options_of_seed(seed: int, split: str) -> Options:
    """Return the defaults with one seed everywhere, both simulated variants, and the CARLA recordings for the test."""
    tree: dict[str, Any] = parameters_of("scenes", "local")
    tree["source"]["simulator"] |= {"stand_in": None, "seed": seed}
    tree["features"]["seed"] = tree["evaluation"]["seed"] = seed
    tree["evaluation"]["split"] = split
    if folder := os.environ.get(CARLA):
        tree["source"]["recordings"] = {"carla": {"reader": "carla", "path": folder}}
        tree["features"]["test_only_sources"] = ["carla"]
    else:
        tree["evaluation"]["coverage"]["recorded"] = "real"
    return Options.model_validate(tree)
