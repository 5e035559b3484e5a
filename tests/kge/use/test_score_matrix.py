import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from terrarium.kge.data.queries import KnownAnswers
from terrarium.kge.evaluation.ranking import rank_triples
from terrarium.kge.models.scorer import score_entities
from terrarium.kge.use import score_matrix
from terrarium.kge.use.score_matrix import PairQuery, filtered_ranks, query_categories, write_score_matrix
from tests.kge.graphs import options
from tests.kge.use.test_trained import trained_family


def written(tmp_path, trained, query):
    made = write_score_matrix(trained, query, tmp_path / "out" / "pairs.parquet")
    return made, pd.read_parquet(made.path)


@pytest.mark.parametrize("model", [{}, {"inverse_relations": False}, {"entity_bias": True}, {"name": "conve"}])
def test_ranks_over_all_entities_are_those_of_the_evaluation(tmp_path, model):
    """Of a test triple, among all entities as heads and as tails, filtered by the known answers of all splits."""
    trained = trained_family(**model, dim=16)
    everyone = np.arange(len(trained.entities))
    _, table = written(tmp_path, trained, PairQuery(1, everyone, everyone))
    test = trained.graph.splits["test"]
    test = test[test[:, 1] == 1]
    known = KnownAnswers(trained.graph.known_triples, trained.graph.num_relations)
    ranks = rank_triples(trained.scorer, test, known, options().evaluation)
    pairs = table[table["known"] == "test"].set_index(["head", "tail"])
    ids = trained.entities["entity"].to_numpy()
    own = pairs.loc[list(zip(ids[test[:, 0]], ids[test[:, 2]], strict=True)), ["head_rank", "tail_rank"]]
    assert len(test)
    assert np.array_equal(own.to_numpy(), ranks)


def test_scores_are_those_of_the_model_and_known_pairs_are_marked(tmp_path):
    trained = trained_family()
    made, table = written(tmp_path, trained, query_categories(trained, "lives_in", "person", "place"))
    heads, tails = trained.members("person"), trained.members("place")
    relation = trained.relation("lives_in")
    with torch.no_grad():
        query = trained.scorer(torch.from_numpy(heads), torch.full((len(heads),), relation))
        scores = score_entities(query, trained.scorer.entity.weight[torch.from_numpy(tails)], None)
    assert made.pairs == len(table) == len(heads) * len(tails)
    assert table["score"].to_numpy() == pytest.approx(scores.numpy().ravel(), rel=1e-5)
    ids = trained.entities["entity"].to_numpy()
    expected = {
        (ids[head], ids[tail]): name
        for name, triples in trained.graph.splits.items()
        for head, r, tail in triples
        if r == relation
    }
    marked = table[table["known"] != ""]
    assert {(r.head, r.tail): r.known for r in marked.itertuples()} == expected
    assert sum(made.known.values()) == len(expected)
    assert table["probability"].between(0, 1).all()


def test_chunks_change_nothing(tmp_path, monkeypatch):
    trained = trained_family()
    query = query_categories(trained, "lives_in", "person", "place")
    _, whole = written(tmp_path / "a", trained, query)
    monkeypatch.setattr(score_matrix, "CHUNK_BYTES", 100)
    _, pieces = written(tmp_path / "b", trained, query)
    pd.testing.assert_frame_equal(whole, pieces, rtol=1e-5)


def test_recall_counts_the_ranks_of_test_pairs(tmp_path):
    trained = trained_family()
    made, table = written(tmp_path, trained, query_categories(trained, "lives_in", "person", "place"))
    test = table[table["known"] == "test"]
    for row in made.recall.itertuples():
        assert row.tail_recall == (test["tail_rank"] <= row.n).mean()
        assert row.head_recall == (test["head_rank"] <= row.n).mean()
        assert row.tail_recall_at_random == min(row.n / len(trained.members("place")), 1)


@given(st.integers(0, 2**32 - 1), st.integers(1, 8))
def test_a_rank_counts_the_unknown_pairs_that_are_better(seed, columns):
    rng = np.random.default_rng(seed)
    scores, known = rng.integers(3, size=(4, columns)).astype(np.float32), rng.random((4, columns)) < 0.4
    ranks = filtered_ranks(scores, known)
    for row in range(4):
        for column in range(columns):
            others = ~known[row]
            others[column] = False
            better = (scores[row][others] > scores[row, column]).sum()
            equal = (scores[row][others] == scores[row, column]).sum()
            assert ranks[row, column] == better + equal / 2 + 1
