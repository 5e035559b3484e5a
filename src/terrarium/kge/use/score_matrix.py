"""Scores of all pairs of two groups of entities, written to Parquet in chunks.

A pair has two ranks: that of its tail among the tails of its head, and that of its head among the heads of its tail.
With inverse relations, the first is by score(h, r, t) and the second by score(t, r inverse, h): a model is trained to
order the answers of a query, so scores of one query are comparable and those of two queries hardly are.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from terrarium.common.arrays import BoolArray, Float64Array, Int64Array
from terrarium.kge.data.graph import HEAD, RELATION, TAIL, TEST, TRAIN
from terrarium.kge.evaluation.calibration import log_softmax_of_candidates
from terrarium.kge.models.scorer import score_entities
from terrarium.kge.use.trained import TrainedGraph

Float32Array = NDArray[np.float32]
CHUNK_BYTES = 64_000_000
"""Memory for the scores of a chunk."""
RECALL_AT = (1, 3, 10, 30, 100)


class PairQuery(NamedTuple):
    """Which pairs to score.

    Attributes:
        relation: number of the relation.
        heads, tails: (A,) and (B,) numbers of entities.
    """

    relation: int
    heads: Int64Array
    tails: Int64Array


class ScoreMatrix(NamedTuple):
    """What was written.

    Attributes:
        path: the Parquet file.
        pairs: number of its rows.
        known: known pairs by split.
        recall: see `recall_table`; no rows without test pairs.
    """

    path: Path
    pairs: int
    known: dict[str, int]
    recall: pd.DataFrame


def query_categories(trained: TrainedGraph, relation: str, head: str, tail: str) -> PairQuery:
    """Return all pairs of two categories.

    Args:
        trained: the model.
        relation: id of the relation.
        head, tail: categories, such as biolink:Drug.

    Raises:
        UnknownRelationError, UnknownCategoryError: a name that the graph lacks.
    """
    return PairQuery(trained.relation(relation), trained.members(head), trained.members(tail))


def write_score_matrix(trained: TrainedGraph, query: PairQuery, path: Path) -> ScoreMatrix:
    """Write the scores of all pairs, head by head, and measure how well held-out pairs are found.

    Memory does not grow with the number of pairs: ranks of heads wait in a temporary file of 4 bytes per pair.

    Args:
        trained: the model.
        query: the pairs.
        path: the Parquet file to write. Columns: head, head_name, relation, tail, tail_name, score, probability
            (calibrated if the model is, else the softmax over the tails that the relation has), known (the split that
            holds the triple, or an empty text), tail_rank, head_rank (from 1; other known pairs do not count, equal
            scores share the mean of their ranks).

    Returns:
        Counts, and recall of the pairs in test.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    ranks: list[pd.DataFrame] = []
    count, known = 0, dict[str, int]()
    with tempfile.TemporaryFile() as file:
        head_ranks = _rank_heads(trained, query, file)
        writer = None
        try:
            for table in _chunks(trained, query, head_ranks):
                data = pa.Table.from_pandas(table, preserve_index=False)
                writer = writer or pq.ParquetWriter(part, data.schema, compression="zstd")
                writer.write_table(data)
                count += len(table)
                known_rows = table[table["known"] != ""]
                for split, rows in known_rows["known"].value_counts().items():
                    known[str(split)] = known.get(str(split), 0) + int(rows)
                ranks.append(known_rows.loc[known_rows["known"] == TEST, ["head", "tail", "tail_rank", "head_rank"]])
        finally:
            if writer is not None:
                writer.close()
    part.replace(path)
    return ScoreMatrix(path, count, known, recall_table(trained, query, pd.concat(ranks)))


def recall_table(trained: TrainedGraph, query: PairQuery, ranks: pd.DataFrame) -> pd.DataFrame:
    """Return the fraction of test pairs that are among the best n of their head, and of their tail.

    Args:
        trained: the model.
        query: the pairs.
        ranks: columns tail_rank and head_rank of the test pairs.

    Returns:
        Columns n, tail_recall (the tail is among the best n tails of the head), head_recall, and the same of an order
        by the number of training triples (tail_recall_by_frequency, head_recall_by_frequency) and at random.
    """
    if not len(ranks):
        return pd.DataFrame()
    train = trained.graph.splits[TRAIN]
    train = train[train[:, RELATION] == query.relation]
    columns: dict[str, list[float]] = {"n": list(RECALL_AT)}
    for name, side, members in (("tail", TAIL, query.tails), ("head", HEAD, query.heads)):
        counts = np.bincount(train[:, side], minlength=trained.graph.num_entities)
        position = pd.Series(trained.entities["entity"]).reset_index().set_index("entity")["index"]
        own = counts[position.loc[ranks[name]].to_numpy()]
        order = np.sort(counts[members])
        better = len(order) - np.searchsorted(order, own, side="right")
        equal = len(order) - better - np.searchsorted(order, own, side="left")
        by_frequency = better + (equal + 1) / 2
        columns[f"{name}_recall"] = [float((ranks[f"{name}_rank"] <= n).mean()) for n in RECALL_AT]
        columns[f"{name}_recall_by_frequency"] = [float((by_frequency <= n).mean()) for n in RECALL_AT]
        columns[f"{name}_recall_at_random"] = [min(n / max(len(members), 1), 1.0) for n in RECALL_AT]
    return pd.DataFrame(columns)


def filtered_ranks(scores: Float32Array, is_known: BoolArray) -> Float64Array:
    """Return ranks (B, N) from 1 within each row of scores among the pairs that are not known, and itself.

    Args:
        scores: (B, N).
        is_known: (B, N).
    """
    ranks = np.empty(scores.shape)
    for row, (values, known) in enumerate(zip(scores, is_known, strict=True)):
        others = np.sort(values[~known])
        left, right = (np.searchsorted(others, values, side=side) for side in ("left", "right"))
        equal = right - left + known
        ranks[row] = len(others) - right + (equal + 1) / 2
    return ranks


def _chunks(trained: TrainedGraph, query: PairQuery, head_ranks: Float32Array) -> Iterator[pd.DataFrame]:
    """Yield the table of pairs, some heads at a time."""
    answers = trained.answers(query.relation, TAIL)
    scored = np.union1d(answers, query.tails)
    of_tails, candidates = np.searchsorted(scored, query.tails), np.isin(scored, answers)
    names = _Names(trained, query)
    for rows in _split(len(query.heads), len(scored)):
        heads = query.heads[rows]
        scores = _score(trained, heads, query.relation, scored)
        log_p = log_softmax_of_candidates(scores, candidates)[:, of_tails]
        splits = _splits(trained, query, heads)
        values = scores.numpy()[:, of_tails]
        calibration = trained.calibration
        probability = np.exp(log_p) if calibration is None else calibration.tail.probability(log_p)
        yield names.table(
            rows, values, probability, splits, filtered_ranks(values, splits > 0), np.asarray(head_ranks[rows])
        )


def _rank_heads(trained: TrainedGraph, query: PairQuery, file: object) -> Float32Array:
    """Return ranks (A, B) of the heads of each tail, in a file."""
    shape = len(query.heads), len(query.tails)
    ranks = np.memmap(file, np.float32, "w+", shape=shape) if min(shape) else np.zeros(shape, np.float32)  # type: ignore[call-overload]
    inverse = trained.graph.num_relations
    for columns in _split(len(query.tails), len(query.heads)):
        tails = query.tails[columns]
        if trained.scorer.options.inverse_relations:
            scores = _score(trained, tails, query.relation + inverse, query.heads)
        else:
            scores = _score(trained, query.heads, query.relation, tails).T
        is_known = np.zeros(scores.shape, bool)
        is_known[_known(trained, tails, query.relation + inverse, query.heads)] = True
        ranks[:, columns] = filtered_ranks(scores.numpy(), is_known).T
    return ranks


class _Names:
    """The columns of names of a chunk, as categories."""

    def __init__(self, trained: TrainedGraph, query: PairQuery) -> None:
        self._texts = {
            column: pd.factorize(trained.entities[source].iloc[members])
            for side, members in (("head", query.heads), ("tail", query.tails))
            for column, source in ((side, "entity"), (f"{side}_name", "name"))
        }
        self._tails = len(query.tails)
        self._relation = str(trained.relations["relation"].iloc[query.relation])
        self._splits = pd.Index(["", *trained.graph.splits])

    def table(
        self,
        rows: Int64Array,
        scores: Float32Array,
        probability: Float64Array,
        splits: Int64Array,
        tail_rank: Float64Array,
        head_rank: Float32Array,
    ) -> pd.DataFrame:
        """Return one row per pair of the heads `rows` and all tails."""
        head, tail = np.repeat(rows, self._tails), np.tile(np.arange(self._tails), len(rows))
        return pd.DataFrame(
            {
                "head": self._column("head", head),
                "head_name": self._column("head_name", head),
                "relation": pd.Categorical.from_codes(np.zeros(scores.size, np.int8), pd.Index([self._relation])),
                "tail": self._column("tail", tail),
                "tail_name": self._column("tail_name", tail),
                "score": scores.ravel(),
                "probability": probability.ravel().astype(np.float32),
                "known": pd.Categorical.from_codes(splits.ravel(), self._splits),
                "tail_rank": tail_rank.ravel().astype(np.float32),
                "head_rank": head_rank.ravel(),
            }
        )

    def _column(self, name: str, positions: Int64Array) -> pd.Categorical:
        codes, texts = self._texts[name]
        return pd.Categorical.from_codes(codes[positions], pd.Index(texts))


def _score(trained: TrainedGraph, entities: Int64Array, relation: int, answers: Int64Array) -> torch.Tensor:
    """Return scores (B, K) of queries (entity, relation) with some answers, on the CPU."""
    scorer = trained.scorer
    device = scorer.entity.weight.device
    chosen = torch.from_numpy(answers).to(device)
    with torch.inference_mode():
        query = scorer(torch.from_numpy(entities).to(device), torch.full((len(entities),), relation, device=device))
        bias = None if scorer.bias is None else scorer.bias[chosen]
        return score_entities(query, scorer.entity.weight[chosen], bias).float().cpu()


def _known(
    trained: TrainedGraph, entities: Int64Array, relation: int, answers: Int64Array
) -> tuple[Int64Array, Int64Array]:
    """Return row and column (K,) of the known answers of queries, where columns are sorted or unsorted `answers`."""
    row, entity = trained.known.lookup(entities, np.full(len(entities), relation))
    position = np.full(trained.graph.num_entities, -1)
    position[answers] = np.arange(len(answers))
    column = position[entity]
    return row[column >= 0], column[column >= 0]


def _splits(trained: TrainedGraph, query: PairQuery, heads: Int64Array) -> Int64Array:
    """Return for each pair (B, tails) 0, or 1 plus the position of the split that holds it; the first split counts."""
    place = {side: np.full(trained.graph.num_entities, -1) for side in (HEAD, TAIL)}
    place[HEAD][heads], place[TAIL][query.tails] = np.arange(len(heads)), np.arange(len(query.tails))
    splits = np.zeros((len(heads), len(query.tails)), np.int64)
    for code, triples in reversed(list(enumerate(trained.graph.splits.values(), start=1))):
        own = triples[triples[:, RELATION] == query.relation]
        row, column = place[HEAD][own[:, HEAD]], place[TAIL][own[:, TAIL]]
        inside = (row >= 0) & (column >= 0)
        splits[row[inside], column[inside]] = code
    return splits


def _split(count: int, width: int) -> list[Int64Array]:
    """Return positions 0 to count - 1 in chunks whose double scores of `width` answers fit CHUNK_BYTES."""
    size = max(1, CHUNK_BYTES // (8 * max(width, 1)))
    return np.split(np.arange(count), range(size, count, size)) if count else []
