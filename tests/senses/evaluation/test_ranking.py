import numpy as np
import pandas as pd
import pytest

from terrarium.senses.data.relations import RELATIONS
from terrarium.senses.evaluation.ranking import SynsetPairs, direction_accuracy, filtered_ranks, ranking_metrics
from terrarium.senses.models.vectors import SenseVectors, unit_rows
from tests.senses.lexicon import tables
from tests.senses.vectors import DIM, random_baseline, with_relations


@pytest.fixture
def random():
    return random_baseline()


def test_ranks_are_filtered_and_ties_count_half():
    rows = np.eye(5, 4, dtype=np.float32)
    rows[4] = [0.9, 0.1, 0, 0]
    vectors = SenseVectors(unit_rows(rows), rows, None, np.zeros(4, bool))
    pairs = pd.DataFrame(
        {
            "relation": RELATIONS.index("similar_to"),
            "head": [0, 0],
            "tail": [4, 1],
            "split": ["train", "test"],
        }
    )
    ranks = filtered_ranks(vectors, pairs, 10, np.random.default_rng(0))
    # the query 0 -> 1 excludes 4, and 1, 2 and 3 tie; for the query 1 -> 0, 4 is first, and 0, 2 and 3 tie
    assert ranks.set_index("direction")["rank"].to_dict() == {"tail": 2.0, "head": 3.0}
    assert ranking_metrics(ranks)["mrr"].iloc[0] == pytest.approx((1 / 2 + 1 / 3) / 2)


def test_a_perfect_model_has_rank_one(random):
    """A shift that leads from each head to its tail."""
    made = tables()
    pairs = made["pairs"][made["pairs"]["relation"] == RELATIONS.index("participle")]
    one = pd.DataFrame({"relation": RELATIONS.index("cause"), "head": [3], "tail": [7], "split": ["test"]})
    shift = np.zeros((2 * len(RELATIONS), DIM), np.float32)
    shift[RELATIONS.index("cause")] = 10 * random.synsets[7]
    shift[RELATIONS.index("cause") + len(RELATIONS)] = 10 * random.synsets[3]
    ranks = filtered_ranks(with_relations(random, shift=shift), one, 5, np.random.default_rng(0))
    assert ranks["rank"].tolist() == [1, 1]
    assert filtered_ranks(random, pairs[:0], 5, np.random.default_rng(0)).empty


def test_a_symmetric_score_has_no_direction(random):
    child, parent = np.arange(20), np.arange(20, 40)
    assert direction_accuracy(random, SynsetPairs(child, parent)) == 0.5
    shift = np.zeros((2 * len(RELATIONS), DIM), np.float32)
    shift[RELATIONS.index("hypernym")] = random.synsets[parent].sum(0)
    assert direction_accuracy(with_relations(random, shift=shift), SynsetPairs(child, parent)) > 0.7
    assert np.isnan(direction_accuracy(random, SynsetPairs(child[:0], parent[:0])))
