"""The graph embedding recipes at a size that can part them, next to their untrained encoders and to graphlets."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.parameters import parameters_of
from benchmarks.results import Row, chosen, replace_rows
from benchmarks.scenes import LABELS, MEASURES, RECIPES, interval, recipe_name
from benchmarks.scenes_graphlets import build
from terrarium.scenes.evaluation.evaluate import make_tasks, quality, untrained_weights
from terrarium.scenes.graphs.columns import from_state
from terrarium.scenes.models.embedding import embed_graphs
from terrarium.scenes.models.graphlets import fit_counter
from terrarium.scenes.options import Options
from terrarium.scenes.training.problem import scene_problem
from terrarium.scenes.training.trainer import SceneTrainer
from terrarium.training.checkpointing.state import State

SEEDS, SCENES, EPOCHS = (0, 1, 2), 60, 30
"""Seeds of data, split and weights; scenes of both kinds of traffic together; and epochs of every recipe."""
TRAINED, UNTRAINED, GRAPHLETS = "trained", "untrained", "graphlets"

Measures = dict[str, dict[str, float]]
"""Representation -> metric -> value."""


def recipes() -> None:
    """Train the recipes that TERRARIUM_ONLY lists, by default all, with each seed; a seed replaces the rows at once."""
    names = chosen(recipe_name(environment) for environment in RECIPES)
    environments = [environment for environment in RECIPES if recipe_name(environment) in names]
    found: dict[str, list[Measures]] = {environment: [] for environment in environments}
    for number, seed in enumerate(SEEDS):
        made: dict[str, Any] = {}
        for environment in environments:
            options = options_of_recipe(environment, seed)
            made = made or build(options)
            found[environment].append(measure(options, **made))
        replace_rows("scenes_recipes_seeds", rows_of(found), seed=", ".join(map(str, SEEDS[: number + 1])))


def options_of_recipe(environment: str, seed: int) -> Options:
    """Return the options of a recipe with one seed everywhere, in float32."""
    tree: dict[str, Any] = parameters_of("scenes", environment)
    simulator = tree["source"]["simulator"]
    simulator |= {"stand_in": None, "seed": seed}
    for variant in simulator["variants"].values():
        variant["scenes"] = SCENES // len(simulator["variants"])
    tree["training"] |= {"max_epochs": EPOCHS, "precision": "32-true", "device": "cpu", "seed": seed}
    tree["features"]["seed"] = tree["evaluation"]["seed"] = tree["model"]["seed"] = seed
    tree["evaluation"]["coverage"]["recorded"] = "real"
    return Options.model_validate(tree)


def measure(options: Options, graphs: State, graph_index: pd.DataFrame, archetypes: pd.DataFrame) -> Measures:
    """Train a recipe for all epochs; return the measures of its embeddings before and after, and of graphlets."""
    trainer = SceneTrainer(scene_problem(graphs, graph_index, options.features), options.model, options.training)
    losses = [trainer.epoch(epoch)["loss"] for epoch in range(1, EPOCHS + 1)]
    columns, train = from_state(graphs), np.flatnonzero(graph_index["split"] == "train")
    weights = trainer.weights()
    vectors = {
        TRAINED: embed_graphs(weights, columns),
        UNTRAINED: embed_graphs(untrained_weights(weights, columns, train, options.evaluation, 0), columns),
        GRAPHLETS: fit_counter(columns, train).vectors(columns),
    }
    (task,) = make_tasks(columns, graph_index, archetypes, options.evaluation)
    found = {
        name: quality(matrix.astype(np.float64), task, options.evaluation).metrics for name, matrix in vectors.items()
    }
    found[TRAINED] |= {"first loss": losses[0], "last loss": losses[-1]}
    return found


def rows_of(found: dict[str, list[Measures]]) -> Iterator[Row]:
    """Yield a row per recipe, and one of graphlets on the same graphs."""
    for environment, of_seeds in found.items():
        losses = [interval([done[TRAINED][name] for done in of_seeds]) for name in ("first loss", "last loss")]
        row: dict[str, object] = {"recipe": recipe_name(environment)}
        row |= {"loss, first epoch": losses[0], "last": losses[1], "claimed": RECIPES[environment]}
        for measure, label in zip(MEASURES, LABELS, strict=True):
            values = {name: [done[name][measure] for done in of_seeds] for name in (TRAINED, UNTRAINED)}
            pairs = zip(values[TRAINED], values[UNTRAINED], strict=True)
            gains = [trained - untrained for trained, untrained in pairs]
            row |= {label: interval(values[TRAINED]), f"{label}, untrained": interval(values[UNTRAINED])}
            row |= {f"{label}, gained": interval(gains)}
        yield row
    (first, *_) = found.values()
    values = {
        label: interval([done[GRAPHLETS][name] for done in first]) for name, label in zip(MEASURES, LABELS, strict=True)
    }
    yield {"recipe": "graphlets, the default", **values}
