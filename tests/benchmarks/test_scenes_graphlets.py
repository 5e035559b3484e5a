import pytest

from benchmarks import scenes_graphlets as benchmark
from terrarium.scenes.evaluation.evaluate import HELD_OUT


def test_a_row_has_the_mean_of_the_seeds_for_each_representation():
    metrics = (*benchmark.MEASURES, *benchmark.REGRESSIONS)
    found = [
        {HELD_OUT: {name: dict.fromkeys(metrics, 0.1 * number + seed) for number, name in enumerate("ab")}}
        for seed in range(5)
    ]
    rows = list(benchmark.rows_of(found))
    assert len(rows) == len(metrics)
    assert rows[0]["metric"] == "simulator: linear probe, macro F1"
    assert (rows[0]["a"].split()[0], rows[0]["b"].split()[0]) == ("2.000", "2.100")


@pytest.mark.parametrize("folder", [None, "FOLDER"])
def test_recordings_are_for_the_test_and_both_variants_train(monkeypatch, folder):
    monkeypatch.delenv(benchmark.CARLA, raising=False)
    if folder:
        monkeypatch.setenv(benchmark.CARLA, folder)
    options = benchmark.options_of_seed(3, "validation")
    assert set(options.source.variants) == {"real", "simulation"}
    assert options.features.test_only_sources == (["carla"] if folder else [])
    assert (options.source.simulator.seed, options.features.seed, options.evaluation.seed) == (3, 3, 3)
    assert options.evaluation.split == "validation"
