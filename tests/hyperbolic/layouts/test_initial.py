import numpy as np
import pytest

from terrarium.hyperbolic.geometry.ball import to_ball
from terrarium.hyperbolic.layouts.caps import cap_layout
from terrarium.hyperbolic.layouts.combinatorial import construct
from terrarium.hyperbolic.layouts.graphs.nested import nested_layout
from terrarium.hyperbolic.layouts.initial import (
    CONSTRUCTIONS,
    constructed_layout,
    constructions,
    inherited_directions,
    initial_layout,
    move_off_origin,
    name_construction,
    random_directions,
    uniform_layout,
    untrained_layouts,
)
from terrarium.hyperbolic.layouts.rays import ray_layout
from terrarium.hyperbolic.layouts.targets import target_radii
from terrarium.hyperbolic.options import FeatureOptions, ModelOptions
from tests.hyperbolic.data.options import model_options
from tests.hyperbolic.trees import chain, random_dag, random_tree, star, tree_of

FEATURES = FeatureOptions(radius_schedule="linear", root_norm=0.1, leaf_norm=0.95)
MODEL = model_options()


def start(tree, loss="detour", **changes):
    return initial_layout(tree, target_radii(tree.depth, FEATURES), MODEL.model_copy(update=changes), loss)


@pytest.fixture(scope="module")
def tree():
    return random_tree(np.random.default_rng(0), 400)


@pytest.mark.parametrize("init", ["random", "inherited"])
def test_directions_are_unit_and_seeded(tree, init):
    first, same, other = (start(tree, init=init, seed=seed).direction for seed in (1, 1, 2))
    assert np.allclose(np.linalg.norm(first, axis=1), 1.0)
    assert (first == same).all()
    assert not np.allclose(first, other)


def test_random_directions_ignore_the_tree(tree):
    assert (start(tree, init="random", seed=1).direction == random_directions(len(tree), 5, 1)).all()


def test_constructed_directions_are_made_for_the_target_radii(tree):
    largest = target_radii(tree.depth, FEATURES).max()
    found = start(tree, init="constructed").direction
    assert (found == construct(tree, 5, largest).direction).all()


def test_a_smaller_spread_keeps_children_nearer(tree):
    deep = np.flatnonzero(tree.depth > 3)
    cosines = []
    for spread in (0.1, 0.5):
        u = inherited_directions(tree, 5, spread, 1)
        cosines.append((u[deep] * u[tree.parent[deep]]).sum(1).mean())
    assert cosines[0] > cosines[1]


def test_without_spread_a_chain_keeps_its_direction_below_depth_3():
    u = inherited_directions(chain(20), 4, 1e-12, 1)
    assert np.allclose(u[4:], u[3])
    assert not np.allclose(u[1], u[0])


def test_the_uniform_start_lies_about_the_origin_whatever_the_depth(tree):
    points = to_ball(start(tree, init="uniform"))
    assert 0.99e-3 < np.abs(points).max() <= 1e-3
    assert abs(np.corrcoef(np.linalg.norm(points, axis=1), tree.depth)[0, 1]) < 0.2
    assert (points == to_ball(uniform_layout(len(tree), 5, 1))).all()


def test_the_other_starts_have_their_directions_at_the_target_radii(tree):
    radii = target_radii(tree.depth, FEATURES)
    expected = {
        "random": random_directions(len(tree), MODEL.dim, MODEL.seed),
        "inherited": inherited_directions(tree, MODEL.dim, MODEL.init_noise, MODEL.seed),
    }
    for init, direction in expected.items():
        layout = start(tree, init=init)
        assert (layout.radius == radii).all()
        assert (layout.direction == direction).all()


@pytest.mark.parametrize("loss", ["construct", "joint"])
def test_at_its_own_radii_the_constructed_start_is_the_constructed_layout(tree, loss):
    constructed = ray_layout(tree, 5, 30.0)
    chosen = MODEL.model_copy(update={"init": "constructed", "construction": "auto", "max_radius": 30.0})
    layout = initial_layout(tree, constructed.radius, chosen, loss)
    assert (layout.radius == constructed.radius).all()
    assert (layout.direction == constructed.direction).all()


def test_all_untrained_layouts_reach_as_far_as_the_targets(tree):
    target = target_radii(tree.depth, FEATURES)
    layouts = untrained_layouts(tree, target, MODEL.model_copy(update={"construction": "auto"}), "joint")
    assert list(layouts) == ["rays", "cones", "caps", "combinatorial", "inherited", "random"]
    for name, layout in layouts.items():
        assert layout.radius.max() == pytest.approx(target.max(), rel=0.01), name


@pytest.mark.parametrize(
    ("loss", "dim", "lengths", "name"),
    [
        ("joint", 10, False, "cones"),
        ("detour", 6, False, "cones"),
        ("joint", 5, False, "rays"),
        ("joint", 10, True, "rays"),
        ("distance_softmax", 10, False, "caps"),
        ("distance_softmax", 5, False, "caps"),
    ],
)
def test_the_construction_follows_dimension_lengths_and_loss_unless_it_is_named(tree, loss, dim, lengths, name):
    given = np.ones(len(tree)) if lengths else None
    model = MODEL.model_copy(update={"construction": "auto", "dim": dim})
    assert name_construction(model, loss, given).construction == name
    assert name_construction(MODEL, loss, given) == MODEL


def test_only_points_at_the_origin_leave_it(tree):
    layout = construct(tree, 4, 20.0)
    moved = move_off_origin(layout)
    away = layout.radius > 0.0
    assert (moved.radius > 0.0).all()
    assert (moved.radius[away] == layout.radius[away]).all()
    assert (moved.direction[away] == layout.direction[away]).all()
    assert np.allclose(np.linalg.norm(moved.direction, axis=1), 1.0)


def test_the_construction_is_the_one_that_is_named(tree):
    rays, caps = (
        constructed_layout(tree, MODEL.model_copy(update={"construction": name})) for name in ("rays", "caps")
    )
    assert (rays.direction == ray_layout(tree, 5, 34.0).direction).all()
    assert (caps.direction == cap_layout(tree, 5, 34.0, seed=1).direction).all()


@pytest.mark.parametrize("name", ["caps", "cones"])
def test_nested_layouts_of_a_graph_are_refitted(name):
    graph = random_dag(np.random.default_rng(0), 200)
    model = MODEL.model_copy(update={"construction": name})
    assert (constructed_layout(graph, model).direction == nested_layout(graph, model).direction).all()


@pytest.mark.parametrize("construction", ["cones", "caps"])
def test_nested_layouts_in_two_dimensions_are_refused_before_a_run(construction):
    with pytest.raises(ValueError, match="set dim to 3 or more"):
        ModelOptions.model_validate(MODEL.model_dump() | {"construction": construction, "dim": 2})


@pytest.mark.parametrize("tree", [tree_of([]), tree_of([0]), chain(300), star(1500)], ids=len)
@pytest.mark.parametrize("dim", [2, 3, 5, 10, 50])
@pytest.mark.parametrize("construction", CONSTRUCTIONS)
def test_every_construction_takes_trees_of_any_shape_in_any_dimension(tree, dim, construction):
    if construction not in constructions(dim):
        pytest.skip("nested caps need three dimensions")
    model = MODEL.model_copy(update={"dim": dim, "construction": construction, "max_radius": 20.0})
    lengths = np.arange(len(tree), dtype=float)
    for layout in (constructed_layout(tree, model), constructed_layout(tree, model, lengths)):
        assert np.linalg.norm(layout.direction, axis=1) == pytest.approx(1.0)
        assert layout.radius[0] == 0.0
        assert layout.radius.max() <= 20.0 * (1.0 + 1e-9)
        assert len(np.unique(np.column_stack([layout.radius, layout.direction]), axis=0)) == len(tree)


def test_branch_lengths_reach_the_constructed_layout(tree):
    lengths = np.r_[0.0, np.random.default_rng(0).uniform(0.1, 1.0, len(tree) - 1)]
    expected = construct(tree, 5, 20.0, lengths)
    model = MODEL.model_copy(update={"init": "constructed"})
    found = initial_layout(tree, expected.radius, model, "construct", lengths)
    assert (found.radius == expected.radius).all()
    assert (found.direction == expected.direction).all()
