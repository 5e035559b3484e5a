"""The nodes of the hyperbolic pipeline."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from terrarium.common.arrays import Float64Array
from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.data import build, read
from terrarium.hyperbolic.evaluation.compare import TRAINED, compare_layouts, tree_statistics
from terrarium.hyperbolic.geometry.ball import Layout, norm_of_radius, to_ball
from terrarium.hyperbolic.geometry.precision import precision_report
from terrarium.hyperbolic.layouts.initial import initial_layout, untrained_layouts
from terrarium.hyperbolic.layouts.targets import target_radii
from terrarium.hyperbolic.options import (
    EvaluationOptions,
    FeatureOptions,
    LossName,
    ModelOptions,
    SourceOptions,
    TrainingOptions,
)
from terrarium.hyperbolic.training.factory import make_trainer
from terrarium.hyperbolic.training.problem import Problem, data_fingerprints, uncounted_epochs
from terrarium.hyperbolic.training.weights import pack_weights, trained_norm, unpack_weights
from terrarium.training.checkpointing.fingerprints import require_fingerprint, training_fingerprint
from terrarium.training.checkpointing.state import State
from terrarium.training.checkpointing.store import TrainingStore
from terrarium.training.fit import fit

CONSTRUCTED = "The layout was constructed from the tree; nothing was trained."


def read_source(source: SourceOptions) -> pd.DataFrame:
    """Read the chosen part of the source: id, parent, name, rank."""
    return read.read_source(source)


def build_taxonomy(
    source_table: pd.DataFrame, source: SourceOptions, ranks: list[str], disk_rank: str
) -> dict[str, pd.DataFrame]:
    """Check and sort the source's table: taxa, edges, and cleaning_report (what the noise filter removed)."""
    taxa, edges, cleaning_report = build.build_taxonomy(source_table, source)
    build.check_ranks(taxa, [*ranks, disk_rank])
    return {"taxa": taxa, "edges": edges, "cleaning_report": cleaning_report}


def build_closure(edges: pd.DataFrame, source: SourceOptions) -> pd.DataFrame:
    """List all pairs of ancestor and descendant with their depth difference."""
    return build.closure_table(build.hierarchy_of(edges), source.legacy.max_tax_id)


def compute_target_radii(taxa: pd.DataFrame, features: FeatureOptions) -> pd.DataFrame:
    """Compute the target radius and norm of each taxon from its depth."""
    radius = target_radii(taxa["depth"], features)
    columns = {"id": taxa["id"], "depth": taxa["depth"], "target_radius": radius, "target_norm": norm_of_radius(radius)}
    return pd.DataFrame(columns)


def initialize(edges: pd.DataFrame, depths: pd.DataFrame, model: ModelOptions, loss: LossName) -> State:
    """Make the layout that training starts from."""
    tree = build.hierarchy_of(edges)
    lengths = build.edge_lengths(tree, edges)
    return pack_weights(tree, initial_layout(tree, _target(depths, model), model, loss, lengths))


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
    problem = Problem(
        tree=tree,
        ancestor=tree.rows(closure["ancestor"]),
        descendant=tree.rows(closure["descendant"]),
        difference=closure["depth_diff"].to_numpy(copy=True),
        target=_target(depths, model),
        initial=layout_of(initial_weights, tree),
        max_radius=model.max_radius,
        options=training,
        root_distance=build.root_distance(tree, edges),
    )
    is_constructed = training.loss.name == "construct"
    result = fit(
        make_trainer(problem),
        options=training.model_copy(update={"max_epochs": 0}) if is_constructed else training,
        store=training_state,
        fingerprint=training_fingerprint(data=data_fingerprints(problem), model=model, training=training),
        title="hyperbolic",
        uncounted_epochs=uncounted_epochs(problem),
    )
    return {
        "weights": result.best,
        "checkpoints": result.checkpoints,
        "history": result.history,
        "training_summary": result.summary() | ({"stop_reason": CONSTRUCTED} if is_constructed else {}),
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
    depths: pd.DataFrame,
    weights: State,
    model: ModelOptions,
    evaluation: EvaluationOptions,
) -> dict[str, Any]:
    """Measure the trained layout and three untrained ones.

    Returns:
        metrics of the trained layout; layout_metrics: one row per layout; rank_metrics: one row per layout and rank.
    """
    build.check_ranks(taxa, evaluation.ranks)
    tree = build.hierarchy_of(edges)
    trained = layout_of(weights, tree)
    layouts = {TRAINED: trained, **untrained(tree, edges, depths, trained.dim, model)}
    comparison = compare_layouts(
        tree, layouts, taxa["rank"], evaluation, trained_norm(weights), build.root_distance(tree, edges)
    )
    return {
        "metrics": {**tree_statistics(tree), **precision_report(trained), **comparison.trained},
        "layout_metrics": comparison.by_layout,
        "rank_metrics": comparison.by_rank,
    }


def untrained(
    tree: Hierarchy, edges: pd.DataFrame, depths: pd.DataFrame, dim: int, model: ModelOptions
) -> dict[str, Layout]:
    """Return the layouts that need no training, by name, in the dimension of the trained one."""
    lengths = build.edge_lengths(tree, edges)
    return untrained_layouts(tree, _target(depths, model), model.model_copy(update={"dim": dim}), lengths)


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


def _target(depths: pd.DataFrame, model: ModelOptions) -> Float64Array:
    return np.minimum(depths["target_radius"].to_numpy(np.float64, copy=True), model.max_radius)
