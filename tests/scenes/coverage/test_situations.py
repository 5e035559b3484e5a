import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from scipy.stats import fisher_exact

from terrarium.scenes.coverage.comparison import Comparison
from terrarium.scenes.coverage.patterns import Pattern, PatternTable
from terrarium.scenes.coverage.situations import (
    SITUATION_COLUMNS,
    compare_patterns,
    group_situations,
    has_enough_scenes,
)


def sources(recorded, simulated, per_scene=2):
    scene = np.repeat(np.arange(recorded + simulated), per_scene)
    return Comparison(scene < recorded, np.zeros((len(scene), 0), bool), scene)


def patterns(*columns):
    return PatternTable(sparse.csr_array(np.array(columns, float).T), [Pattern(4 * i) for i in range(len(columns))])


def test_scenes_count_not_graphs_and_the_p_value_is_fishers():
    given = sources(10, 20)
    rare = np.isin(given.scene, [*range(8), 15])
    alike = given.scene % 2 == 0
    found = compare_patterns(given, patterns(rare, alike))
    assert found[["recorded_scenes", "simulated_scenes"]].to_numpy().tolist() == [[8, 1], [5, 10]]
    assert found["times_rarer"][0] == pytest.approx((8.5 / 10) / (1.5 / 20))
    assert found["times_rarer"][1] == pytest.approx(1.0, abs=0.06)
    for row, table in enumerate(([[8, 2], [1, 19]], [[5, 5], [10, 10]])):
        assert found["p"][row] == pytest.approx(fisher_exact(table, alternative="greater")[1])
    assert (found["p_adjusted"] >= found["p"] - 1e-12).all()


@pytest.mark.parametrize(("recorded", "simulated"), [(1, 150), (150, 1), (2, 2), (2, 5), (2, 6), (3, 3), (10, 10)])
def test_a_p_value_needs_two_scenes_of_each_and_enough_permutations(recorded, simulated):
    given = sources(recorded, simulated)
    enough = (recorded, simulated) in [(2, 6), (3, 3), (10, 10), (2, 5)]
    assert has_enough_scenes(given) == enough
    found = compare_patterns(given, patterns(given.is_query))
    assert found["p"].isna().all() != enough
    assert np.isfinite(found["times_rarer"]).all()


def test_rare_and_tagged_situations_come_first_with_their_most_critical_graph():
    tested = pd.DataFrame(
        {
            "recorded_scenes": [9, 9, 9], "simulated_scenes": 0, "times_rarer": 9.0, "p": [0.5, 0.001, 0.01],
            "p_adjusted": [0.5, 0.003, 0.02],
        }
    )  # fmt: skip
    table = PatternTable(sparse.csr_array((1, 3)), [Pattern(0), Pattern(4), Pattern(8)])
    gaps = pd.DataFrame(
        {
            "pattern": [0, 1, 1, 2, 2], "row": [10, 11, 12, 13, 14], "score": [9.0, 8.0, 7.0, 6.0, 5.0],
            "tagged": [True, False, False, False, True],
        }
    )  # fmt: skip
    found = group_situations(tested, table, gaps)
    assert tuple(found.columns) == SITUATION_COLUMNS
    assert found["situation"].tolist() == ["cyclist", "pedestrian", "vehicle"]
    assert found["row"].tolist() == [14, 11, 10]
    assert found["graphs"].tolist() == [2, 2, 1]
    assert found["tagged"].tolist() == [0.5, 0.0, 1.0]
