"""A stored layout is read for the tree and the options that it was made from, and constructed for others."""

import numpy as np
import pytest

from terrarium.hyperbolic.layouts import stored as module
from terrarium.hyperbolic.layouts.initial import constructed_layout
from terrarium.hyperbolic.layouts.stored import store_layout, stored_layout
from terrarium.training.checkpointing.state import read_state, write_state
from tests.hyperbolic.layouts.test_initial import MODEL
from tests.hyperbolic.trees import random_tree

TREE = random_tree(np.random.default_rng(0), 40)
CAPS = MODEL.model_copy(update={"construction": "caps"})


@pytest.fixture
def stored(tmp_path):
    layout = constructed_layout(TREE, CAPS)
    write_state(tmp_path / "layout", store_layout(TREE, CAPS, layout, 2.0 * layout.radius))
    return read_state(tmp_path / "layout")


def test_the_same_tree_and_options_read_it(stored, monkeypatch):
    monkeypatch.setattr(module, "constructed_layout", None)
    for model in (CAPS, CAPS.model_copy(update={"init": "random", "init_noise": 9.0})):
        layout, expected = stored_layout(stored, TREE, model), constructed_layout(TREE, CAPS)
        assert (layout.radius == expected.radius).all()
        assert (layout.direction == expected.direction).all()
    assert (stored.tensors["target_radius"] == 2.0 * expected.radius).all()


@pytest.mark.parametrize(
    "change", [{"construction": "cones"}, {"dim": 7}, {"max_radius": 9.0}, {"seed": 5}, {"leaf_radius": "largest"}]
)
def test_other_options_construct_their_own(stored, change):
    model = CAPS.model_copy(update=change)
    layout, expected = stored_layout(stored, TREE, model), constructed_layout(TREE, model)
    assert (layout.radius == expected.radius).all()
    assert (layout.direction == expected.direction).all()


def test_another_tree_constructs_its_own(stored):
    other = random_tree(np.random.default_rng(1), 40)
    assert (stored_layout(stored, other, CAPS).direction == constructed_layout(other, CAPS).direction).all()
