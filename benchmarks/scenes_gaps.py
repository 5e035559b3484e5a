"""What each detector of gaps finds, without any training: known holes, and the simulator's two kinds of traffic.

Every seed makes its own data. Nothing is chosen on the seeds that are reported: `choice` compares settings on others.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse

from benchmarks.parameters import parameters_of
from benchmarks.results import Row, replace_rows, report_table
from benchmarks.results import chosen as named
from benchmarks.scenes import SEEDS, interval
from terrarium.pipelines.scenes import nodes
from terrarium.scenes.coverage.combination import Combination
from terrarium.scenes.coverage.comparison import Comparison, Detector
from terrarium.scenes.coverage.deletion_test import random_splits, run_deletion_test
from terrarium.scenes.coverage.detectors import GraphClassifier, NeighborDistance, NodeClassifier, PatternNovelty
from terrarium.scenes.coverage.patterns import PatternTable, find_patterns
from terrarium.scenes.coverage.road_users import count_surroundings
from terrarium.scenes.coverage.situations import compare_patterns
from terrarium.scenes.evaluation.evaluate import standardized_statistics
from terrarium.scenes.graphs.archetypes import signatures
from terrarium.scenes.graphs.columns import Graphs, from_state, scene_numbers
from terrarium.scenes.models.graphlets import fit_counter
from terrarium.scenes.options import CoverageOptions, Options
from terrarium.training.torch.seeding import generator

CHOICE_SEEDS = (10, 11)
"""Seeds of the data that settings are chosen on."""
LIMITS = (8.0, 10.0, 12.0, np.inf)
"""Of what a detector can add to the score of a graph, in the choice."""
SPLITS = 2
"""Random halves of the simulated scenes per seed."""
TOP = 50
"""Graphs whose precision is measured."""
RARER = 2.0
"""An archetype is thinned if its fraction of the simulated graphs is smaller by this factor, and significantly so."""


class World(NamedTuple):
    """Simulated and "recorded" graphs of one seed."""

    graphs: Graphs
    index: pd.DataFrame
    labels: pd.DataFrame
    options: Options

    @property
    def is_recorded(self) -> np.ndarray:
        return (self.index["source"] == "real").to_numpy()

    def comparison(self) -> Comparison:
        scene = scene_numbers(self.index)
        return Comparison(self.is_recorded, np.zeros((len(scene), 0), bool), scene)


DetectorsOf = Callable[[World, np.ndarray, CoverageOptions], Mapping[str, Detector]]


def gaps() -> None:
    """Measure the detectors that TERRARIUM_ONLY lists (default: all) on five data seeds: means with 95 % intervals."""
    replace_rows("scenes_gaps", _rows(SEEDS, _detectors), seed="0 to 4")


def choice() -> None:
    """Compare settings of the combination on other data."""
    report_table("scenes_gaps_choice", _rows(CHOICE_SEEDS, _settings), seed="10 and 11")


def _rows(seeds: tuple[int, ...], detectors_of: DetectorsOf) -> Iterator[Row]:
    found = [_measure(make_world(seed), detectors_of, seed) for seed in seeds]
    for name in found[0]:
        measures = found[0][name]
        yield {"detector": name, **{key: interval([done[name][key] for done in found]) for key in measures}}


def make_world(seed: int) -> World:
    """Simulate both kinds of traffic and build their graphs."""
    given = parameters_of("scenes", "local")
    given["source"]["simulator"]["seed"] = given["features"]["seed"] = given["evaluation"]["seed"] = seed
    options = Options.model_validate(given)
    read = nodes.read_source(options.source)
    made = nodes.build_graphs(read["tracks"], read["lanes"], options.features)
    return World(from_state(made["graphs"]), made["graph_index"], made["archetypes"], options)


def _measure(world: World, detectors_of: DetectorsOf, seed: int) -> dict[str, dict[str, float]]:
    options = world.options.evaluation.coverage
    simulated = ~world.is_recorded
    splits = random_splits(
        world.labels[simulated].reset_index(drop=True),
        scene_numbers(world.index)[simulated],
        SPLITS,
        world.options.evaluation.min_positives,
        generator(seed, "holes"),
    )
    detectors = detectors_of(world, simulated, options)
    names = named(detectors)
    tested = run_deletion_test(
        {(name, ""): detectors[name] for name in names},
        splits,
        options.target_fpr,
        options.alarm_fraction,
        world.options.evaluation.min_positives,
    )
    holes = tested.groupby("detector")[["recall", "auc", "label_free_recall", "label_free_fpr"]].mean()
    everything = np.ones(len(simulated), bool)
    detectors, found = detectors_of(world, everything, options), {}
    for name in names:
        own = holes.loc[name]
        found[name] = {
            "known holes: recall, label-free": float(own["label_free_recall"]),
            "false alarms": float(own["label_free_fpr"]),
            "recall at 5 % false alarms": float(own["recall"]),
            "AUC": float(own["auc"]),
            **_precision(world, detectors[name](world.comparison())[:, -1]),
        }
    return found


def _precision(world: World, score: np.ndarray) -> dict[str, float]:
    """Return what the graphs with the largest scores have that the simulation is known to have less of."""
    is_recorded = world.is_recorded
    has_thinned = (world.labels.to_numpy(bool)[:, thinned_archetypes(world)]).any(axis=1)[is_recorded]
    kinds = np.zeros(len(is_recorded), bool)
    np.logical_or.at(kinds, world.graphs.graph_of_nodes, world.graphs.lane_change | (world.graphs.actor_type > 0))
    top = np.argsort(-score, kind="stable")[:TOP]
    return {
        f"precision at {TOP}, thinned archetypes": float(has_thinned[top].mean()),
        "of all graphs": float(has_thinned.mean()),
        f"precision at {TOP}, thinned road users": float(kinds[is_recorded][top].mean()),
        "of all graphs ": float(kinds[is_recorded].mean()),
        f"distinct situations in the {TOP}": float(len(set(signatures(world.labels)[is_recorded][top]))),
    }


def thinned_archetypes(world: World) -> np.ndarray:
    """Return which archetypes the simulation has at most 1 / `RARER` as often, significantly, bool (archetypes,)."""
    table = PatternTable(sparse.csr_array(world.labels.to_numpy(float)), [])
    fractions = [world.labels[side].mean().to_numpy() for side in (world.is_recorded, ~world.is_recorded)]
    p = compare_patterns(world.comparison(), table)["p"].to_numpy()
    return np.asarray((fractions[0] >= RARER * fractions[1]) & (p < 0.05))


def _detectors(world: World, chosen: np.ndarray, options: CoverageOptions) -> dict[str, Detector]:
    """Return every detector alone, the combination, and chance."""
    patterns, road_users, graphlets = (_Remembered(part) for part in _parts(world, chosen, options))
    train = np.flatnonzero(world.index["split"] == "train")
    statistics, vectors = standardized_statistics(world.graphs, train), fit_counter(world.graphs, train)
    exported = vectors.vectors(world.graphs).astype(np.float64)
    return {
        "patterns, road users and graphlets": Combination((patterns, road_users, graphlets), 0),
        "patterns and road users": Combination((patterns, road_users), 0),
        "patterns": patterns,
        "road users": road_users,
        "classifier of graphlets": graphlets,
        "classifier of ten statistics": GraphClassifier(statistics[chosen], options.C),
        "neighbours, graphlets": NeighborDistance(exported[chosen], options.num_neighbors),
        "random": _Chance(),
    }


def _settings(world: World, chosen: np.ndarray, options: CoverageOptions) -> dict[str, Detector]:
    """Return combinations of two and of three detectors, with several limits of what each can add."""
    patterns, road_users, graphlets = (_Remembered(part) for part in _parts(world, chosen, options))
    sets = {
        "patterns and road users": (patterns, road_users),
        "patterns and graphlets": (patterns, graphlets),
        "road users and graphlets": (road_users, graphlets),
        "patterns, road users and graphlets": (patterns, road_users, graphlets),
    }
    return {
        f"{name}, {'no limit' if np.isinf(limit) else f'limit {limit:g}'}": Combination(parts, 0, limit)
        for name, parts in sets.items()
        for limit in LIMITS
    }


def _parts(
    world: World, chosen: np.ndarray, options: CoverageOptions
) -> tuple[PatternNovelty, NodeClassifier, GraphClassifier]:
    graphs = world.graphs
    is_node = chosen[graphs.graph_of_nodes]
    graph = (np.cumsum(chosen) - 1)[graphs.graph_of_nodes[is_node]]
    table = sparse.csr_array(find_patterns(graphs).table)
    graphlets = fit_counter(graphs, np.arange(len(graphs))).vectors(graphs)
    return (
        PatternNovelty(sparse.csr_array(table[np.flatnonzero(chosen)])),
        NodeClassifier(count_surroundings(graphs)[is_node], graph, options.node_C),
        GraphClassifier(graphlets[chosen], options.C),
    )


class _Remembered:
    """A detector that scores a comparison once, however many combinations have it."""

    def __init__(self, detector: Detector) -> None:
        self._detector, self._scores = detector, dict[tuple[bytes, bytes], np.ndarray]()

    def __call__(self, comparison: Comparison) -> np.ndarray:
        key = comparison.is_query.tobytes(), comparison.labels.tobytes()
        if key not in self._scores:
            self._scores[key] = self._detector(comparison)
        return self._scores[key]


class _Chance:
    """Random scores."""

    def __call__(self, comparison: Comparison) -> np.ndarray:
        shape = (int(comparison.is_query.sum()), comparison.remaining.shape[1])
        return np.random.default_rng(0).random(shape)
