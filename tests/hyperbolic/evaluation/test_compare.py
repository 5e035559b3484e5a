import numpy as np
import pandas as pd
import pytest

from terrarium.hyperbolic.evaluation.compare import compare_layouts, measure_layout, tree_statistics
from terrarium.hyperbolic.options import EvaluationOptions
from terrarium.hyperbolic.reporting.report import report_page
from terrarium.reporting.theme import new_figure
from tests.hyperbolic import tables
from tests.hyperbolic.trees import random_layout, random_tree

OPTIONS = EvaluationOptions(
    max_exact_queries=1000,
    num_queries=40,
    num_neighbors=3,
    max_purity_taxa=100,
    max_distortion_pairs=500,
    undirected=False,
    min_group_size=2,
    max_group_sample=20,
    radii=[6.0],
    num_radius_queries=50,
    max_radius_taxa=1000,
    ranks=["order", "family", "phylum"],
    seed=0,
)


@pytest.fixture(scope="module")
def tree():
    return random_tree(np.random.default_rng(4), 200)


@pytest.fixture(scope="module")
def ranks(tree):
    return pd.Series(np.where(tree.depth == 2, "family", np.where(tree.depth == 1, "order", "species")))


@pytest.fixture(scope="module")
def compared(tree, ranks):
    layouts = {name: random_layout(np.random.default_rng(i), 200) for i, name in enumerate(("trained", "random"))}
    return compare_layouts(tree, layouts, ranks, OPTIONS)


def test_the_trained_layout_is_measured_exactly_and_the_other_on_a_sample(compared):
    numbers, by_layout, _ = compared
    queries = by_layout.set_index("layout")["reconstruction_queries"]
    assert queries["trained"] == 200
    assert queries["random"] < 200
    assert numbers["ancestor_map_detour"] == by_layout["ancestor_map_detour"].iloc[0]
    assert by_layout["ancestor_map_detour_low"].notna().tolist() == [False, True]


def test_metrics_are_finite_numbers_with_plain_names(compared):
    numbers, _, by_rank = compared
    assert all(np.isfinite(value) for value in numbers.values())
    for name in ("ancestor_map_distance", "edge_map", "depth_norm_pearson", "separation_order", "purity_chance_family"):
        assert name in numbers
    assert "separation_phylum" not in numbers
    assert by_rank["rank"].tolist() == ["order", "family"] * 2


def test_norms_as_trained_are_reported_where_they_are_known(tree, ranks, compared):
    layouts = {name: random_layout(np.random.default_rng(i), 200) for i, name in enumerate(("trained", "random"))}
    norm = np.linspace(0.5, 1.5, 200)
    numbers, by_layout, _ = compare_layouts(tree, layouts, ranks, OPTIONS, norm)
    assert numbers["fraction_outside"] == 0.5
    assert (numbers["max_norm"], numbers["min_norm"]) == (1.5, 0.5)
    assert numbers["mean_norm"] == pytest.approx(1.0)
    assert numbers["depth_norm_pearson"] == pytest.approx(np.corrcoef(tree.depth, norm)[0, 1])
    assert by_layout["fraction_outside"].tolist() == [0.5, 0.0]
    others = set(numbers) - {"fraction_outside", "max_norm", "min_norm", "mean_norm", "depth_norm_pearson"}
    assert all(numbers[name] == compared[0][name] for name in others)


def test_measuring_is_seeded(tree, ranks):
    layout = random_layout(np.random.default_rng(0), 200)
    first, second = (measure_layout(tree, layout, ranks, OPTIONS, max_exact=1000) for _ in range(2))
    assert first.metrics == second.metrics


def test_pairs_by_depth_difference(tree):
    numbers = tree_statistics(tree)
    _, _, difference = tree.closure()
    assert numbers["pairs"] == len(difference)
    assert numbers["pairs_difference_1"] == (difference == 1).sum() == len(tree) - 1
    assert numbers["pairs_difference_2"] == (difference == 2).sum()
    assert numbers["pairs_difference_3_or_more"] == (difference >= 3).sum()
    assert sum(value for name, value in numbers.items() if name.startswith("fraction_")) == pytest.approx(1.0)


@pytest.mark.parametrize("better", [True, False])
def test_the_report_names_the_best_layout_by_each_metric(compared, tree, better):
    numbers, by_layout, by_rank = compared
    by_layout = by_layout.assign(edge_map=[0.9, 0.1] if better else [0.1, 0.9])
    precision = {"past_safe_radius_float64": 0.0, "past_safe_radius_float32": 0.0, "duplicates_float64": 0.0}
    precision |= {"duplicates_float32": 0.0, "max_radius": 5.0, "max_norm": 0.98}
    names = ("loss", "norms", "radius", "quality", "separation", "purity", "disk")
    page = report_page(
        source_info={"name": "own", "version": "", "date": "", "location": "", "part": "clade A & <B>"},
        vectors=tables.vectors(),
        cleaning_report=pd.DataFrame({"rule": ["sp."], "removed": [7]}),
        training_summary={"stop_reason": "No progress for 3 epochs.", "epochs": 4, "best_epoch": 1},
        history=tables.history(0),
        metrics={**tree_statistics(tree), **numbers, **precision},
        layout_metrics=by_layout,
        rank_metrics=by_rank,
        misplaced=tables.misplaced(),
        radius_metrics=tables.radius_metrics(),
        example="auto",
        **{f"figure_{name}": new_figure(name) for name in names},
    )
    body = page[page.index("<body>") :]
    assert "A &amp; &lt;B&gt;" in body
    assert "No progress for 3 epochs." in body
    assert "<td>7</td>" in body
    best = body[body.index("Best by each metric") :]
    named = dict(part.strip().split(": ", 1) for part in best[: best.index(".</p>")].split("–")[1].split(";"))
    assert ("edge MAP" in named.get("trained", "")) is better
    assert ("edge MAP" in named.get("random", "")) is not better
