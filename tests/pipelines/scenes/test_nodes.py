import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from terrarium.pipelines.scenes import nodes
from terrarium.pipelines.scenes import reporting_nodes as presentation
from terrarium.pipelines.scenes.validators import embeddings_are_finite, scenes_stand_in_one_part
from terrarium.scenes.evaluation.evaluate import HELD_OUT, KERNEL, STATISTICS, TRAINED
from terrarium.scenes.graphs.ingestion import read_all
from terrarium.sources.errors import SourceError
from terrarium.training.checkpointing.store import TrainingStore
from tests.scenes.scenery import options, tables


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    chosen, made = options(training__max_epochs=2), tables()
    store = TrainingStore(tmp_path_factory.mktemp("scenes"))
    trained = nodes.train(made["graphs"], made["index"], store, chosen.model, chosen.training, chosen.features)
    weights = trained[0]
    embeddings = nodes.export_embeddings(made["graphs"], made["index"], weights)
    measured = nodes.evaluate(made["graphs"], made["index"], made["labels"], weights, chosen.evaluation)
    coverage = nodes.measure_coverage(
        *(made["graphs"], made["index"], weights, embeddings, made["labels"], chosen.evaluation)
    )
    return chosen, made, trained, embeddings, measured, coverage


def test_there_is_an_embedding_a_graph(finished):
    _, made, _, embeddings, *_ = finished
    assert embeddings.columns[:6].tolist() == ["graph_id", "scene", "time_s", "source", "split", "x0"]
    assert len(embeddings) == len(made["index"])
    embeddings_are_finite(embeddings)
    scenes_stand_in_one_part(made["index"])


def test_metrics_are_numbers_beside_the_baselines(finished):
    *_, (metrics, table, by_archetype), _ = finished
    assert all(isinstance(value, float) and np.isfinite(value) for value in metrics.values())
    assert {"probe_macro_f1", "retrieval_map_wl_kernel", "cross_view_top_1", "effective_rank"} <= metrics.keys()
    assert {TRAINED, STATISTICS, KERNEL} <= set(table["representation"])
    assert set(table["test_set"]) == {HELD_OUT}
    assert by_archetype["f1"].between(0.0, 1.0).all()


def test_statistics_know_what_they_are(finished):
    """Mean speed and the smallest gap are two of the ten."""
    *_, (_, table, _), _ = finished
    row = table.set_index("representation").loc[STATISTICS]
    assert row["mean_speed_r2"] == pytest.approx(1.0, abs=0.01)
    assert row["smallest_gap_r2"] == pytest.approx(1.0, abs=0.01)


def test_gaps_are_ranked_and_say_what_is_in_them(finished):
    *_, (coverage, gaps, holes, numbers) = finished
    assert coverage["score"].is_monotonic_decreasing
    assert set(coverage.columns) == {"graph_id", "scene", "time_s", "row", "score", "archetypes"}
    assert 0.0 <= numbers["coverage"] <= 1.0
    assert "all graphs" in set(gaps["archetype"])
    assert holes["recall"].between(0.0, 1.0).all()


def test_the_report_shows_everything(finished):
    chosen, made, (_, _, history, summary, _), embeddings, (_, table, by_archetype), found = finished
    coverage, gaps, holes, numbers = found
    training = presentation.draw_training(history)
    quality = presentation.draw_quality(table, by_archetype)
    drawn = presentation.draw_coverage(
        *(made["graphs"], made["index"], made["lanes"], embeddings, coverage, gaps),
        *(chosen.evaluation, chosen.reporting),
    )
    page = presentation.write_report(
        *(made["index"], made["labels"], summary, table, coverage, gaps, holes, numbers, chosen.reporting),
        *(training, *quality, *drawn),
    )
    for text in ("What simulation lacks", "Known holes", "ten statistics", "cut in between", "The largest gaps"):
        assert text in page
    assert page.count('<figure role="img"') == 6
    titles = [note.text for note in drawn[2].layout.annotations]
    assert len(titles) == chosen.reporting.num_exemplars
    assert len({title.rpartition("/")[0] for title in titles}) > 1


def test_weights_of_another_split_are_refused(finished):
    _, made, (weights, *_), *_ = finished
    other = made["index"].assign(split="train")
    with pytest.raises(nodes.WrongGraphsError, match="another split"):
        nodes.check_weights(weights, made["graphs"], other)


def test_embeddings_that_are_not_finite_are_not_saved():
    with pytest.raises(ValueError, match="1 embeddings are not finite, such as that of b"):
        embeddings_are_finite(pd.DataFrame({"graph_id": ["a", "b"], "x0": [1.0, np.nan]}))


def test_settings_can_be_compared_on_validation_scenes(finished):
    chosen, made, (weights, *_), _, (_, tested, _), _ = finished
    asked = chosen.evaluation.model_copy(update={"split": "validation"})
    _, table, _ = nodes.evaluate(made["graphs"], made["index"], made["labels"], weights, asked)
    assert not table["mean_speed_r2"].equals(tested["mean_speed_r2"])


def test_without_archetypes_enough_there_are_empty_tables(finished):
    """Nothing that can not be measured is a number; training was not for nothing."""
    chosen, made, (weights, *_), embeddings, *_ = finished
    asked = chosen.evaluation.model_copy(update={"min_positives": 10_000})
    metrics, table, by_archetype = nodes.evaluate(made["graphs"], made["index"], made["labels"], weights, asked)
    assert (metrics, len(table), len(by_archetype)) == ({}, 0, 0)
    coverage, gaps, holes, numbers = nodes.measure_coverage(
        *(made["graphs"], made["index"], weights, embeddings, made["labels"], asked)
    )
    assert (len(holes), numbers["known_holes"]) == (0, 0.0)
    assert all(np.isfinite(value) for value in numbers.values())
    quality = presentation.draw_quality(table, by_archetype)
    drawn = presentation.draw_coverage(
        *(made["graphs"], made["index"], made["lanes"], embeddings, coverage, gaps, asked, chosen.reporting)
    )
    assert len((*quality, *drawn)) == 5


def test_settings_are_compared_without_the_test_scenes(finished):
    chosen, made, (weights, *_), embeddings, *_ = finished
    asked = chosen.evaluation.model_copy(update={"split": "validation"})
    coverage, *_ = nodes.measure_coverage(*(made["graphs"], made["index"], weights, embeddings, made["labels"], asked))
    tested = made["index"].loc[made["index"]["split"] == "test", "graph_id"]
    assert not set(coverage["graph_id"]) & set(tested)


def test_what_needs_no_training_is_asked_the_same(finished):
    *_, (_, _, holes, numbers) = finished
    for name in ("", "_random_encoder", "_ten_statistics", "_wl_kernel"):
        assert 0.0 < numbers[f"coverage_p{name}"] <= 1.0
        assert 0.0 < numbers[f"coverage{name}"] <= 1.0
    for name in ("", "_road_users", "_patterns", "_neighbours", "_embedding_wl_kernel", "_road_users_random_encoder"):
        assert 0.0 <= numbers[f"known_hole_recall{name}"] <= 1.0
    assert {"embedding", "road users", "patterns", "neighbours"} == set(holes["detector"])


def test_a_source_that_is_only_tested_has_numbers_of_its_own(finished):
    chosen, made, (weights, *_), *_ = finished
    index = made["index"]
    real = index["source"] == "real"
    alone = index.assign(split=index["split"].mask(real, "test"))
    measured = weights.metadata | {"graphs": nodes.fingerprint(made["graphs"], alone)}
    state = type(weights)(weights.tensors, measured)
    _, table, _ = nodes.evaluate(made["graphs"], alone, made["labels"], state, chosen.evaluation)
    assert set(table["test_set"]) == {HELD_OUT, "real"}


def test_without_any_source_the_run_stops():
    variants = {name: None for name in options().source.simulator.variants}  # noqa: C420
    nothing = options().source.model_copy(
        update={"simulator": options().source.simulator.model_copy(update={"variants": variants})}
    )
    with pytest.raises(SourceError, match="there is no source"):
        read_all(nothing)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"evaluation__coverage__recorded": "carla"}, "recorded is 'carla' and the sources are real, simulation"),
        ({"training__objective__name": "simsiam"}, "nt_xent"),
        ({"features__val_fraction": 0.9}, "less than 0.5"),
        ({"source__recordings": {"a": {"reader": "waymo", "path": "x"}}}, "carla"),
        ({"training__batch_size": 1}, "greater than 1"),
        ({"training__objective__context_weight": 0.0}, "so that nothing learns them"),
        (
            {"training__objective__name": "masked", "model__output": "embedding"},
            "masked trains no layer of the embedding",
        ),
        ({"features__graphs__interval_s": 2.0}, "interval_s is 2: set temporal_positive_prob to 0"),
        ({"features__graphs__interval_s": 0.7}, "temporal_positive_prob needs graphs one second apart"),
    ],
)
def test_options_that_do_not_fit_are_told(changes, message):
    with pytest.raises(ValidationError, match=message):
        options(**changes)


@pytest.mark.parametrize("interval", [0.05, 0.3, 0.5, 1.0, 1.2])
def test_intervals_with_graphs_about_a_second_apart_are_taken(interval):
    assert options(features__graphs__interval_s=interval).features.graphs.interval_s == interval
    assert options(features__graphs__interval_s=2.0, training__augmentation__temporal_positive_prob=0.0)
