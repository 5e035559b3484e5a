from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from terrarium.pipelines.scenes import nodes
from terrarium.pipelines.scenes.validators import require_finite_embeddings, require_valid_graph_index
from terrarium.scenes.criticality.tables import WORST
from terrarium.scenes.evaluation.evaluate import GRAPHLETS, HELD_OUT, KERNEL, STATISTICS, TRAINED
from terrarium.scenes.options import Options
from terrarium.scenes.reporting import exemplars, figures
from terrarium.scenes.reporting.report import write_report
from terrarium.training.checkpointing.fingerprints import MismatchedArtifactsError
from terrarium.training.checkpointing.state import State
from terrarium.training.checkpointing.store import TrainingStore
from tests.scenes.scenery import options, tables


@dataclass(frozen=True)
class Finished:
    """A run of the nodes: options, tables of ingestion and features, and what each later node gave."""

    options: Options
    made: dict[str, Any]
    trained: dict[str, Any]
    embeddings: pd.DataFrame
    evaluated: dict[str, Any]
    covered: dict[str, Any]

    def evaluate(self, index=None, weights=None, **changes):
        evaluation = self.options.evaluation.model_copy(update=changes)
        index = self.made["index"] if index is None else index
        chosen = weights or self.trained["weights"]
        return nodes.evaluate(self.made["graphs"], index, self.made["labels"], chosen, evaluation)

    def measure_coverage(self, **changes):
        return nodes.measure_coverage(
            graphs=self.made["graphs"],
            graph_index=self.made["index"],
            weights=self.trained["weights"],
            embeddings=self.embeddings,
            archetypes=self.made["labels"],
            tags=self.made["tags"],
            criticality=self.made["criticality"],
            evaluation=self.options.evaluation.model_copy(update=changes),
            source=self.options.source,
        )

    def draw(self, evaluated, covered):
        chosen, made = self.options, self.made
        return {
            "figure_training": figures.training_figure(self.trained["history"]),
            "figure_quality": figures.quality_figure(evaluated["representation_metrics"]),
            "figure_archetypes": figures.archetype_figure(evaluated["archetype_metrics"]),
            "figure_map": figures.map_figure(self.embeddings, chosen.evaluation, chosen.source, chosen.reporting),
            "figure_gaps": figures.gap_figure(covered["archetype_gaps"]),
            "figure_scenes": exemplars.exemplar_figure(
                made["graphs"],
                made["index"],
                made["lanes"],
                covered["coverage"],
                covered["situations"],
                chosen.reporting,
            ),
        }

    def report(self, evaluated, covered, drawn, source=None):
        return write_report(
            graph_index=self.made["index"],
            archetypes=self.made["labels"],
            representation_metrics=evaluated["representation_metrics"],
            evaluation=self.options.evaluation,
            source=source or self.options.source,
            reporting=self.options.reporting,
            training_summary=self.trained["training_summary"],
            tags=self.made["tags"],
            scene_criticality=self.made["scene_criticality"],
            **{name: table for name, table in covered.items() if name != "coverage"},
            **drawn,
        )


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    chosen, made = options(training__max_epochs=2), tables()
    store = TrainingStore(tmp_path_factory.mktemp("scenes"))
    trained = nodes.train(made["graphs"], made["index"], store, chosen.model, chosen.training, chosen.features)
    embeddings = nodes.export_embeddings(made["graphs"], made["index"], trained["weights"])
    run = Finished(chosen, made, trained, embeddings, {}, {})
    return replace(run, evaluated=run.evaluate(), covered=run.measure_coverage())


def test_every_graph_has_an_embedding(finished):
    embeddings = finished.embeddings
    assert embeddings.columns[:6].tolist() == ["graph_id", "scene", "time_s", "source", "split", "x0"]
    assert len(embeddings) == len(finished.made["index"])
    require_finite_embeddings(embeddings)
    require_valid_graph_index(finished.made["index"])


def test_metrics_are_numbers_next_to_the_baselines(finished):
    metrics, table = finished.evaluated["metrics"], finished.evaluated["representation_metrics"]
    assert all(isinstance(value, float) and np.isfinite(value) for value in metrics.values())
    measured = {"probe_macro_f1", "retrieval_map_wl_kernel", "retrieval_map_trained_encoder", "effective_rank"}
    assert measured <= metrics.keys()
    assert {GRAPHLETS, TRAINED, STATISTICS, KERNEL} <= set(table["representation"])
    rows = table.set_index("representation")
    assert metrics["probe_macro_f1"] == rows.loc[GRAPHLETS, "probe_macro_f1"]
    assert metrics["probe_macro_f1_trained_encoder"] == rows.loc[TRAINED, "probe_macro_f1"]
    assert np.isfinite(rows.loc[TRAINED, "cross_view_top_1"])
    assert set(table["test_set"]) == {HELD_OUT}
    assert finished.evaluated["archetype_metrics"]["f1"].between(0.0, 1.0).all()


@pytest.mark.parametrize("name", [STATISTICS, GRAPHLETS])
def test_statistics_predict_themselves(finished, name):
    """Mean speed and the smallest gap are two of the ten, which are next to the graphlets too."""
    row = finished.evaluated["representation_metrics"].set_index("representation").loc[name]
    assert row["mean_speed_r2"] == pytest.approx(1.0, abs=0.01)
    assert row["smallest_gap_r2"] == pytest.approx(1.0, abs=0.01)


def test_gaps_are_ranked_and_say_what_is_in_them(finished):
    coverage, metrics = finished.covered["coverage"], finished.covered["coverage_metrics"]
    assert coverage["score"].is_monotonic_decreasing
    own = ["graph_id", "scene", "time_s", "row", "score", "p", "is_gap", "situation", "archetypes", "tags"]
    assert coverage.columns.tolist() == [*own, *WORST]
    assert coverage["p"].between(0.0, 1.0).all()
    assert ((coverage["situation"] != "") == coverage["is_gap"]).all()
    situations = finished.covered["situations"]
    assert set(situations["situation"]) == set(coverage["situation"]) - {""}
    assert situations["graphs"].sum() == coverage["is_gap"].sum()
    assert set(situations["row"]) <= set(coverage.loc[coverage["is_gap"], "row"])
    assert 0.0 <= metrics["coverage"] <= 1.0
    assert "all graphs" in set(finished.covered["archetype_gaps"]["archetype"])
    assert finished.covered["deletion_test"]["recall"].between(0.0, 1.0).all()


def test_the_report_shows_everything(finished):
    drawn = finished.draw(finished.evaluated, finished.covered)
    page = finished.report(finished.evaluated, finished.covered, drawn)
    for text in ("What the simulation lacks", "Deletion test", "ten statistics", "cut in between", "Criticality"):
        assert text in page
    assert page.count('<figure role="img"') == 6
    titles = [note.text for note in drawn["figure_scenes"].layout.annotations]
    assert len(titles) == min(finished.options.reporting.num_exemplars, len(finished.covered["situations"]))
    assert all("times rarer" in title for title in titles)
    speeds = [text for trace in drawn["figure_scenes"].data for text in (trace.text or ())]
    assert all(float(speed) >= 0.0 for speed in speeds)
    assert "what makes it rare" in {trace.name for trace in drawn["figure_scenes"].data}


def test_weights_of_another_split_are_refused(finished):
    other = finished.made["index"].assign(split="train")
    with pytest.raises(MismatchedArtifactsError, match="another split"):
        nodes.require_own_graphs(finished.trained["weights"], finished.made["graphs"], other)


def test_settings_can_be_compared_on_validation_scenes(finished):
    table = finished.evaluate(split="validation")["representation_metrics"]
    assert not table["mean_speed_r2"].equals(finished.evaluated["representation_metrics"]["mean_speed_r2"])


def test_too_few_positives_give_empty_tables(finished):
    """What cannot be measured is no number, and the report is still written."""
    evaluated = finished.evaluate(min_positives=10_000)
    assert (evaluated["metrics"], len(evaluated["archetype_metrics"])) == ({}, 0)
    assert evaluated["representation_metrics"].empty
    covered = finished.measure_coverage(min_positives=10_000)
    metrics = covered["coverage_metrics"]
    assert (len(covered["deletion_test"]), metrics["deletion_archetypes"]) == (0, 0.0)
    assert all(np.isfinite(value) for value in metrics.values())
    drawn = finished.draw(evaluated, covered)
    assert "No archetype has enough simulated graphs" in finished.report(evaluated, covered, drawn)


def test_settings_are_compared_without_the_test_scenes(finished):
    coverage = finished.measure_coverage(split="validation")["coverage"]
    index = finished.made["index"]
    assert not set(coverage["graph_id"]) & set(index.loc[index["split"] == "test", "graph_id"])


def test_the_baselines_are_measured_in_the_same_way(finished):
    metrics = finished.covered["coverage_metrics"]
    for name in ("", "_random_encoder", "_ten_statistics", "_wl_kernel"):
        assert 0.0 < metrics[f"coverage_p{name}"] <= 1.0
        assert 0.0 < metrics[f"coverage{name}"] <= 1.0
    for name in (
        "",
        "_road_users",
        "_patterns",
        "_neighbours",
        "_embedding_wl_kernel",
        "_road_users_random_encoder",
        "_combination",
        "_road_users_counts",
    ):
        assert 0.0 <= metrics[f"deletion_recall{name}"] <= 1.0
    assert {"combination", "embedding", "road users", "patterns", "neighbours"} == set(
        finished.covered["deletion_test"]["detector"]
    )


def test_a_test_only_source_is_a_test_set_of_its_own(finished):
    index, weights = finished.made["index"], finished.trained["weights"]
    alone = index.assign(split=index["split"].mask(index["source"] == "real", "test"))
    metadata = weights.metadata | {"graphs": nodes.fingerprint(finished.made["graphs"], alone)}
    table = finished.evaluate(index=alone, weights=State(weights.tensors, metadata))["representation_metrics"]
    assert set(table["test_set"]) == {HELD_OUT, "real"}


def test_the_report_says_on_top_when_the_recorded_source_is_simulated(finished):
    drawn = finished.draw(finished.evaluated, finished.covered)
    top = "is simulated too"
    page = finished.report(finished.evaluated, finished.covered, drawn)
    assert 0 < page.index(top) < page.index("What the simulation lacks</h2>")
    own = options(source__recordings__mine__path="FOLDER").source
    assert top not in finished.report(finished.evaluated, finished.covered, drawn, own)


def test_a_single_recorded_scene_is_reported_without_p_values(finished):
    """Never as covered: its graphs have no neighbours in other recorded scenes."""
    made = finished.made
    index, embeddings = made["index"], finished.embeddings
    scene = index.loc[index["source"] == "real", "scene"].iloc[0]
    is_kept = (index["source"] != "real") | (index["scene"] == scene)
    source = index["source"].where(is_kept, "left out")
    covered = nodes.measure_coverage(
        graphs=made["graphs"],
        graph_index=index,
        weights=finished.trained["weights"],
        embeddings=embeddings.assign(source=source),
        archetypes=made["labels"],
        tags=made["tags"],
        criticality=made["criticality"],
        evaluation=finished.options.evaluation,
        source=finished.options.source,
    )
    assert "coverage" not in covered["coverage_metrics"]
    assert covered["coverage"]["p"].isna().all()
    assert covered["situations"]["p"].isna().all()
    drawn = finished.draw(finished.evaluated, covered)
    page = finished.report(finished.evaluated, covered, drawn)
    assert "not enough scenes for a p-value" in page
    assert "100" not in page.partition("How much is covered")[2].partition("For each archetype")[0]
