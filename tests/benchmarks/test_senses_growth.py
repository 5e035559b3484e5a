"""The growth curve, on the small lexicon of the tests."""

import pandas as pd

from benchmarks import senses_growth
from tests.senses.lexicon import options, tables


def test_each_variant_has_a_curve_and_counts_the_parameters_it_updated():
    made = tables()
    names = ("synsets", "senses", "pairs", "ancestors", "information_content", "spectral")
    chosen = options(training__growth__rule="timetable")
    rows = list(senses_growth._curve("grown", {name: made[name] for name in names}, [], chosen))
    table = pd.DataFrame(rows)
    assert table["dimensions"].tolist() == [24, 24, 40, 40]
    updates = table["parameter updates (10^9)"].astype(float)
    assert (updates.diff().dropna() >= 0).all()
    assert table["test MRR"].iloc[-1] != "" == table["test MRR"].iloc[0]


def test_the_variants_are_valid_options():
    for dim, rule in senses_growth.VARIANTS.values():
        made = senses_growth._options(dim, rule)
        assert (made.model.dim, made.training.growth.enabled) == (dim, rule is not None)
        assert made.largest_dim == (dim if rule is None else senses_growth.LARGEST)
