"""Local patterns of related road users: which graphs have them, where, and what they are called."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np
from scipy import sparse

from terrarium.scenes.evaluation.matrices import Matrix
from terrarium.scenes.graphs.columns import Graphs
from terrarium.scenes.graphs.scene_graph import FOLLOWING_LEAD, LEADING_VEHICLE, NEIGHBOR_VEHICLE, OPPOSITE_VEHICLE
from terrarium.scenes.graphs.weisfeiler_lehman import node_labels
from terrarium.sources.traffic.tables import ACTOR_TYPES

MAX_PAIRED_NEIGHBORS = 8
"""Road users with more neighbours give no patterns of two of them."""
_WORDS = {
    FOLLOWING_LEAD: "following",
    LEADING_VEHICLE: "followed by",
    NEIGHBOR_VEHICLE: "next to",
    OPPOSITE_VEHICLE: "opposite to",
}

Step = tuple[int, int]
"""A relation and the label of the road user that it leads to."""


class Pattern(NamedTuple):
    """A pattern around one road user.

    Attributes:
        label: type and flags of the road user, see `weisfeiler_lehman.node_labels`.
        steps: to others: all from the road user itself, sorted; or in a row, each from the one before.
        is_row: whether the steps are in a row.
        is_whole: whether the steps are all relations of the road user.
    """

    label: int
    steps: tuple[Step, ...] = ()
    is_row: bool = False
    is_whole: bool = False


@dataclass(frozen=True, eq=False)
class PatternTable:
    """Which graphs have which patterns.

    Attributes:
        table: sparse 0 and 1 (graphs, patterns).
        patterns: one per column, small ones first.
    """

    table: Matrix
    patterns: list[Pattern]


def find_patterns(graphs: Graphs) -> PatternTable:
    """Find the patterns of all graphs: one road user; two, with their relation; a road user with two of its neighbours;
    four in a row; a road user with all its neighbours.
    """
    labels, ways = _ways(graphs)
    number: dict[Pattern, int] = {}
    rows: list[int] = []
    columns: list[int] = []
    graph = graphs.graph_of_nodes.tolist()
    for node in range(len(labels)):
        for pattern in _patterns_of(node, labels, ways):
            rows.append(graph[node])
            columns.append(number.setdefault(pattern, len(number)))
    patterns = list(number)
    order = sorted(range(len(patterns)), key=lambda column: _size(patterns[column]))
    table = sparse.csc_array((np.ones(len(rows)), (rows, columns)), shape=(len(graphs), len(patterns)))
    table.sum_duplicates()
    table.data[:] = 1.0
    return PatternTable(sparse.csr_array(table[:, order]), [patterns[column] for column in order])


def locate_pattern(graphs: Graphs, pattern: Pattern) -> list[int]:
    """Return the nodes of a single graph that show a pattern, the road user that it is about first; [] without.

    Args:
        graphs: one graph.
        pattern: to look for.
    """
    labels, ways = _ways(graphs)
    for node in range(len(labels)):
        found = _located(node, pattern, labels, ways)
        if found:
            return found
    return []


def describe_pattern(pattern: Pattern) -> str:
    """Return a pattern in words, such as "vehicle changing lane, following a cyclist and next to a vehicle"."""
    parts = [f"{_WORDS[relation]} {_with_article(_describe_label(label))}" for relation, label in pattern.steps]
    words = _describe_label(pattern.label)
    if not parts:
        return words
    if pattern.is_row:
        return " ".join([words, parts[0], *(f"that is {part}" for part in parts[1:])])
    counted = [_plural(part, parts.count(part)) for part in dict.fromkeys(parts)]
    joined = " and ".join([", ".join(counted[:-1]), counted[-1]]) if len(counted) > 1 else counted[0]
    return f"{words} {joined}" + (" and nobody else" if pattern.is_whole else "")


def _size(pattern: Pattern) -> tuple[int, bool, bool, tuple[Step, ...]]:
    """Return what patterns are sorted by: fewer road users first, and of two readings of one relation "following"."""
    return len(pattern.steps), pattern.is_row, pattern.is_whole, pattern.steps


def _ways(graphs: Graphs) -> tuple[list[int], list[list[tuple[int, int]]]]:
    """Return the label of each node, and its relations as pairs of relation and other node."""
    labels = node_labels(graphs, 0)[0].tolist()
    ways: list[list[tuple[int, int]]] = [[] for _ in labels]
    for source, target, relation in zip(*graphs.edge_index.tolist(), graphs.relation.tolist(), strict=True):
        ways[source].append((relation, target))
    return labels, ways


def _patterns_of(node: int, labels: list[int], ways: list[list[tuple[int, int]]]) -> Iterator[Pattern]:
    own = labels[node]
    steps = sorted((relation, labels[other]) for relation, other in ways[node])
    yield Pattern(own)
    for step in set(steps):
        yield Pattern(own, (step,))
    if len(steps) <= MAX_PAIRED_NEIGHBORS:
        for pair in set(combinations(steps, 2)):
            yield Pattern(own, pair)
    for row in _rows_of_four(node, ways):
        yield Pattern(own, tuple((relation, labels[other]) for relation, other in row), is_row=True)
    yield Pattern(own, tuple(steps), is_whole=True)


def _rows_of_four(node: int, ways: list[list[tuple[int, int]]]) -> Iterator[tuple[tuple[int, int], ...]]:
    for first in ways[node]:
        for second in ways[first[1]]:
            if second[1] == node:
                continue
            for third in ways[second[1]]:
                if third[1] not in (node, first[1]):
                    yield first, second, third


def _located(node: int, pattern: Pattern, labels: list[int], ways: list[list[tuple[int, int]]]) -> list[int]:
    if labels[node] != pattern.label:
        return []
    if pattern.is_row:
        for row in _rows_of_four(node, ways):
            if tuple((relation, labels[other]) for relation, other in row) == pattern.steps:
                return [node, *(other for _, other in row)]
        return []
    left = [(relation, labels[other], other) for relation, other in ways[node]]
    if pattern.is_whole and len(left) != len(pattern.steps):
        return []
    chosen = [node]
    for relation, label in pattern.steps:
        match = next((way for way in left if way[:2] == (relation, label)), None)
        if match is None:
            return []
        left.remove(match)
        chosen.append(match[2])
    return chosen


def _describe_label(label: int) -> str:
    kind, flags = divmod(label, 4)
    words = [ACTOR_TYPES[kind]]
    words += ["changing lane"] if flags & 2 else []
    words += ["in a junction"] if flags & 1 else []
    return " ".join(words)


def _with_article(words: str) -> str:
    return f"a {words}"


def _plural(part: str, count: int) -> str:
    return part if count == 1 else part.replace(" a ", f" {count} × ", 1)
