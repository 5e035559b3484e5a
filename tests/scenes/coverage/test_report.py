import numpy as np
import pandas as pd

from terrarium.scenes.coverage.comparison import Comparison
from terrarium.scenes.coverage.patterns import PatternTable
from terrarium.scenes.coverage.report import deletion_metrics, measure_gaps, null_scores
from terrarium.scenes.coverage.representations import Space
from terrarium.scenes.evaluation.evaluate import EXPORTED
from tests.scenes.scenery import options


def space(recorded_scenes, simulated_scenes, per_scene=8):
    count = recorded_scenes + simulated_scenes
    scene = np.repeat(np.arange(count), per_scene)
    is_recorded = scene < recorded_scenes
    vectors = np.random.default_rng(0).normal(size=(len(scene), 3)) + 3.0 * is_recorded[:, None]
    labels = np.zeros((len(scene), 1), bool)
    sources = Comparison(is_recorded, labels, scene, ("x",))
    nothing = PatternTable(None, [])
    return Space(
        np.arange(len(scene)), {EXPORTED: vectors}, sources, nothing, np.zeros((0, 1)), np.zeros(0, int), vectors
    )


def test_without_any_archetype_there_are_no_recalls():
    assert deletion_metrics(pd.DataFrame()) == {"deletion_archetypes": 0.0}


def test_two_sources_that_differ_are_not_covered():
    table, metrics = measure_gaps(space(6, 6), options().evaluation)
    assert metrics["coverage"] < 0.2
    assert metrics["coverage_p"] <= 2 / 11
    assert table["archetype"].tolist() == ["all graphs", "x"]


def test_a_single_recorded_scene_has_no_coverage_and_no_p_value():
    """Its graphs have no neighbours in other recorded scenes, so that any distance would count as covered."""
    for recorded, simulated in ((1, 30), (30, 1), (2, 2)):
        table, metrics = measure_gaps(space(recorded, simulated), options().evaluation)
        assert metrics == {"recorded_scenes": float(recorded), "simulated_scenes": float(simulated)}
        assert table["gap_p"].isna().all()


def test_scenes_with_fewer_graphs_than_neighbours_have_no_coverage():
    _, metrics = measure_gaps(space(4, 4, per_scene=1), options().evaluation)
    assert "coverage" not in metrics


def test_the_null_of_a_detector_is_of_permuted_scenes():
    seen = []

    def detector(comparison):
        seen.append(comparison.is_query)
        return np.array([[1.0], [np.nan], [2.0]])

    sources = Comparison(np.arange(6) < 3, np.zeros((6, 0), bool), np.arange(6))
    assert null_scores(detector, sources, 0).tolist() == [1.0, 2.0]
    assert seen[0].sum() == 3
