"""The forms of "Taxonomy optimizations" before and after agree with each other and with Terrarium's."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.random import RandomState

from benchmarks import reference_forms as forms
from benchmarks.parameters import options_of
from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.layouts.targets import target_radii
from terrarium.hyperbolic.legacy.adam import Table
from terrarium.hyperbolic.legacy.projection import project_all, project_rows
from terrarium.hyperbolic.training.cpu.gradients import add_radius_penalty


@pytest.fixture(scope="module")
def tree():
    parents = np.random.default_rng(3).integers(0, np.maximum(np.arange(60), 1))
    parents[0] = -1
    return Hierarchy.from_parents(np.arange(100, 160), np.where(parents < 0, -1, parents + 100))


@pytest.fixture
def points():
    x = np.random.default_rng(0).normal(size=(60, 4))
    norm = np.random.default_rng(1).uniform(0.1, 1.6, size=(60, 1))
    return torch.from_numpy(x / np.linalg.norm(x, axis=1, keepdims=True) * norm)


def test_the_loop_equals_the_vectorised_radius_penalty_and_its_gradient(tree, points):
    rows = [7, 3, 41, 0]
    target = torch.from_numpy(
        np.tanh(target_radii(tree.depth, options_of("recipes/hyperbolic/prescribed_norms").features) / 2.0)
    )
    depth = {row: int(tree.depth[row]) for row in rows}
    given_points = [points.clone().requires_grad_() for _ in range(2)]
    loop = forms.radius_penalty_loop(given_points[0], depth, tree.max_depth)
    whole = forms.radius_penalty_vectorised(given_points[1], torch.tensor(rows), target[rows])
    torch.testing.assert_close(loop, whole)
    loop.backward()
    whole.backward()
    assert given_points[0].grad.abs().sum() > 0
    torch.testing.assert_close(given_points[0].grad, given_points[1].grad)


def test_the_compiled_radius_penalty_equals_the_vectorised_one_in_one_dimension():
    """The compiled penalty acts on hyperbolic radii; with the radius as the only coordinate both agree."""
    radius, target, touched = np.array([0.3, 2.0, 1.0]), np.array([0.5, 1.0, 1.5]), np.array([2, 0])
    gradient = np.zeros(2)
    value = add_radius_penalty(touched, radius, target, gradient, 1.0)
    line = torch.from_numpy(radius[:, None]).requires_grad_()
    whole = forms.radius_penalty_vectorised(line, torch.from_numpy(touched), torch.from_numpy(target[touched]))
    whole.backward()
    assert value == pytest.approx(float(whole.detach()))
    np.testing.assert_allclose(gradient, line.grad[touched, 0])


@settings(deadline=None, max_examples=20)
@given(named=st.lists(st.integers(0, 59), min_size=1, max_size=30))
def test_projecting_a_batch_is_projecting_all_for_its_rows(named):
    x = torch.from_numpy(np.random.default_rng(5).normal(size=(60, 4)))
    every, some = x.clone(), x.clone()
    forms.project_all(every)
    forms.project_batch(some, torch.tensor(named))
    others = np.setdiff1d(np.arange(60), named)
    torch.testing.assert_close(some[named], every[named])
    assert torch.equal(some[others], x[others])
    assert float(every.norm(dim=1).max()) <= forms.LIMIT + 1e-12


def test_the_compiled_projections_equal_the_reference(points):
    named = np.array([3, 8, 59])
    for project, reference in (
        (lambda table: project_rows(table, named, forms.LIMIT), forms.project_batch),
        (lambda table: project_all(table, forms.LIMIT), None),
    ):
        rows, norm = np.ascontiguousarray(points.numpy().T), points.norm(dim=1).numpy().copy()
        table = Table(rows, norm, np.zeros(60), np.zeros(60))
        project(table)
        expected = points.clone()
        if reference is None:
            forms.project_all(expected)
        else:
            reference(expected, torch.from_numpy(named))
        np.testing.assert_allclose(rows.T, expected.numpy(), rtol=1e-12)


def test_negatives_of_both_forms_are_the_same_rows_of_the_level():
    levels = [np.array([0]), np.arange(1, 21), np.arange(21, 200)]
    depths = [0, 1, 2, 2]
    lists = forms.negatives_as_list(depths, levels, 10, RandomState(4))
    array = forms.negatives_preallocated(depths, levels, 10, RandomState(4))
    assert lists.dtype == array.dtype == torch.int64
    assert torch.equal(lists, array)
    for row, depth in zip(array.numpy()[1:], depths[1:], strict=True):
        assert len(set(row)) == 10
        assert np.isin(row, levels[depth]).all()
    assert array.numpy()[0].max() < 200


@settings(deadline=None, max_examples=20)
@given(places=st.lists(st.integers(0, 100), min_size=1, max_size=20))
def test_all_ways_of_loading_pairs_agree(tree, places):
    columns = tree.closure()
    batch = np.array(places) % tree.pair_count
    kept = forms.records((*columns, tree.depth, tree.ids), batch)
    ways = forms.load_lists(kept), forms.load_arrays(kept), forms.load_columns(columns, batch)
    for expected, *found in zip(*ways, strict=True):
        assert all(torch.equal(expected, other) for other in found)
    first = kept[0]
    assert tree.ids[first["ancestor_idx"]] == first["ancestor_taxid"]
    assert first["descendant_depth"] - first["ancestor_depth"] == first["depth_diff"]
