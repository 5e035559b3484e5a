"""Which triples are asked about."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from terrarium.pipelines.influence.options import SourceOptions
from terrarium.pipelines.knowledge_graph.baselines import relation_number
from terrarium.pipelines.knowledge_graph.graph import HEAD, RELATION, TEST, TRAIN, Graph, Triples
from terrarium.pipelines.knowledge_graph.predictions import entity_number
from terrarium.pipelines.knowledge_graph.questions import KnownAnswers
from terrarium.sources.errors import SourceError
from terrarium.sources.graph_source import open_text
from terrarium.training.state import State

PREDICTED = 10
"""Best answers that are asked about where no limit is set."""
COLUMNS = ["head", "head_name", "relation", "relation_name", "tail", "tail_name", "known"]


class NothingAskedError(ValueError):
    """No triple to ask about, or a row that does not exist."""


def choose_triples(
    graph: Graph, entities: pd.DataFrame, relations: pd.DataFrame, weights: State, source: SourceOptions
) -> Triples:
    """(T, 3) triples, at most `source.limit`.

    Raises:
        NothingAskedError: there is none.
        SourceError, UnknownEntityError, UnknownRelationError: a line or a name that does not fit.
    """
    test = graph.parts[TEST]
    if source.kind == "file":
        found = _of_file(Path(str(source.path)), entities, relations)
    elif source.kind == "indices":
        found = _of_indices(test, source.indices)
    elif source.kind == "predictions":
        return _of_predictions(graph, entities, relations, weights, source)
    else:
        found = test
    if not len(found):
        raise NothingAskedError(
            "there are no triples to ask about: the graph has no test triples, or the file is empty"
        )
    return found[: source.limit] if source.limit else found


def described(triples: Triples, graph: Graph, entities: pd.DataFrame, relations: pd.DataFrame) -> pd.DataFrame:
    """A row a triple: names, and `known`, the split it stands in if any."""
    stands = {tuple(triple): name for name, part in graph.parts.items() for triple in part.tolist()}
    table = named(triples, entities, relations)
    table["known"] = [stands.get(tuple(triple), "") for triple in triples.tolist()]
    return table[COLUMNS]


def named(triples: Triples, entities: pd.DataFrame, relations: pd.DataFrame) -> pd.DataFrame:
    """Ids and names of triples."""
    head, relation, tail = triples.T
    ids, names = entities["entity"].to_numpy(), entities["name"].to_numpy()
    return pd.DataFrame(
        {
            "head": ids[head],
            "head_name": names[head],
            "relation": relations["relation"].to_numpy()[relation],
            "relation_name": relations["name"].to_numpy()[relation],
            "tail": ids[tail],
            "tail_name": names[tail],
        }
    )


def numbered(tests: pd.DataFrame, entities: pd.DataFrame, relations: pd.DataFrame) -> Triples:
    """(T, 3) numbers of a table of ids."""
    columns = [
        pd.Index(table).get_indexer(pd.Index(tests[name]))
        for name, table in (
            ("head", entities["entity"]),
            ("relation", relations["relation"]),
            ("tail", entities["entity"]),
        )
    ]
    found = np.stack(columns, axis=1).astype(np.int64)
    if (found < 0).any():
        row = tests.iloc[int(np.argmax((found < 0).any(axis=1)))]
        raise NothingAskedError(
            f"{row['head']} {row['relation']} {row['tail']} has a name that the graph lacks: choose versions of one run"
        )
    return found


def _of_file(path: Path, entities: pd.DataFrame, relations: pd.DataFrame) -> Triples:
    return np.array(list(_lines(path, entities, relations)), np.int64).reshape(-1, 3)


def _lines(path: Path, entities: pd.DataFrame, relations: pd.DataFrame) -> Iterator[tuple[int, int, int]]:
    if not path.is_file():
        raise SourceError(f"{path} is not a file: set source.path to a file of triples")
    with open_text(path) as file:
        for number, line in enumerate(file, start=1):
            parts = line.rstrip("\r\n").split("\t")
            if len(parts) != 3:
                raise SourceError(f"{path}, line {number}: {len(parts)} columns; head TAB relation TAB tail are wanted")
            try:
                relation = relation_number(relations, parts[1])
                yield entity_number(entities, parts[0]), relation, entity_number(entities, parts[2])
            except ValueError as error:
                raise SourceError(f"{path}, line {number}: {error}") from error


def _of_indices(test: Triples, indices: list[int]) -> Triples:
    wrong = [index for index in indices if not 0 <= index < len(test)]
    if wrong:
        raise NothingAskedError(f"there is no test triple {wrong[0]}: source.indices are from 0 to {len(test) - 1}")
    return test[indices]


def _of_predictions(
    graph: Graph, entities: pd.DataFrame, relations: pd.DataFrame, weights: State, source: SourceOptions
) -> Triples:
    """The best tails of a head that training does not know."""
    import torch

    from terrarium.pipelines.knowledge_graph.scorer import load_scorer, scores

    head, relation = _question(graph, entities, relations, source)
    scorer = load_scorer(weights, graph.fingerprint)
    known = KnownAnswers(graph.parts[TRAIN], graph.relations)
    with torch.inference_mode():
        query = scorer(torch.tensor([head]), torch.tensor([relation]))
        values = scores(query, scorer.entity.weight, scorer.bias)[0].numpy().copy()
    _, answers = known.of(np.array([head]), np.array([relation]))
    values[answers] = -np.inf
    tails = np.argsort(-values, kind="stable")[: min(source.limit or PREDICTED, graph.entities - len(answers))]
    return np.stack([np.full(len(tails), head), np.full(len(tails), relation), tails], axis=1)


def _question(graph: Graph, entities: pd.DataFrame, relations: pd.DataFrame, source: SourceOptions) -> tuple[int, int]:
    test = graph.parts[TEST]
    head = None if source.entity is None else entity_number(entities, source.entity)
    if source.relation is not None and head is not None:
        return head, relation_number(relations, source.relation)
    fitting = test if head is None else test[test[:, HEAD] == head]
    if source.relation is not None:
        fitting = fitting[fitting[:, RELATION] == relation_number(relations, source.relation)]
    if not len(fitting):
        raise NothingAskedError("no test triple fits source.entity and source.relation: set both")
    return int(fitting[0, HEAD]), int(fitting[0, RELATION])
