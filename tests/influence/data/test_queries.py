import pytest

from terrarium.influence.data.queries import QueryError
from terrarium.kge.evaluation.baselines import UnknownRelationError
from terrarium.kge.evaluation.predictions import UnknownEntityError
from terrarium.sources.errors import SourceError
from tests.influence.runs import select_queries


def from_file(trained, path, text):
    path.write_text(text)
    return select_queries(trained, queries__kind="file", queries__path=str(path))


def test_which_triples_are_selected(trained):
    rows = select_queries(trained, queries__kind="indices", queries__indices=[2, 0], queries__max_queries=0)
    assert rows["head"].tolist() == ["p04", "p16"]
    best = select_queries(
        trained, queries__kind="predictions", queries__entity="p01", queries__relation="parent_of"
    )
    assert best["head"].tolist() == ["p01"] * 3
    assert "train" not in set(best["split"])
    assert best["rank"].tolist() == [1, 2, 3]
    assert best["probability"].is_monotonic_decreasing
    more = select_queries(
        trained, queries__kind="predictions", queries__num_predictions=5, queries__max_queries=1
    )
    assert len(more) == 5


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"queries__kind": "indices", "queries__indices": [16]}, QueryError, "no test triple 16"),
        ({"queries__kind": "predictions", "queries__entity": "nobody"}, UnknownEntityError, "no entity 'nobody'"),
        ({"queries__kind": "predictions", "queries__relation": "likes"}, UnknownRelationError, "no relation 'likes'"),
        ({"queries__kind": "predictions", "queries__entity": "town_0"}, QueryError, "set both"),
        ({"queries__kind": "file", "queries__path": "/nowhere"}, SourceError, "is not a file"),
    ],
)
def test_triples_that_do_not_exist_are_errors(trained, changes, error, message):
    with pytest.raises(error, match=message):
        select_queries(trained, **changes)


@pytest.mark.parametrize("line", ["p01\tparent_of", "p01\tparent_of\tnobody", "p01\tlikes\tp02"])
def test_faulty_lines_are_named(trained, tmp_path, line):
    with pytest.raises(SourceError, match="line 2"):
        from_file(trained, tmp_path / "queries.txt", f"p01\tparent_of\tp10\n{line}\n")


def test_an_unknown_relation_of_a_file_is_reported_with_the_known_ones(trained, tmp_path):
    message = r"line 1: the graph has no relation 'likes'; it has .*parent_of"
    with pytest.raises(SourceError, match=message) as error:
        from_file(trained, tmp_path / "queries.txt", "p01\tlikes\tp02\n")
    assert "null" not in str(error.value)


def test_blank_lines_are_skipped(trained, tmp_path):
    assert len(from_file(trained, tmp_path / "queries.txt", "\np01\tparent_of\tp10\n\n")) == 1
