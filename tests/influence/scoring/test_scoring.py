import io

import pandas as pd
import pytest

from terrarium.influence.scoring.context import UnknownLayerError
from terrarium.influence.scoring.scoring import TopKError
from tests.influence.runs import reference_files, score, select_queries, write_report


def test_scores_hold_the_top_of_every_query(trained):
    results = score(trained, select_queries(trained), checkpoints__use="all", scoring__self_influence=True)
    scores = results.scores
    assert len(scores) == 3 * 2 * 4
    assert scores["train_self_influence"].gt(0).all()
    assert scores.loc[scores["side"] == "proponent", "score"].gt(0).all()
    assert scores.loc[scores["side"] == "opponent", "score"].lt(0).all()
    assert len(results.self_influence) == 92
    assert set(results.paths["query"]) == {0, 1, 2}
    assert results.metrics["checkpoints"] == 2
    assert results.metrics["proponents_shared_entity"] > results.metrics["training_shared_entity"]


def test_a_training_triple_with_its_own_part_has_its_self_influence(trained, tmp_path):
    train = trained.tables[0].query("split == 'train'").iloc[[0]]
    (tmp_path / "queries.txt").write_text("\t".join(train[["head", "relation", "tail"]].iloc[0]) + "\n")
    queries = select_queries(trained, queries__kind="file", queries__path=str(tmp_path / "queries.txt"))
    assert queries["split"].tolist() == ["train"]
    plain = {"attribution__output_fn": "training_loss", "attribution__hessian": "none"}
    scores = score(trained, queries, **plain, scoring__top_k=92).scores
    same = scores[(scores["train_index"] == 0) & (scores["side"] == "proponent")]
    assert same["score"].to_numpy() == pytest.approx(same["train_self_influence"].to_numpy(), rel=1e-4)
    assert same["score"].to_numpy() == pytest.approx(same["query_self_influence"].to_numpy(), rel=1e-4)


def test_batches_of_queries_change_nothing(trained):
    queries = select_queries(trained)
    whole, split = (score(trained, queries, scoring__batch_size=size).scores for size in (128, 2))
    pd.testing.assert_frame_equal(whole, split, rtol=1e-4)


def test_without_queries_there_are_self_influences_only(trained):
    queries = select_queries(trained, queries__kind="none")
    assert queries.empty
    results = score(trained, queries, scoring__top_k=93)
    assert results.scores.empty
    assert results.paths.empty
    assert len(results.self_influence) == 92
    assert results.self_influence["self_influence"].is_monotonic_decreasing
    assert results.metrics["queries"] == 0
    files = reference_files(trained, results)
    assert files["json"] == []
    assert len(pd.read_csv(io.StringIO(files["csv"])).columns) == 14
    page = write_report(trained, queries, results)
    assert "There are no query triples" in page
    assert "Highest self-influence" in page


def test_without_permutations_no_path_is_tested(trained):
    queries = select_queries(trained)
    results = score(trained, queries, paths__num_permutations=0)
    assert results.paths["p_value"].isna().all()
    assert "paths_tested" not in results.metrics
    assert "stands out" not in write_report(trained, queries, results)


def test_more_than_there_is_and_unknown_layers_stop(trained):
    queries = select_queries(trained)
    with pytest.raises(TopKError, match="top_k is 93 and there are 92"):
        score(trained, queries, scoring__top_k=93)
    with pytest.raises(UnknownLayerError, match="no layer 'fc'"):
        score(trained, queries, attribution__layers=["fc"])
