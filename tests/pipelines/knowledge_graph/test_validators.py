import pandas as pd
import pytest

from terrarium.common.schemas import TableError
from terrarium.common.splits import SplitError
from terrarium.pipelines.knowledge_graph.validators import check_triples
from tests.kge.graphs import tables


def test_a_table_without_tests_or_with_repetitions_is_refused():
    triples, *_ = tables()
    check_triples(triples)
    with pytest.raises(ValueError, match="no triple is in the split test"):
        check_triples(triples[triples["split"] != "test"])
    with pytest.raises(ValueError, match="1 triples are twice"):
        check_triples(pd.concat([triples, triples[:1]]))


def test_a_leak_is_refused_in_a_split_made_here_alone():
    triples, *_ = tables()
    leaking = (
        triples[triples["split"] == "train"].head(1).assign(split="test").astype({"split": triples["split"].dtype})
    )
    both = pd.concat([triples, leaking])
    check_triples(both)
    with pytest.raises(SplitError, match="are in two splits"):
        check_triples(both.assign(given=False))


def test_columns_and_values_are_checked():
    triples, *_ = tables()
    with pytest.raises(TableError, match="given"):
        check_triples(triples.drop(columns="given"))
    undivided = triples["split"].cat.rename_categories({"undivided": "more", "train": "undivided"})
    with pytest.raises(TableError, match=r"triples: column split must be one of .*: split them again"):
        check_triples(triples.assign(split=undivided))
