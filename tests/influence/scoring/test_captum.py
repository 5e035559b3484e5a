"""Captum's TracInCP on the same model, loss and checkpoints."""

import copy

import numpy as np
import pytest
import torch

from terrarium.influence.scoring.streaming import stream_influence
from terrarium.kge.data.graph import TEST, TRAIN
from terrarium.kge.models.scorer import score_entities
from tests.influence.contexts import make_context

captum = pytest.importorskip("captum.influence", reason="captum is not installed: the extra oracle brings it")


class AllScores(torch.nn.Module):
    """Scores of every entity for rows of (entity, relation)."""

    def __init__(self, scorer):
        super().__init__()
        self.scorer = scorer

    def forward(self, asked):
        return score_entities(self.scorer(asked[:, 0], asked[:, 1]), self.scorer.entity.weight, self.scorer.bias)


@pytest.mark.parametrize("kind", ["complex", "distmult", "conve"])
@pytest.mark.parametrize("loss", ["cross_entropy", "bce"])
def test_influence_is_captums(kind, loss):
    graph, context = make_context(kind, inverse=False, train_type="1vsAll", loss=loss)
    train, tests = graph.splits[TRAIN], graph.splits[TEST]

    def loss_of(values, right):
        if loss == "cross_entropy":
            return torch.nn.functional.cross_entropy(values, right, reduction="none", label_smoothing=0.1)
        wanted = torch.nn.functional.one_hot(right, values.shape[1]) * 0.9 + 0.1 / values.shape[1]
        given = torch.nn.functional.binary_cross_entropy_with_logits(values, wanted, reduction="none")
        return given.mean(1)

    def load(model, name):
        snapshot = context.snapshots[int(name)]
        model.scorer.load_state_dict(snapshot.scorer.state_dict())
        return snapshot.learning_rate

    asked, right = torch.from_numpy(train[:, :2].copy()), torch.from_numpy(train[:, 2].copy())
    oracle = captum.TracInCP(
        AllScores(copy.deepcopy(context.scorer)),
        torch.utils.data.TensorDataset(asked, right),
        [str(place) for place in range(len(context.snapshots))],
        checkpoints_load_func=load,
        loss_fn=loss_of,
        batch_size=16,
        sample_wise_grads_per_batch=False,
    )
    found = np.empty((len(train), len(tests)))
    for places, block in stream_influence(context, tests):
        found[places] = block.numpy()
    expected = oracle.influence((torch.from_numpy(tests[:, :2].copy()), torch.from_numpy(tests[:, 2].copy()))).numpy()
    assert np.allclose(found, expected.T, rtol=1e-6)
