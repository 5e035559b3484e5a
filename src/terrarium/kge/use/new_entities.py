"""Embeddings of entities that training never saw, fitted to their triples with all else frozen.

The embedding of a new entity minimises the training loss of its triples, in both directions, plus the N3 penalty. For
ComplEx and DistMult scores are linear in it, so the loss is convex and has one minimum.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from terrarium.kge.data.graph import HEAD, RELATION, TAIL, TRAIN, Triples, invert_triples
from terrarium.kge.evaluation.baselines import relation_index
from terrarium.kge.models.scorer import Scorer, compute_moduli, score_entities
from terrarium.kge.use.trained import TrainedGraph

MAX_STEPS = 200
"""Steps of L-BFGS at most."""


class NewEntityError(ValueError):
    """Triples from which no new entity can be fitted."""


class FitReport(NamedTuple):
    """How the fit went.

    Attributes:
        entities: number of new entities.
        triples: triples that they were fitted to.
        initial_loss, loss: mean loss of a row before and after.
    """

    entities: int
    triples: int
    initial_loss: float
    loss: float


def add_entities(
    trained: TrainedGraph, triples: pd.DataFrame, names: pd.DataFrame | None = None, n3_weight: float | None = None
) -> tuple[TrainedGraph, FitReport]:
    """Return the model with the new entities of some triples added at the end.

    A new entity starts at its parent where the triples name one by the hierarchy relation, else at the mean of all
    embeddings. Parameters that training has fitted, and so the scores of all old triples, stay as they are.

    Args:
        trained: the model.
        triples: columns head, relation and tail; what the graph lacks as an entity is new, and each triple has at least
            one new entity.
        names: columns entity, name and, optionally, category and group of the new entities; None uses their ids.
        n3_weight: weight of the N3 penalty; None takes min(0.1, 1 / mean degree) of the graph, as training does.

    Returns:
        The extended model, whose graph counts the triples as training triples, and how the fit went.

    Raises:
        NewEntityError: there is no triple, or one without a new entity.
        UnknownRelationError: a relation that the graph lacks.
    """
    from terrarium.kge.training.defaults import default_n3_weight

    entities = _extend_entities(trained.entities, triples, names)
    first = len(trained.entities)
    numbers = _encode(trained, triples, entities)
    penalty = default_n3_weight(trained.graph) if n3_weight is None else n3_weight
    scorer = _grow(trained, numbers, len(entities))
    before, after = _fit(scorer, numbers, first, penalty)
    splits = {**trained.graph.splits, TRAIN: np.concatenate([trained.graph.splits[TRAIN], numbers])}
    graph = replace(trained.graph, num_entities=len(entities), splits=splits, names=entities["name"])
    report = FitReport(len(entities) - first, len(numbers), before, after)
    return replace(trained, scorer=scorer, graph=graph, entities=entities), report


def _extend_entities(entities: pd.DataFrame, triples: pd.DataFrame, names: pd.DataFrame | None) -> pd.DataFrame:
    """Return the table of entities with new rows at its end, in the order of their first triple."""
    if triples.empty:
        raise NewEntityError("there are no triples to fit new entities to: give at least one per new entity")
    mentioned = pd.unique(triples[["head", "tail"]].astype("str").to_numpy().ravel())
    new = [text for text in mentioned if text not in set(entities["entity"])]
    ends = triples[["head", "tail"]].astype("str").isin(new).any(axis=1)
    if not ends.all():
        row = triples[~ends].iloc[0]
        raise NewEntityError(
            f"both entities of {row['head']} {row['relation']} {row['tail']} are in the graph: give triples of new "
            "entities, or train again to change what is known of old ones"
        )
    rows = pd.DataFrame({"entity": new, "name": new}, dtype="str")
    if names is not None:
        given = names.set_index("entity").reindex(new)
        for column in given:
            rows[column] = given[column].to_numpy()
        rows["name"] = rows["name"].fillna(rows["entity"])
    rows = rows.reindex(columns=entities.columns).astype("str").fillna("")
    return pd.concat([entities, rows], ignore_index=True)


def _encode(trained: TrainedGraph, triples: pd.DataFrame, entities: pd.DataFrame) -> Triples:
    position = pd.Series(np.arange(len(entities)), index=entities["entity"].to_numpy())
    relation = {name: relation_index(trained.relations, name) for name in triples["relation"].astype(str).unique()}
    columns = (
        position.loc[triples["head"].astype(str)].to_numpy(),
        triples["relation"].astype(str).map(relation).to_numpy(),
        position.loc[triples["tail"].astype(str)].to_numpy(),
    )
    return np.unique(np.stack(columns, axis=1).astype(np.int64), axis=0)


def _grow(trained: TrainedGraph, numbers: Triples, count: int) -> Scorer:
    """Return a copy of the scorer for `count` entities; the new ones start at their parent or at the mean."""
    old = trained.scorer
    table = old.entity.weight.detach()
    grown = copy.copy(old)
    grown._modules, grown._parameters = dict(old._modules), dict(old._parameters)
    start = table.mean(0, keepdim=True).repeat(count - len(table), 1)
    weight = torch.cat([table, start])
    for head, relation, tail in numbers.tolist():
        if relation == trained.graph.hierarchy and head >= len(table):
            weight[head] = weight[tail]
    grown.num_entities = count
    grown.entity = torch.nn.Embedding(count, table.shape[1], _weight=weight)
    if old.bias is not None:
        zeros = torch.zeros(count - len(table), dtype=old.bias.dtype, device=old.bias.device)
        grown.bias = torch.nn.Parameter(torch.cat([old.bias.detach(), zeros]))
    return grown.eval()


def _fit(scorer: Scorer, triples: Triples, first: int, n3_weight: float) -> tuple[float, float]:
    """Fit the embeddings from number `first` on, in place; return the mean loss of a row before and after."""
    rows = triples
    if scorer.options.inverse_relations:
        rows = np.concatenate([triples, invert_triples(triples, scorer.num_relations)])
    head, relation, tail = (torch.from_numpy(rows[:, column].copy()) for column in (HEAD, RELATION, TAIL))
    frozen = scorer.entity.weight.detach()[:first]
    new = scorer.entity.weight.detach()[first:].clone().requires_grad_(True)

    def loss() -> Tensor:
        table = torch.cat([frozen, new])
        scores = score_entities(scorer(head, relation, table), table, scorer.bias)
        value = torch.nn.functional.cross_entropy(scores, tail)
        moduli = compute_moduli(table, scorer.options.name).pow(3).sum(1)
        return value + n3_weight * (moduli[head] + moduli[tail]).mean()

    before = loss().item()
    optimizer = torch.optim.LBFGS([new], max_iter=MAX_STEPS, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        value = loss()
        (new.grad,) = torch.autograd.grad(value, new)
        return value

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    with torch.no_grad():
        scorer.entity.weight[first:] = new.detach()
    return before, loss().item()
