import pytest
from pydantic import ValidationError

from terrarium.pipelines.knowledge_graph.shapes import image_shape

from .graphs import options


@pytest.mark.parametrize(("dim", "sides"), [(200, (10, 20)), (64, (8, 8)), (128, (8, 16)), (32, (4, 8)), (7, (1, 7))])
def test_sides_follow_the_dimension(dim, sides):
    shape = image_shape(dim, (None, None), "height", (1, 1))
    assert (shape.height, shape.width) == sides


def test_one_side_gives_the_other():
    assert image_shape(200, (20, None), "height", (3, 3)).width == 10
    assert image_shape(200, (None, 10), "height", (3, 3)).height == 20


@pytest.mark.parametrize(("stack", "expected"), [("height", (18, 18)), ("width", (8, 38))])
def test_the_map_is_what_the_filters_leave(stack, expected):
    shape = image_shape(200, (10, 20), stack, (3, 3))
    assert (shape.map_height, shape.map_width) == expected


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model__embedding_height": 10, "model__embedding_width": 20}, "is 200, not dim 16"),
        ({"model__embedding_height": 3}, "is 15, not dim 16"),
        ({"model__kernel_width": 9}, "kernel 3 x 9 is larger"),
        ({"model__scorer": "complex", "model__dim": 15}, "dim 15 is odd"),
        ({"source__path": None}, "set path to their folder"),
        ({"training__entity_chunk": 8, "training__precision": "64-true"}, "set it to 0"),
        ({"training__batch_size": 1}, "greater than 1"),
        ({"training__stopping__metric": "validation_mmr"}, "stopping.metric is 'validation_mmr': choose loss"),
    ],
)
def test_options_that_do_not_fit_are_refused(changes, message):
    with pytest.raises(ValidationError, match=message):
        options(**changes)


def test_the_shape_is_conves_alone():
    assert options(model__scorer="distmult", model__embedding_height=3).model.embedding_height == 3
