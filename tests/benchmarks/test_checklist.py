"""Recipe v1 passes the checklist, and each check fails where it should."""

import pytest

from benchmarks import checklist
from benchmarks.parameters import options_of, with_options
from terrarium.hierarchy import Hierarchy
from terrarium.sources.taxonomies.ncbi_package import NcbiPackage


@pytest.fixture(scope="module")
def tree():
    table = NcbiPackage().clade(checklist.PRIMATES)
    return Hierarchy.from_parents(table["id"], table["parent"])


def changed(tree, init="random", **blocks):
    options = options_of(checklist.RECIPE)
    model = options.model.model_copy(update={"init": init})
    given = with_options(options.training, **blocks)
    return checklist.problem_of(tree, options.model_copy(update={"model": model, "training": given}))


def test_all_items_hold():
    items = list(checklist.checklist())
    assert len(items) == 8
    assert [item for item, passed, _ in items if not passed] == []


def test_projecting_all_rows_is_noticed(tree):
    legacy_adam = options_of(checklist.RECIPE).training.optimizer.legacy_adam.model_dump()
    assert checklist.projects_named_rows_alone(changed(tree))
    assert not checklist.projects_named_rows_alone(
        changed(tree, optimizer={"legacy_adam": legacy_adam | {"projection": "all_rows"}})
    )


def test_random_negatives_and_starts_are_noticed(tree):
    assert not checklist.draws_same_depth(changed(tree, sampler={"negative_sampler": "random"}))
    assert not checklist.starts_at_targets(changed(tree, init="uniform"))


def test_another_patience_is_noticed():
    assert checklist.stops_after(options_of("recipes/hyperbolic/v0")) == 7


def test_a_shadowed_loop_is_noticed(tmp_path, monkeypatch):
    (tmp_path / "__init__.py").write_text("for i in range(2):\n    for j in range(2):\n        pass\n")
    monkeypatch.setattr(checklist.terrarium, "__file__", str(tmp_path / "__init__.py"))
    assert checklist.shadowed_loops() == []
    (tmp_path / "bad.py").write_text("for i in range(2):\n    for k, i in {}.items():\n        pass\n")
    assert checklist.shadowed_loops() == [f"{tmp_path / 'bad.py'}:2"]
