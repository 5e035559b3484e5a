import json

import numpy as np
import pandas as pd
import pytest

from terrarium.datasets.json_dataset import strict_json
from terrarium.kge.data.graph import Graph
from terrarium.kge.reporting import figures
from terrarium.kge.reporting.report import report_page
from terrarium.pipelines.knowledge_graph import nodes
from terrarium.training.checkpointing.fingerprints import MismatchedArtifactsError
from terrarium.training.checkpointing.store import TrainingStore
from tests.kge.graphs import options, tables, train_graph


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A run, node by node."""
    chosen, given = options(), tables()
    store = TrainingStore(tmp_path_factory.mktemp("state"))
    trained = train_graph(chosen, given, store)
    measured = tuple(nodes.evaluate(*given, trained["weights"], chosen.evaluation).values())
    history, summary = trained["history"], trained["training_summary"]
    return given, chosen, trained["weights"], history, summary, measured, trained["checkpoints"].folder


def config_of(chosen, given):
    return nodes.write_config(*given, chosen.model, chosen.training, chosen.evaluation)


def test_metrics_are_numbers_that_json_can_say(done):
    metrics = done[5][0]
    assert all(isinstance(value, float) for value in metrics.values())
    assert {"test_mrr", "test_hits_at_10", "test_head_mrr", "test_tail_mrr", "validation_mrr", "test_seconds"} <= set(
        metrics
    )
    assert metrics["test_mrr"] == pytest.approx((metrics["test_head_mrr"] + metrics["test_tail_mrr"]) / 2)
    assert metrics["test_triples"] == 16
    json.dumps(strict_json(metrics), allow_nan=False)


def test_relations_and_ranks_add_up_to_the_whole(done):
    metrics, relations, methods, ranks = done[5]
    test = relations[relations["split"] == "test"]
    mean = (test["mrr"] * test["triples"]).sum() / test["triples"].sum()
    assert mean == pytest.approx(metrics["test_mrr"])
    of_test = ranks[ranks["split"] == "test"]
    assert (1 / of_test[["head_rank", "tail_rank"]].to_numpy()).mean() == pytest.approx(metrics["test_mrr"])
    assert methods.empty


def test_entities_that_training_lacks_are_counted(done):
    triples = done[0][0]
    metrics = done[5][0]
    train = triples[triples["split"] == "train"]
    seen = set(train["head"].astype(str)) | set(train["tail"].astype(str))
    test = triples[triples["split"] == "test"].astype(str)
    assert metrics["test_triples_with_unseen_entities"] == (~(test["head"].isin(seen) & test["tail"].isin(seen))).sum()


def test_weights_of_another_split_are_refused(done):
    (triples, entities, relations), chosen, weights, *_ = done
    moved = triples.assign(split=triples["split"].cat.rename_categories({"validation": "test", "test": "validation"}))
    with pytest.raises(MismatchedArtifactsError, match="another graph or another split"):
        nodes.evaluate(moved, entities, relations, weights, chosen.evaluation)


def test_the_report_shows_quality_answers_and_training(done):
    given, chosen, weights, history, summary, (metrics, relations, methods, _), _ = done
    calibration, reliability = nodes.calibrate(*given, weights, chosen.evaluation).values()
    predictions = nodes.predict(*given, weights, calibration, chosen.evaluation)
    assert predictions["probability"].between(0, 1).all()
    page = report_page(
        source_counts={"lines": 120, "pairs_in_two_splits": 3, "held_out_triples_given_away": 7},
        split_counts={},
        n3_search=pd.DataFrame({"n3_weight": [0.1, 0.03], "chosen": [False, True]}),
        training_summary=summary
        | {"has_collapsed": True, "kept_for_backward_mb": 1.0, "kept_without_checkpointing_mb": 4.0},
        history=history.assign(cleanup_released_mb=0.0),
        metrics=metrics,
        relation_metrics=relations,
        method_metrics=methods,
        predictions=predictions,
        calibration=calibration,
        reporting=chosen.reporting,
        figure_loss=figures.loss_figure(history),
        figure_validation=figures.validation_figure(history),
        figure_relations=figures.relation_figure(relations, chosen.reporting),
        figure_methods=figures.method_figure(methods),
        figure_reliability=figures.reliability_figure(reliability),
    )
    for text in (
        "Best answers",
        "p01",
        "3 pairs of entities are in two",
        "4.0 MB without it",
        "7 held-out triples follow from",
        "Mean squared error of the probabilities",
        "cleanup saved nothing",
        "has collapsed",
        "trial trainings",
    ):
        assert text in page


def test_options_that_are_not_used_are_told(caplog):
    caplog.set_level("INFO")
    given = tables()
    assert "The source gives the splits, so features are not used" in caplog.text
    chosen = options()
    undivided = (
        given[0]
        .drop(columns="given")
        .assign(split=pd.Categorical(["undivided"] * len(given[0]), categories=given[0]["split"].cat.categories))
    )
    nodes.split_triples(undivided, *given[1:], chosen.features)
    assert "No group is held out (features.group_fraction)" in caplog.text


def test_the_default_source_is_split_by_virus_with_whole_genera_apart():
    chosen = options(source__kind="virus_host", source__clade="Orthoflavivirus", features__group_fraction=0.0)
    source, entities, relations, counts = nodes.read_source(chosen.source).values()
    triples, _ = nodes.split_triples(source, entities, relations, chosen.features).values()
    assert set(triples[triples["split"] != "train"]["relation"]) == {"infects"}
    infects = triples[triples["relation"] == "infects"]
    assert (infects.groupby("head", observed=True)["split"].nunique() == 1).all()
    made = Graph.from_tables(triples, entities, relations)
    assert sum(map(len, made.splits.values())) == len(source) == counts["lines"]
    assert relations["split_by"].eq("head").all()
    assert np.isin(made.splits["test"][:, 0], made.splits["train"][:, 0]).all()
