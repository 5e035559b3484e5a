"""The nodes of the hyperbolic pipeline."""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from terrarium.common.arrays import Float64Array
from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.data import build, read
from terrarium.hyperbolic.data.describe import describe_source, require_source
from terrarium.hyperbolic.data.groups import AUTO
from terrarium.hyperbolic.evaluation.compare import TRAINED, compare_layouts, measured_ranks, tree_statistics
from terrarium.hyperbolic.evaluation.misplaced import misplaced_taxa
from terrarium.hyperbolic.geometry.ball import Layout, norm_of_radius, to_ball
from terrarium.hyperbolic.geometry.precision import precision_report
from terrarium.hyperbolic.layouts.initial import (
    constructed_layout,
    fit_to,
    initial_layout,
    move_off_origin,
    name_construction,
    untrained_layouts,
)
from terrarium.hyperbolic.layouts.stored import store_layout, stored_layout
from terrarium.hyperbolic.layouts.targets import target_radii
from terrarium.hyperbolic.options import (
    EvaluationOptions,
    FeatureOptions,
    LossName,
    ModelOptions,
    SourceOptions,
    TrainingOptions,
)
from terrarium.hyperbolic.training import radii
from terrarium.hyperbolic.training.factory import make_trainer
from terrarium.hyperbolic.training.problem import Problem, data_fingerprints, uncounted_epochs
from terrarium.hyperbolic.training.skip import reason_not_to_train, start_name
from terrarium.hyperbolic.training.weights import layout_name, pack_weights, trained_norm, unpack_weights
from terrarium.training.checkpointing.fingerprints import require_fingerprint, training_fingerprint
from terrarium.training.checkpointing.state import State
from terrarium.training.checkpointing.store import TrainingStore
from terrarium.training.fit import fit

logger = logging.getLogger(__name__)


def read_source(source: SourceOptions) -> dict[str, Any]:
    """Read the chosen part of the source: source_table (id, parent, name, rank) and source_info (name, date, ...)."""
    info = {**describe_source(source), "options": source.model_dump(mode="json")}
    return {"source_table": read.read_source(source), "source_info": info}


def build_taxonomy(
    source_table: pd.DataFrame, source: SourceOptions, ranks: str | list[str], disk_rank: str
) -> dict[str, pd.DataFrame]:
    """Check and sort the source's table: taxa, edges, and cleaning_report (what the noise filter removed)."""
    taxa, edges, cleaning_report = build.build_taxonomy(source_table, source)
    build.check_ranks(taxa, [*([ranks] if isinstance(ranks, str) else ranks), disk_rank])
    return {"taxa": taxa, "edges": edges, "cleaning_report": cleaning_report}


def build_closure(edges: pd.DataFrame, source: SourceOptions) -> pd.DataFrame:
    """List all pairs of ancestor and descendant with their depth difference."""
    return build.closure_table(build.hierarchy_of(edges), source.legacy.max_tax_id)


def compute_target_radii(
    taxa: pd.DataFrame, edges: pd.DataFrame, features: FeatureOptions, model: ModelOptions, loss: LossName
) -> dict[str, Any]:
    """Compute the target radius and norm of each taxon, from its depth or its place in the constructed layout.

    Returns:
        depths: one row per taxon; constructed_layout: that layout, with the target radii.
    """
    tree = build.hierarchy_of(edges)
    lengths = build.edge_lengths(tree, edges)
    if features.radius_schedule == "construction":
        named = name_construction(model, loss, lengths)
        logger.info(
            "hyperbolic: the constructed layout is %s (model.construction %s)", named.construction, model.construction
        )
        layout = constructed_layout(tree, named, lengths)
        radius = layout.radius
        fitting = fit_to(tree, model, radius, loss, lengths)
    else:
        radius = target_radii(taxa["depth"], features)
        fitting = fit_to(tree, model, radius, loss, lengths)
        layout = constructed_layout(tree, fitting, lengths)
    columns = {"id": taxa["id"], "depth": taxa["depth"], "target_radius": radius, "target_norm": norm_of_radius(radius)}
    return {"depths": pd.DataFrame(columns), "constructed_layout": store_layout(tree, fitting, layout, radius)}


def initialize(
    edges: pd.DataFrame,
    constructed: State,
    source_info: dict[str, Any],
    source: SourceOptions,
    model: ModelOptions,
    loss: LossName,
) -> State:
    """Make the layout that training starts from.

    Raises:
        MismatchedArtifactsError: the taxa were read with other options than those of this run.
    """
    require_source(source_info.get("options"), source)
    tree = build.hierarchy_of(edges)
    lengths = build.edge_lengths(tree, edges)
    target = _capped(constructed.tensors["target_radius"], model)
    return pack_weights(tree, initial_layout(tree, target, model, loss, lengths, partial(stored_layout, constructed)))


def train(
    edges: pd.DataFrame,
    closure: pd.DataFrame,
    depths: pd.DataFrame,
    initial_weights: State,
    training_state: TrainingStore,
    model: ModelOptions,
    training: TrainingOptions,
) -> dict[str, Any]:
    """Train the points.

    Returns:
        weights of the best epoch; checkpoints: their folder; history: one row per epoch; training_summary: how it
        ended.
    """
    tree = build.hierarchy_of(edges)
    initial = layout_of(initial_weights, tree)
    target = _capped(depths["target_radius"].to_numpy(np.float64, copy=True), model)
    problem = _problem(edges, closure, initial, target, model, training)
    untrained = reason_not_to_train(problem, model)
    if untrained:
        logger.info("hyperbolic: %s", untrained)
    else:
        problem = replace(problem, initial=move_off_origin(problem.initial))
    result = fit(
        make_trainer(problem),
        options=training.model_copy(update={"max_epochs": 0}) if untrained else training,
        store=training_state,
        fingerprint=training_fingerprint(data=data_fingerprints(problem), model=model, training=training),
        title="hyperbolic",
        uncounted_epochs=uncounted_epochs(problem),
    )
    layout = start_name(problem, model) if result.epochs == 0 else TRAINED
    return {
        "weights": State(result.best.tensors, {**result.best.metadata, "layout": layout}),
        "checkpoints": result.checkpoints,
        "history": result.history,
        "training_summary": {
            **result.summary(),
            **({"stop_reason": untrained} if untrained else {}),
            "layout": layout,
            "loss": training.loss.name,
        },
    }


def export_vectors(taxa: pd.DataFrame, edges: pd.DataFrame, weights: State) -> pd.DataFrame:
    """Export names, hyperbolic radii and ball coordinates of the taxa."""
    tree = build.hierarchy_of(edges)
    layout = layout_of(weights, tree)
    parent = np.where(tree.parent < 0, -1, tree.ids[tree.parent]).astype(np.int32)
    points = pd.DataFrame(to_ball(layout), columns=[f"x{i}" for i in range(layout.dim)])
    return pd.concat([taxa.assign(parent=parent, radius=layout.radius), points], axis=1)


def evaluate(
    taxa: pd.DataFrame,
    edges: pd.DataFrame,
    constructed: State,
    weights: State,
    model: ModelOptions,
    evaluation: EvaluationOptions,
    loss: LossName,
) -> dict[str, Any]:
    """Measure the result and the layouts that need no training, all with the same largest radius.

    Returns:
        metrics of the result; layout_metrics: one row per layout; rank_metrics: one row per layout and rank; misplaced:
        taxa most of whose neighbours are in another group. The result is called trained, or by the name of the layout
        where nothing was trained.
    """
    build.check_ranks(taxa, [] if evaluation.ranks == AUTO else evaluation.ranks)
    tree = build.hierarchy_of(edges)
    result, name = layout_of(weights, tree), layout_name(weights)
    layouts = {name: result, **untrained(tree, edges, constructed, result.dim, model, loss)} | {name: result}
    comparison = compare_layouts(
        tree, layouts, taxa["rank"], evaluation, trained_norm(weights), build.root_distance(tree, edges)
    )
    return {
        "metrics": {"layout": name, **tree_statistics(tree), **precision_report(result), **comparison.result},
        "layout_metrics": comparison.by_layout,
        "rank_metrics": comparison.by_rank,
        "misplaced": misplaced_taxa(
            tree,
            result,
            taxa["rank"],
            taxa["name"],
            measured_ranks(tree, taxa["rank"], evaluation),
            num_neighbors=evaluation.num_neighbors,
            max_taxa=evaluation.max_purity_taxa,
            seed=evaluation.seed,
        ),
    }


def measure_radii(
    edges: pd.DataFrame,
    closure: pd.DataFrame,
    constructed: State,
    model: ModelOptions,
    training: TrainingOptions,
    evaluation: EvaluationOptions,
) -> pd.DataFrame:
    """Measure every constructed layout at several largest radii, trained (in small trees) and not."""
    tree = build.hierarchy_of(edges)
    lengths = build.edge_lengths(tree, edges)
    start = Layout(constructed.tensors["radius"], constructed.tensors["direction"])
    problem = _problem(edges, closure, start, start.radius, model, training)
    return radii.measure_radii(problem, model, evaluation, lengths)


def _problem(
    edges: pd.DataFrame,
    closure: pd.DataFrame,
    initial: Layout,
    target: Float64Array,
    model: ModelOptions,
    training: TrainingOptions,
) -> Problem:
    tree = build.hierarchy_of(edges)
    return Problem(
        tree=tree,
        ancestor=tree.rows(closure["ancestor"]),
        descendant=tree.rows(closure["descendant"]),
        difference=closure["depth_diff"].to_numpy(copy=True),
        target=target,
        initial=initial,
        max_radius=model.max_radius,
        options=training,
        root_distance=build.root_distance(tree, edges),
    )


def untrained(
    tree: Hierarchy, edges: pd.DataFrame, constructed: State, dim: int, model: ModelOptions, loss: LossName
) -> dict[str, Layout]:
    """Return the layouts that need no training, by name, in the dimension of the result."""
    resized, lengths = model.model_copy(update={"dim": dim}), build.edge_lengths(tree, edges)
    target = _capped(constructed.tensors["target_radius"], model)
    return untrained_layouts(tree, target, resized, loss, lengths, partial(stored_layout, constructed))


def layout_of(weights: State, tree: Hierarchy) -> Layout:
    """Return the layout of weights.

    Raises:
        MismatchedArtifactsError: the weights belong to another tree.
    """
    metadata = weights.metadata
    require_fingerprint(
        metadata["taxa"],
        tree.fingerprint(),
        what=f"the weights belong to other taxa (root {metadata['root']}, {metadata['count']} taxa) than the edges "
        f"(root {tree.ids[0]}, {len(tree)} taxa)",
        datasets=("weights", "edges", "taxa"),
    )
    return unpack_weights(weights)


def _capped(target: Float64Array, model: ModelOptions) -> Float64Array:
    return np.minimum(target, model.max_radius)
