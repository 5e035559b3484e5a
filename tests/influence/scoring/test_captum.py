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

    def forward(self, pairs):
        return score_entities(self.scorer(pairs[:, 0], pairs[:, 1]), self.scorer.entity.weight, self.scorer.bias)


@pytest.mark.parametrize("kind", ["complex", "distmult", "conve"])
@pytest.mark.parametrize("loss", ["cross_entropy", "bce"])
def test_influence_is_captums(kind, loss):
    graph, context = make_context(kind, inverse=False, train_type="1vsAll", loss=loss)
    train, queries = graph.splits[TRAIN], graph.splits[TEST]

    def loss_of(values, target):
        if loss == "cross_entropy":
            return torch.nn.functional.cross_entropy(values, target, reduction="none", label_smoothing=0.1)
        targets = torch.nn.functional.one_hot(target, values.shape[1]) * 0.9 + 0.1 / values.shape[1]
        losses = torch.nn.functional.binary_cross_entropy_with_logits(values, targets, reduction="none")
        return losses.mean(1)

    def load(model, name):
        snapshot = context.snapshots[int(name)]
        model.scorer.load_state_dict(snapshot.scorer.state_dict())
        return snapshot.learning_rate

    pairs, target = torch.from_numpy(train[:, :2].copy()), torch.from_numpy(train[:, 2].copy())
    oracle = captum.TracInCP(
        AllScores(copy.deepcopy(context.scorer)),
        torch.utils.data.TensorDataset(pairs, target),
        [str(place) for place in range(len(context.snapshots))],
        checkpoints_load_func=load,
        loss_fn=loss_of,
        batch_size=16,
        sample_wise_grads_per_batch=False,
    )
    ours = np.empty((len(train), len(queries)))
    for block, values in stream_influence(context, queries):
        ours[block] = values.numpy()
    query_pairs, query_target = torch.from_numpy(queries[:, :2].copy()), torch.from_numpy(queries[:, 2].copy())
    expected = oracle.influence((query_pairs, query_target)).numpy()
    assert np.allclose(ours, expected.T, rtol=1e-6)
