"""Which triples are asked about."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from terrarium.influence.data.checkpoints import read_training
from terrarium.influence.options import SourceOptions
from terrarium.influence.data.provenance import ONE_RUN, require_same_model
from terrarium.kge.evaluation.baselines import relation_index
from terrarium.kge.data.graph import HEAD, RELATION, TEST, Graph, Triples
from terrarium.common.arrays import Float64Array
from terrarium.kge.evaluation.predictions import entity_index
from terrarium.common.arrays import Int64Array
from terrarium.sources.errors import SourceError
from terrarium.sources.graphs.graph_source import open_text
from terrarium.training.checkpointing.state import State

COLUMNS = ["head", "head_name", "relation", "relation_name", "tail", "tail_name", "known", "rank", "probability"]


class NothingAskedError(ValueError):
    """No triple to ask about, or a row that does not exist."""


def choose_triples(
    graph: Graph,
    entities: pd.DataFrame,
    relations: pd.DataFrame,
    weights: State,
    checkpoints: Path,
    source: SourceOptions,
) -> pd.DataFrame:
    """The triples to ask about, at most `source.limit`, as `described`; no row where nothing is asked.

    Raises:
        NothingAskedError: there is none.
        SourceError, UnknownEntityError, UnknownRelationError: a line or a name that does not fit.
        WrongCheckpointsError: the weights come from another training than the checkpoints.
    """
    if source.kind == "none":
        none = np.empty(0, np.int64)
        return described(np.empty((0, 3), np.int64), (none, none.astype(np.float64)), graph, entities, relations)
    from terrarium.influence.data.predictions import best_tails, standings
    from terrarium.kge.models.scorer import load_scorer

    scorer = load_scorer(weights, graph.fingerprint)
    loss = read_training(require_same_model(weights, checkpoints), graph).training.loss.name
    if source.kind == "predictions":
        question = _question(graph, entities, relations, source)
        chosen = best_tails(scorer, graph, *question, source.predicted)
    else:
        chosen = _given(graph, entities, relations, source)
    return described(chosen, standings(scorer, graph, chosen, loss), graph, entities, relations)


def _given(graph: Graph, entities: pd.DataFrame, relations: pd.DataFrame, source: SourceOptions) -> Triples:
    test = graph.splits[TEST]
    if source.kind == "file":
        found = _of_file(Path(str(source.path)), entities, relations)
    else:
        found = _of_indices(test, source.indices) if source.kind == "indices" else test
    if not len(found):
        raise NothingAskedError(
            "there are no triples to ask about: the graph has no test triples, or the file is empty"
        )
    return found[: source.limit] if source.limit else found


def described(
    triples: Triples,
    standing: tuple[Int64Array, Float64Array],
    graph: Graph,
    entities: pd.DataFrame,
    relations: pd.DataFrame,
) -> pd.DataFrame:
    """A row a triple: names, `known`, the split it stands in if any, and what the model says, `rank`, `probability`."""
    stands = {tuple(triple): name for name, part in graph.splits.items() for triple in part.tolist()}
    table = named(triples, entities, relations)
    table["known"] = [stands.get(tuple(triple), "") for triple in triples.tolist()]
    table["rank"], table["probability"] = standing
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
            f"{row['head']} {row['relation']} {row['tail']} has a name that the graph lacks: {ONE_RUN}"
        )
    return found


def _of_file(path: Path, entities: pd.DataFrame, relations: pd.DataFrame) -> Triples:
    return np.array(list(_lines(path, entities, relations)), np.int64).reshape(-1, 3)


def _lines(path: Path, entities: pd.DataFrame, relations: pd.DataFrame) -> Iterator[tuple[int, int, int]]:
    if not path.is_file():
        raise SourceError(f"{path} is not a file: set source.path to a file of triples")
    numbers = {name: number for number, name in enumerate(relations["relation"])}
    with open_text(path) as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            parts = line.rstrip("\r\n").split("\t")
            if len(parts) != 3:
                raise SourceError(f"{path}, line {number}: {len(parts)} columns; head TAB relation TAB tail are wanted")
            if parts[1] not in numbers:
                raise SourceError(
                    f"{path}, line {number}: the graph has no relation {parts[1]!r}; it has {', '.join(numbers)}"
                )
            try:
                yield entity_index(entities, parts[0]), numbers[parts[1]], entity_index(entities, parts[2])
            except ValueError as error:
                raise SourceError(f"{path}, line {number}: {error}") from error


def _of_indices(test: Triples, indices: list[int]) -> Triples:
    wrong = [index for index in indices if not 0 <= index < len(test)]
    if wrong:
        raise NothingAskedError(f"there is no test triple {wrong[0]}: source.indices are from 0 to {len(test) - 1}")
    return test[indices]


def _question(graph: Graph, entities: pd.DataFrame, relations: pd.DataFrame, source: SourceOptions) -> tuple[int, int]:
    test = graph.splits[TEST]
    head = None if source.entity is None else entity_index(entities, source.entity)
    if source.relation is not None and head is not None:
        return head, relation_index(relations, source.relation)
    fitting = test if head is None else test[test[:, HEAD] == head]
    if source.relation is not None:
        fitting = fitting[fitting[:, RELATION] == relation_index(relations, source.relation)]
    if not len(fitting):
        raise NothingAskedError("no test triple fits source.entity and source.relation: set both")
    return int(fitting[0, HEAD]), int(fitting[0, RELATION])
