"""The studies embed, measure and place with the parameters they are given."""

import pandas as pd
import pytest

from benchmarks import objectives
from benchmarks.parameters import parameters_of
from benchmarks.studies import Study, changed, table_rows

SMALL = {
    "training.max_epochs": 1,
    "training.skip_above": 1.0,
    "evaluation.min_group_size": 2,
    "evaluation.ranks": ["family", "genus"],
}


def test_an_unknown_parameter_is_refused():
    with pytest.raises(KeyError, match=r"no parameter training\.epochs"):
        changed(parameters_of("hyperbolic", "local"), {"training.epochs": 1})


def test_every_change_that_the_benchmarks_make_is_valid():
    given = [*objectives.OBJECTIVES.values(), *objectives._frontier_runs().values()]
    given += [changes for changes in objectives.ADVICE.values() if changes is not None]
    for changes in given:
        chosen = Study.of("Hominidae", changes, seed=3).options
        assert chosen.training.seed == chosen.holdout.seed == 3
        assert chosen.source.clade == "Hominidae"


def test_a_study_measures_and_places():
    study = Study.of("9443", {**SMALL, "source.max_depth": 8})
    table, history = study.measure()
    assert list(table.index) == ["trained", "cones", "rays", "caps", "combinatorial", "inherited", "random"]
    assert table.loc["rays", "ancestor_map_detour"] > 0.99
    assert table["separation_genus"].notna().all()
    assert len(history) == 1
    assert set(study.place()["kind"]) == {"leaf", "clade"}


def test_the_frontier_has_one_column_per_clade_and_tables_have_named_rows():
    clades = list(objectives.FRONTIER)
    rows = [
        {
            "clade": clade,
            "layout": "detour, positive_weight 5",
            "separation": 2.0,
            "MAP by detour": 0.9,
            "MAP by distance": 0.1,
        }
        for clade in clades
    ]
    figure = objectives.frontier_figure(pd.DataFrame(rows))
    assert sum(len(trace.x) for trace in figure.data if trace.x is not None) == 2 * len(clades)
    wide = objectives._wide(pd.DataFrame(rows))
    assert wide.shape == (1, 3 * len(clades))
    assert wide.loc["detour, positive_weight 5", "Mammalia: order separation"] == 2.0
    assert list(table_rows(pd.DataFrame({"a": [0.5]}, index=["x"]), "name")) == [{"name": "x", "a": "0.500"}]
