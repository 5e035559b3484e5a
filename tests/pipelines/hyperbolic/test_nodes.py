import numpy as np
import pandas as pd
import pytest

from terrarium.hyperbolic.data.build import build_taxonomy, closure_table, edge_table, hierarchy_of
from terrarium.hyperbolic.geometry.ball import norm_of_radius
from terrarium.hyperbolic.layouts import stored
from terrarium.hyperbolic.layouts.initial import constructed_layout
from terrarium.hyperbolic.layouts.rays import ray_layout
from terrarium.hyperbolic.options import FeatureOptions
from terrarium.hyperbolic.training.weights import layout_name, unpack_weights
from terrarium.pipelines.hyperbolic import nodes
from terrarium.training.checkpointing.fingerprints import MismatchedArtifactsError
from terrarium.training.checkpointing.store import TrainingStore
from tests.hyperbolic.data.options import model_options
from tests.hyperbolic.data.options import source_options as source
from tests.hyperbolic.training.problems import training_options
from tests.hyperbolic.trees import random_dag, random_tree

FEATURES = FeatureOptions(radius_schedule="linear", root_norm=0.1, leaf_norm=0.95)
MODEL = model_options(dim=4, seed=0)


@pytest.fixture(scope="module")
def data():
    tree = random_tree(np.random.default_rng(9), 120)
    parent = np.where(tree.parent < 0, -1, tree.ids[tree.parent])
    table = pd.DataFrame({"id": tree.ids, "parent": parent, "name": [f"t{i}" for i in tree.ids], "rank": "species"})
    taxa, edges, _ = build_taxonomy(table, source())
    return taxa, edges, nodes.compute_target_radii(taxa, edges, FEATURES, MODEL, "detour")


def train(data, folder, model=MODEL, **changes):
    _, edges, features = data
    chosen = training_options(**changes)
    start = nodes.initialize(edges, features["constructed_layout"], {}, source(), model, chosen.loss.name)
    closure = nodes.build_closure(edges, source())
    return outputs(nodes.train(edges, closure, features["depths"], start, TrainingStore(folder), model, chosen))


CONSTRUCTION = FEATURES.model_copy(update={"radius_schedule": "construction"})
RAYS = MODEL.model_copy(update={"init": "constructed", "construction": "auto"})


@pytest.fixture(scope="module")
def constructed(data):
    """The same data with the radii of the constructed layout as targets."""
    taxa, edges, _ = data
    return taxa, edges, nodes.compute_target_radii(taxa, edges, CONSTRUCTION, RAYS, "joint")


def outputs(trained):
    return [trained[name] for name in ("weights", "checkpoints", "history", "training_summary")]


def test_target_norms_are_the_documents(data):
    taxa, _, features = data
    depths = features["depths"]
    assert np.allclose(depths["target_norm"], 0.1 + 0.85 * taxa["depth"] / taxa["depth"].max())


def test_the_start_lies_at_the_targets(data):
    _, edges, features = data
    start = nodes.initialize(edges, features["constructed_layout"], {}, source(), MODEL, "detour")
    assert np.allclose(unpack_weights(start).radius, features["depths"]["target_radius"])


def test_no_epochs_export_the_start(data, tmp_path):
    depths = data[2]["depths"]
    weights, checkpoints, history, summary = train(data, tmp_path, max_epochs=0)
    assert len(history) == 0
    assert summary["epochs"] == 0
    assert checkpoints.folder.is_dir()
    assert np.allclose(unpack_weights(weights).radius, depths["target_radius"])


@pytest.mark.parametrize("chosen", [{"loss": "construct"}, {"loss": "joint", "skip_above": 0.9}])
def test_where_training_cannot_add_the_constructed_layout_is_the_result(constructed, tmp_path, chosen):
    _, edges, _ = constructed
    weights, _, history, summary = train(constructed, tmp_path, RAYS, **chosen)
    expected = ray_layout(hierarchy_of(edges), MODEL.dim, MODEL.max_radius)
    assert np.allclose(unpack_weights(weights).radius, expected.radius)
    assert np.allclose(unpack_weights(weights).direction, expected.direction)
    assert len(history) == 0
    assert summary["stop_reason"].startswith("Nothing was trained")
    assert summary["layout"] == layout_name(weights) == "rays"


def test_where_training_can_add_the_result_is_called_trained(constructed, tmp_path):
    weights, _, history, summary = train(constructed, tmp_path, RAYS, loss="joint", skip_above=1.0)
    assert len(history) == summary["epochs"] == 4
    assert summary["layout"] == layout_name(weights) == "trained"


def test_the_layout_is_named_in_the_metrics(constructed, tmp_path):
    from tests.hyperbolic.evaluation.test_compare import OPTIONS as EVALUATION

    taxa, edges, features = constructed
    weights, _, _, _ = train(constructed, tmp_path, RAYS, loss="construct")
    chosen = EVALUATION.model_copy(update={"ranks": ["species"]})
    measured = nodes.evaluate(taxa, edges, features["constructed_layout"], weights, RAYS, chosen, "construct")
    assert measured["metrics"]["layout"] == "rays"
    assert measured["layout_metrics"]["layout"].tolist() == [
        "rays",
        "cones",
        "caps",
        "combinatorial",
        "inherited",
        "random",
    ]


def test_vectors_keep_the_radius_and_name_the_parent(data, tmp_path):
    taxa, edges, _ = data
    weights, _, _, _ = train(data, tmp_path)
    vectors = nodes.export_vectors(taxa, edges, weights)
    norms = np.linalg.norm(vectors[["x0", "x1", "x2", "x3"]].to_numpy(), axis=1)
    assert np.allclose(norms, norm_of_radius(vectors["radius"]))
    assert vectors["parent"].iloc[0] == -1
    parents = dict(zip(edges["child"], edges["parent"], strict=True))
    assert all(parents[child] == parent for child, parent in zip(vectors["id"][1:], vectors["parent"][1:], strict=True))


def test_weights_of_other_taxa_are_refused(data, tmp_path):
    taxa, _, _ = data
    weights, _, _, _ = train(data, tmp_path)
    other = edge_table(random_tree(np.random.default_rng(8), 120))
    with pytest.raises(MismatchedArtifactsError, match="belong to other taxa"):
        nodes.export_vectors(taxa, other, weights)


def test_closure_is_by_id(data):
    taxa, edges, _ = data
    closure = nodes.build_closure(edges, source())
    assert list(closure.columns) == ["ancestor", "descendant", "depth_diff"]
    assert len(closure) == taxa["depth"].sum()
    assert closure.equals(closure_table(hierarchy_of(edges)))


def test_points_that_left_the_ball_are_reported_and_exported_inside(data, tmp_path):
    from tests.hyperbolic.evaluation.test_compare import OPTIONS as EVALUATION
    from tests.hyperbolic.legacy.test_trainer import V1, legacy_adam

    taxa, edges, features = data
    weights, _, history, _ = train(data, tmp_path, **V1, legacy_adam=legacy_adam(), max_epochs=1)
    chosen = EVALUATION.model_copy(update={"ranks": ["species"]})
    measured = nodes.evaluate(taxa, edges, features["constructed_layout"], weights, MODEL, chosen, "margin_ranking")
    metrics, layouts = measured["metrics"], measured["layout_metrics"]
    assert metrics["fraction_outside"] == history["fraction_outside"].iloc[-1] > 0.0
    assert metrics["max_norm"] == history["max_norm"].iloc[-1] > 1.0
    assert (layouts["fraction_outside"][1:] == 0.0).all()
    vectors = nodes.export_vectors(taxa, edges, weights)
    assert np.linalg.norm(vectors[["x0", "x1", "x2", "x3"]].to_numpy(), axis=1).max() < 1.0


def test_a_cut_closure_trains(data, tmp_path):
    _, edges, features = data
    closure = nodes.build_closure(edges, source(legacy={"max_tax_id": 60}))
    assert 0 < len(closure) < len(nodes.build_closure(edges, source()))
    start = nodes.initialize(edges, features["constructed_layout"], {}, source(), MODEL, "margin_ranking")
    chosen = training_options(max_epochs=1)
    history = nodes.train(edges, closure, features["depths"], start, TrainingStore(tmp_path), MODEL, chosen)["history"]
    assert np.isfinite(history["loss"]).all()


def test_the_uniform_start_ignores_the_targets(data):
    _, edges, features = data
    layout = unpack_weights(
        nodes.initialize(
            edges, features["constructed_layout"], {}, source(), MODEL.model_copy(update={"init": "uniform"}), "detour"
        )
    )
    assert layout.radius.max() < 0.01


def test_a_training_on_other_pairs_does_not_go_on_from_this_one(data, tmp_path):
    _, edges, features = data
    closure = nodes.build_closure(edges, source())
    options = training_options()
    start = nodes.initialize(edges, features["constructed_layout"], {}, source(), MODEL, "detour")
    parts = [closure.iloc[:300], closure.iloc[300:600]]
    assert len(parts[0]) == len(parts[1])
    for part in parts:
        nodes.train(edges, part, features["depths"], start, TrainingStore(tmp_path), MODEL, options)
    assert len([path for path in tmp_path.iterdir() if path.is_dir()]) == 2


def test_the_layout_of_a_graph_is_constructed_once(monkeypatch, tmp_path):
    """All nodes with the same options read the layout that `compute_target_radii` stored."""
    graph = random_dag(np.random.default_rng(0), 120)
    child, parent = graph.links()
    table = pd.DataFrame({"id": graph.ids[np.r_[0, child]], "parent": np.r_[-1, graph.ids[parent]]})
    table = table.assign(name="t", rank="species")
    options = source(allow_multiple_parents=True)
    taxa, edges, _ = build_taxonomy(table, options)
    model = RAYS.model_copy(update={"construction": "caps", "max_radius": 20.0})
    features = nodes.compute_target_radii(taxa, edges, CONSTRUCTION, model, "joint")
    made = []

    def construct(tree, asked, lengths=None):
        made.append(asked.construction)
        return constructed_layout(tree, asked, lengths)

    monkeypatch.setattr(stored, "constructed_layout", construct)
    start = unpack_weights(nodes.initialize(edges, features["constructed_layout"], {}, options, model, "joint"))
    others = nodes.untrained(hierarchy_of(edges), edges, features["constructed_layout"], 4, model, "joint")
    assert made == ["rays", "cones", "combinatorial"]
    expected = constructed_layout(hierarchy_of(edges), model)
    for layout in (start, others["caps"]):
        assert (layout.direction == expected.direction).all()
        assert (layout.radius == expected.radius).all()
