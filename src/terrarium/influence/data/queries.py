"""Query triples: the triples whose predictions are explained."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from terrarium.influence.data.checkpoints import read_training
from terrarium.influence.data.named_graph import TRIPLE_COLUMNS, NamedGraph
from terrarium.influence.data.provenance import require_same_model
from terrarium.influence.options import QueryOptions
from terrarium.kge.data.graph import HEAD, RELATION, TEST, Triples
from terrarium.kge.evaluation.baselines import relation_index
from terrarium.kge.evaluation.predictions import entity_index
from terrarium.sources.errors import SourceError
from terrarium.sources.graphs.triple_lines import triple_lines
from terrarium.training.checkpointing.state import State

QUERY_COLUMNS = [*TRIPLE_COLUMNS, "split", "rank", "probability"]


class QueryError(ValueError):
    """There is no query triple, or one that does not exist."""


def select_queries(named: NamedGraph, weights: State, checkpoints: Path, options: QueryOptions) -> pd.DataFrame:
    """Return the query triples with what the model predicts for them.

    Args:
        named: the graph and its names.
        weights: `knowledge_graph.weights`, the model that predicts.
        checkpoints: folder of `knowledge_graph.checkpoints`.
        options: which triples.

    Returns:
        One row per triple with columns head, head_name, relation, relation_name, tail, tail_name, split (the one that
        has the triple, or ""), rank (of the tail, from 1, training answers filtered) and probability. Empty for kind
        none.

    Raises:
        QueryError: there is no triple.
        SourceError, UnknownEntityError, UnknownRelationError: a line of the file or a name that does not fit.
        MismatchedArtifactsError: weights and checkpoints are of different trainings.
    """
    if options.kind == "none":
        empty = named.name(np.empty((0, 3), np.int64))
        return empty.assign(split=[], rank=np.empty(0, np.int64), probability=np.empty(0))[QUERY_COLUMNS]
    from terrarium.influence.data.predictions import best_tails, predict_triples
    from terrarium.kge.models.scorer import load_scorer

    graph = named.graph
    scorer = load_scorer(weights, graph.fingerprint)
    loss = read_training(require_same_model(weights, checkpoints), graph).training.loss.name
    if options.kind == "predictions":
        head, relation = _predicted_query(named, options)
        triples = best_tails(scorer, graph, head, relation, options.num_predictions)
    else:
        triples = _given_triples(named, options)
    table = named.name(triples)
    split_of = {tuple(triple): split for split, part in graph.splits.items() for triple in part.tolist()}
    table["split"] = [split_of.get(tuple(triple), "") for triple in triples.tolist()]
    table["rank"], table["probability"] = predict_triples(scorer, graph, triples, loss)
    return table[QUERY_COLUMNS]


def _given_triples(named: NamedGraph, options: QueryOptions) -> Triples:
    triples = named.graph.splits[TEST]
    if options.kind == "file":
        triples = np.array(
            list(_numbered_triples(Path(str(options.path)), named.entities, named.relations)), np.int64
        ).reshape(-1, 3)
    elif options.kind == "indices":
        triples = _rows(triples, options.indices)
    if not len(triples):
        raise QueryError("there is no query triple: the graph has no test triples, or the file is empty")
    return triples[: options.max_queries] if options.max_queries else triples


def check_queries(options: QueryOptions, entities: pd.DataFrame | None = None, relations: pd.DataFrame | None = None) -> None:
    """Check what can be known of the query triples before a model is trained.

    Args:
        options: which triples.
        entities: column entity; None if the graph is not known yet, and names are not checked.
        relations: column relation.

    Raises:
        SourceError: the file is missing, a line of it has a fault, or the graph has no such name.
        UnknownEntityError, UnknownRelationError: the graph has no such entity or relation.
    """
    if options.kind == "file":
        path = Path(str(options.path))
        if entities is None or relations is None:
            for _ in _named_triples(path):
                pass
        else:
            for _ in _numbered_triples(path, entities, relations):
                pass
    if options.kind == "predictions" and entities is not None and relations is not None:
        if options.entity is not None:
            entity_index(entities, options.entity)
        if options.relation is not None:
            relation_index(relations, options.relation)


def _named_triples(path: Path) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield line and names of the triples of a file; empty lines are left out."""
    if not path.is_file():
        raise SourceError(f"{path} is not a file: set influence.queries.path to a file of triples")
    for line in triple_lines(path):
        if line.fault is None:
            yield line.number, line.names
        elif not line.is_empty:
            raise SourceError(f"{path} line {line.number}: {line.fault}; write head TAB relation TAB tail")


def _numbered_triples(
    path: Path, entities: pd.DataFrame, relations: pd.DataFrame
) -> Iterator[tuple[int, int, int]]:
    """Yield the triples of a file as numbers of the graph."""
    known = {name: number for number, name in enumerate(relations["relation"])}
    for number, (head, relation, tail) in _named_triples(path):
        if relation not in known:
            raise SourceError(
                f"{path} line {number}: the graph has no relation {relation!r}; it has {', '.join(known)}"
            )
        try:
            yield entity_index(entities, head), known[relation], entity_index(entities, tail)
        except ValueError as error:
            raise SourceError(f"{path} line {number}: {error}") from error


def _rows(test: Triples, indices: list[int]) -> Triples:
    outside = [index for index in indices if not 0 <= index < len(test)]
    if outside:
        raise QueryError(
            f"there is no test triple {outside[0]}: influence.queries.indices are from 0 to {len(test) - 1}"
        )
    return test[indices]


def _predicted_query(named: NamedGraph, options: QueryOptions) -> tuple[int, int]:
    """Return the head and relation to predict tails for: the given ones, or those of the first test triple that fits."""
    test = named.graph.splits[TEST]
    head = None if options.entity is None else entity_index(named.entities, options.entity)
    relation = None if options.relation is None else relation_index(named.relations, options.relation)
    if head is not None and relation is not None:
        return head, relation
    fitting = test if head is None else test[test[:, HEAD] == head]
    if relation is not None:
        fitting = fitting[fitting[:, RELATION] == relation]
    if not len(fitting):
        raise QueryError("no test triple has influence.queries.entity and relation: set both")
    return int(fitting[0, HEAD]), int(fitting[0, RELATION])
