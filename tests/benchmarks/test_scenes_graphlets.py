import pytest

from benchmarks import scenes_graphlets as benchmark
from terrarium.scenes.evaluation.evaluate import GRAPHLETS, HELD_OUT, KERNEL


def test_a_row_has_means_over_seeds_and_the_difference_within_each_seed():
    metrics = (*benchmark.MEASURES, *benchmark.REGRESSIONS)
    found = [
        {
            HELD_OUT: {
                GRAPHLETS: dict.fromkeys(metrics, 0.5 + seed),
                KERNEL: dict.fromkeys(metrics, 0.25 + seed),
            }
        }
        for seed in range(5)
    ]
    rows = list(benchmark.rows_of(found))
    assert len(rows) == len(metrics)
    assert rows[0]["metric"] == "simulator: linear probe, macro F1"
    assert (rows[0][GRAPHLETS].split()[0], rows[0][KERNEL].split()[0]) == ("2.500", "2.250")
    assert rows[0]["graphlets minus WL kernel"] == "0.250"


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
