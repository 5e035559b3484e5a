"""The table of quality, from what finished runs left."""

import json

import pandas as pd
import pytest

from benchmarks import senses_quality
from tests.senses.lexicon import tables


@pytest.fixture
def folder(tmp_path):
    """A finished run on the small lexicon."""
    (tmp_path / "metrics.json").write_text(json.dumps({"simlex999_spearman": 0.6, "test_mrr": 0.2}))
    variants = pd.DataFrame({"variant": ["trained", "untrained", "random"], "simlex999_spearman": [0.6, 0.5, 0.0]})
    variants.to_parquet(tmp_path / "variant_metrics.parquet")
    relations = pd.DataFrame({"queries": [1, 3], "untrained_mrr": [0.4, 0.0], "random_mrr": [0.0, 0.0]})
    relations.to_parquet(tmp_path / "relation_metrics.parquet")
    words = pd.DataFrame(
        {"word1": ["dog", "dog", "car"], "word2": ["cat", "rose", "wheel"], "score": [3.0, 2.0, 1.0], "pos": "n"}
    ).assign(dataset="simlex999")
    for name, table in {**tables(), "word_pairs": words}.items():
        table.to_parquet(tmp_path / f"{name}.parquet")
    return str(tmp_path)


def test_quality_is_shown_next_to_the_start_and_random_vectors(folder):
    rows = {row["metric"]: row for row in senses_quality._quality([folder, folder])}
    similarity, ranks = rows["SimLex-999"], rows["held-out relations, filtered MRR"]
    assert (similarity["median"], similarity["untrained"], similarity["random vectors"]) == ("0.600", "0.500", "0.000")
    assert similarity["by seed"] == "0.600, 0.600"
    assert (ranks["median"], ranks["untrained"]) == ("0.200", "0.100")


def test_formulas_are_measured_on_the_same_pairs(folder):
    """A dog is nearer to a cat than to a rose by path and by Lin similarity."""
    rows = {row["similarity"]: row for row in senses_quality._formulas(folder)}
    assert set(rows) == {"path similarity", "Lin similarity"}
    assert all(float(row["SimLex-999"]) == float(row["SimLex-999, nouns"]) > 0 for row in rows.values())
