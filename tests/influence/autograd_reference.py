"""Small scorers with random parameters, and the gradients of their losses by autograd."""

import numpy as np
import torch

from terrarium.influence.gradients.loss_parts import LossSpec
from terrarium.kge.data.ancestors import find_parts
from terrarium.kge.data.graph import TRAIN
from terrarium.kge.data.queries import KnownAnswers
from terrarium.kge.models.scorer import build_scorer, compute_moduli, score_entities
from terrarium.kge.training.losses import BatchAnswers, query_losses
from tests.kge.graphs import options, random_graph


def scorer_of(graph, kind="conve", seed=1, **changes):
    """A scorer in 64 bits with every number drawn, running statistics too, in evaluation."""
    chosen = options(model__name=kind, **{"model__dim": 12, "model__output_channels": 3, **changes})
    parts = find_parts(graph, chosen.model)
    scorer = build_scorer(chosen.model, graph.num_entities, graph.num_relations, parts).double().eval()
    drawn = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in scorer.state_dict().items():
            if tensor.is_floating_point():
                tensor.copy_(torch.randn(tensor.shape, generator=drawn, dtype=torch.float64) * 0.7)
                if name.endswith("running_var"):
                    tensor.abs_().add_(0.5)
    return scorer


def spec_of(graph, scorer, loss="cross_entropy", smoothing=0.1, all_answers=True):
    return LossSpec(
        loss, smoothing, all_answers, scorer.options.inverse_relations, graph.num_entities, graph.num_relations
    )


def small_setting(kind="conve", loss="cross_entropy", all_answers=True, **changes):
    """A graph, a scorer, what was spec, and the answers in training."""
    graph = random_graph(entities=14, relations=3, sizes=(60, 5, 6))
    scorer = scorer_of(graph, kind, **changes)
    spec = spec_of(graph, scorer, loss, all_answers=all_answers)
    return graph, scorer, spec, KnownAnswers(graph.splits[TRAIN], graph.num_relations)


def rows_of(triple, spec):
    """The rows of a triple: (entity, relation, answer)."""
    head, relation, tail = (int(x) for x in triple)
    rows = [(head, relation, tail)]
    return [*rows, (tail, relation + spec.num_relations, head)] if spec.inverse_relations else rows


def loss_of(scorer, spec, entity, relation, right):
    """The loss of a row with the right answers `right`, by the family's own objective."""
    if not right:
        return torch.zeros((), dtype=torch.float64)
    query = scorer(torch.tensor([entity]), torch.tensor([relation]))
    values = score_entities(query, scorer.entity_table(), scorer.bias)
    answers = BatchAnswers(
        torch.zeros(len(right), dtype=torch.long), torch.tensor(right), torch.tensor([len(right)]), torch.ones(1)
    )
    moduli = [compute_moduli(table.weight, scorer.options.name) for table in (scorer.entity, scorer.relation)]
    entities, relations = (one.pow(3).sum(1) for one in moduli)
    penalty = entities[entity] + relations[relation] + entities[right].mean()
    return query_losses(values, answers, spec.loss, spec.label_smoothing)[0] + spec.n3_weight * penalty


def part_of(scorer, spec, triple, known, unit):
    """The part of the loss that belongs to a triple, from whole losses alone; `known` are training triples."""
    known = {tuple(int(x) for x in row) for row in known} | {tuple(int(x) for x in triple)}
    total = torch.zeros((), dtype=torch.float64)
    for entity, relation, answer in rows_of(triple, spec):
        every = [rows_of(row, spec) for row in sorted(known)]
        right = [a for rows in every for e, r, a in rows if (e, r) == (entity, relation)]
        right = right if spec.all_answers else [answer]
        times, fewer = (float(v) for v in spec.row_weight(np.array([float(len(right)), len(right) - 1.0])))
        whole = times * loss_of(scorer, spec, entity, relation, right)
        if unit == "row":
            total = total + whole
        elif unit == "positive":
            total = total + _positive(scorer, spec, entity, relation, answer)
        elif unit == "removal":
            others = [a for a in right if a != answer]
            total = total + whole - fewer * loss_of(scorer, spec, entity, relation, others)
        else:
            total = total + times * _share(scorer, spec, entity, relation, answer, right)
    return total


def _positive(scorer, spec, entity, relation, answer):
    """The loss of the one score, -log sigmoid(s); for cross entropy the score times u - 1."""
    query = scorer(torch.tensor([entity]), torch.tensor([relation]))
    values = score_entities(query, scorer.entity_table(), scorer.bias)[0]
    if spec.loss == "bce":
        return -torch.log(torch.sigmoid(values[answer]))
    return (torch.softmax(values, 0)[answer] - 1).detach() * values[answer]


def _share(scorer, spec, entity, relation, answer, right):
    """A k-th of what no answer would cost, minus its own term; for cross entropy a k-th of the loss of it alone."""
    alone = loss_of(scorer, spec, entity, relation, [answer])
    if spec.loss == "cross_entropy":
        return alone / len(right)
    query = scorer(torch.tensor([entity]), torch.tensor([relation]))
    score = score_entities(query, scorer.entity_table(), scorer.bias)[0, answer]
    own = (1 - spec.label_smoothing) * score / spec.num_entities
    return (alone + own) / len(right) - own


def gradient(scorer, value, names=None):
    """By name, the gradients of a value."""
    chosen = {name: p for name, p in scorer.named_parameters() if names is None or name in names}
    found = torch.autograd.grad(value, list(chosen.values()), allow_unused=True)
    return {
        name: torch.zeros_like(p) if part is None else part
        for (name, p), part in zip(chosen.items(), found, strict=True)
    }


def dot(left, right):
    return float(sum((left[name] * right[name]).sum() for name in left))


def folded(matrix, sides, rows, columns):
    """Sums over the sides of triples."""
    return matrix.reshape(sides, rows, sides, columns).sum((0, 2)).numpy()
