"""The benchmark's batches are those of the training, and its tables say what was measured."""

import numpy as np
import pytest

from benchmarks import optimisations, timing
from benchmarks.checklist import order_of
from benchmarks.parameters import options_of
from terrarium.hierarchy import Hierarchy

pytestmark = pytest.mark.usefixtures("results_folder")


@pytest.fixture
def setting(monkeypatch):
    parents = np.random.default_rng(0).integers(0, np.maximum(np.arange(400), 1))
    parents[0] = -1
    monkeypatch.setattr(optimisations, "BATCHES", 3)
    return optimisations.Setting(Hierarchy.from_parents(np.arange(400), parents), options_of(optimisations.RECIPE))


def test_batches_are_the_first_of_the_epoch(setting):
    assert setting.batches == -(-setting.tree.pair_count // 64)
    np.testing.assert_array_equal(np.concatenate(setting.parts), order_of(setting.problem)[: 3 * 64])
    assert [len(named) for named in setting.named] == [64 * 52] * 3


def test_levels_hold_the_rows_of_their_depths(setting):
    assert [set(setting.tree.depth[level]) for level in setting.levels] == [
        {depth} for depth in range(setting.tree.max_depth + 1)
    ]


def test_timing_counts_calls_but_the_first():
    calls = []
    found = timing.timed(calls.append, batches=4, repeats=2)
    assert calls == [0, *range(4), *range(4)]
    assert 0.0 <= found.minimum <= found.median <= found.maximum


def test_the_spread_is_that_of_the_turns(setting, monkeypatch):
    monkeypatch.setattr(optimisations, "TURNS", 3)
    seconds = iter([4.0, 1.0, 4.0, 2.0, 4.0, 4.0])
    monkeypatch.setattr(optimisations, "timed", lambda *_: timing.Timing(*[next(seconds)] * 3))
    slow, fast = optimisations._spread({"slow": len, "fast": len})
    assert [slow[f"times faster, {what}"] for what in ("minimum", "median", "maximum")] == ["1", "1", "1"]
    assert [fast[f"times faster, {what}"] for what in ("minimum", "median", "maximum")] == ["1", "2", "4"]
    assert fast["ms, median"] == "2,000"


def test_table_gives_the_ratio_to_the_first_and_the_claim(setting, capsys):
    forms = [("slow", timing.Timing(2.0, 1.0, 3.0)), ("fast", timing.Timing(0.5, 0.5, 0.5))]
    optimisations.show(setting, "Title", forms, "minor")
    slow, fast = [line for line in capsys.readouterr().out.splitlines() if line.startswith(("| slow", "| fast"))]
    assert slow.startswith("| slow | 2,000 (1,000 to 3,000) |")
    assert slow.endswith("| 1 |  |")
    assert fast.startswith("| fast | 500 (500 to 500) |")
    assert fast.endswith("| 4x | minor |")


def test_device_table_names_no_metal_for_auto(capsys):
    optimisations.devices()
    (auto,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("| auto "))
    assert "mps" not in auto
