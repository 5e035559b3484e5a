import numpy as np
import pandas as pd
import pytest

from terrarium.pipelines.hyperbolic import figures
from terrarium.pipelines.hyperbolic.disk import disk_figure, project
from terrarium.pipelines.hyperbolic.geometry import norm_of_radius, to_ball
from terrarium.pipelines.hyperbolic.radii import target_radii

from .trees import random_layout, random_tree


@pytest.fixture(scope="module")
def vectors():
    tree = random_tree(np.random.default_rng(2), 80)
    layout = random_layout(np.random.default_rng(1), 80, 4)
    ranks = np.where(tree.depth == 1, "order", "species")
    table = {"id": tree.ids, "name": [f"<b>{i}" for i in tree.ids], "rank": ranks, "depth": tree.depth}
    parent = np.where(tree.parent < 0, -1, tree.ids[tree.parent])
    points = {f"x{i}": column for i, column in enumerate(to_ball(layout).T)}
    return pd.DataFrame(table | {"parent": parent, "radius": layout.radius} | points)


@pytest.fixture(scope="module")
def depths(vectors):
    radius = target_radii(vectors["depth"], "linear", 0.1, 0.95)
    columns = {"id": vectors["id"], "depth": vectors["depth"], "target_radius": radius}
    return pd.DataFrame(columns | {"target_norm": norm_of_radius(radius)})


@pytest.fixture
def history():
    columns = ["loss", "learning_rate", "min_norm", "mean_norm", "max_norm", "depth_norm_pearson", "share_outside"]
    frame = pd.DataFrame({name: [0.3, 0.2, 0.25] for name in columns})
    return frame.assign(epoch=[1, 2, 3], best=[False, True, False])


@pytest.fixture
def rank_metrics():
    rows = [
        {"layout": layout, "rank": rank, "separation": 1.2, "hop_separation": 2.0, "purity": 0.5}
        for layout in figures.LAYOUTS
        for rank in ("order", "family")
    ]
    return pd.DataFrame(rows).assign(purity_chance=0.1, purity_ceiling=np.nan)


def trace(figure, name):
    return next(found for found in figure.data if found.name == name)


def test_loss_marks_the_best_epoch(history):
    best = trace(figures.loss_figure(history), "best epoch")
    assert (list(best.x), list(best.y)) == ([2], [0.2])


def test_norms_show_what_the_history_has(history):
    names = {found.name for found in figures.norm_figure(history).data}
    assert "largest norm" in names
    assert "share outside the ball" in names


def test_an_empty_history_gives_empty_figures(history):
    assert all(len(found.x) == 0 for found in figures.loss_figure(history.iloc[:0]).data)
    assert all(len(found.x) == 0 for found in figures.norm_figure(history.iloc[:0]).data)


def test_radius_draws_targets_and_a_sample(vectors, depths):
    figure = figures.radius_figure(vectors, depths, 30)
    assert len(trace(figure, "taxa").x) == 30
    target = trace(figure, "target")
    assert list(target.y) == sorted(target.y)
    median = trace(figure, "median")
    assert median.y[0] == pytest.approx(vectors["radius"].iloc[0])


def test_ranks_have_a_bar_a_layout_and_the_tree_beside(rank_metrics):
    figure = figures.separation_figure(rank_metrics)
    assert [found.name for found in figure.data if found.type == "bar"] == list(figures.LAYOUTS)
    assert list(trace(figure, "the tree's own, in hops").y) == [2.0, 2.0]
    assert list(trace(figures.purity_figure(rank_metrics), "chance").y) == [0.1, 0.1]


def test_no_ranks_are_said_to_be_none(rank_metrics):
    figure = figures.separation_figure(rank_metrics.iloc[:0])
    assert "no rank" in figure.layout.annotations[0].text


def test_the_disk_keeps_radii_and_colours_the_largest_groups(vectors):
    figure = disk_figure(vectors, "order", 60, 2)
    groups = [found for found in figure.data if found.name not in {"other"} and "root" not in found.name]
    assert len(groups) == 2
    assert sum(len(found.x) for found in figure.data) == 60 + 1
    drawn = np.concatenate([np.hypot(found.x, found.y) for found in figure.data])
    norms = norm_of_radius(vectors["radius"].to_numpy())
    assert all(np.abs(norms - value).min() < 2e-4 for value in drawn)


def test_the_disk_without_groups(vectors):
    figure = disk_figure(vectors, "phylum", 1000, 5)
    assert sum(len(found.x) for found in figure.data) == 80 + 1


def test_the_plane_of_flat_directions_keeps_everything():
    angle = np.random.default_rng(0).uniform(0, 2 * np.pi, 50)
    flat = np.zeros((50, 6))
    flat[:, 1], flat[:, 4] = np.cos(angle), np.sin(angle)
    place, share = project(flat, np.full(50, -1, np.int32), np.array([], np.int32))
    assert share == pytest.approx(1.0)
    assert np.allclose(np.linalg.norm(place, axis=1), 1.0)
