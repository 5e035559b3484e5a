from dataclasses import replace

import pytest

from terrarium.training.checkpointing.fingerprints import MismatchedArtifactsError
from tests.influence.runs import select_queries, train


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
