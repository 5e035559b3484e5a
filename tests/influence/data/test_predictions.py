import numpy as np
import pytest
import torch

from terrarium.influence.data.predictions import predict_triples
from terrarium.kge.data.graph import Graph
from terrarium.kge.models.scorer import load_scorer, score_entities


def test_predictions_are_ranks_and_softmax(trained):
    """Both by hand; the rank of a training triple leaves out the other answers of its query."""
    graph, scorer = Graph.from_tables(*trained.tables), load_scorer(trained.weights)
    train = graph.splits["train"]
    ranks, probabilities = predict_triples(scorer, graph, train[:20], "cross_entropy")
    with torch.no_grad():
        head, relation = (torch.from_numpy(train[:20, column].copy()) for column in (0, 1))
        values = score_entities(scorer(head, relation), scorer.entity.weight, scorer.bias)
    for number, (triple, row) in enumerate(zip(train[:20].tolist(), values.numpy(), strict=True)):
        answers = {t for h, r, t in train.tolist() if [h, r] == triple[:2]}
        others = [entity for entity in range(graph.num_entities) if entity not in answers]
        assert ranks[number] == 1 + (row[others] > row[triple[2]]).sum()
        assert probabilities[number] == pytest.approx(np.exp(row[triple[2]]) / np.exp(row).sum(), rel=1e-5)
    alone = torch.sigmoid(values[0, train[0, 2]]).item()
    assert predict_triples(scorer, graph, train[:1], "bce").probability == pytest.approx([alone], rel=1e-5)
