from dataclasses import replace

import pytest

from terrarium.training.checkpointing.fingerprints import MismatchedArtifactsError
from tests.influence.runs import score, select_queries, train
from tests.kge.graphs import tables


def test_weights_of_another_training_are_refused(trained, tmp_path):
    """Same data, same model, another seed: what is predicted must be what is explained."""
    other = train(tmp_path, training__seed=5)
    changes = {"queries__kind": "predictions"}
    for weights, checkpoints in (
        (trained.weights, other.checkpoints),
        (other.weights, trained.checkpoints),
    ):
        mixed = trained._replace(weights=weights, checkpoints=checkpoints)
        with pytest.raises(MismatchedArtifactsError, match="--load-versions"):
            select_queries(mixed, **changes)
    assert len(select_queries(other, **changes)) == 3
    metadata = trained.weights.metadata
    other_model = replace(trained.weights, metadata={**metadata, "model": {**metadata["model"], "seed": 9}})
    with pytest.raises(MismatchedArtifactsError, match="--load-versions"):
        select_queries(trained._replace(weights=other_model), **changes)


def test_weights_hold_sums_over_ancestors_and_checkpoints_hold_own_vectors(tmp_path):
    triples, entities, relations = tables()
    own = triples, entities, relations.assign(is_hierarchy=relations["relation"] == "parent_of")
    first, other = (train(tmp_path / str(seed), own, training__seed=seed) for seed in (0, 5))
    queries = select_queries(first, queries__kind="predictions")
    assert len(queries) == 3
    assert len(score(first, queries).scores) == 3 * 2 * 4
    with pytest.raises(MismatchedArtifactsError, match="--load-versions"):
        select_queries(first._replace(weights=other.weights), queries__kind="predictions")
