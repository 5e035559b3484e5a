"""Named traffic situations: small patterns of relations, matched in graphs as induced subgraphs.

The project `tmuehlen80/graph_coverage`, from which eighteen archetypes come, compares no relations when it matches;
here they count.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from terrarium.scenes.graphs.columns import Graphs
from terrarium.scenes.graphs.lane_graph import LEAD, NEIGHBOR, OPPOSITE
from terrarium.scenes.graphs.scene_graph import DIRECTED, RELATIONS
from terrarium.scenes.labels.definitions import Definition
from terrarium.sources.traffic.tables import ACTOR_TYPES

SIGNS = {">": DIRECTED[LEAD], "=": DIRECTED[NEIGHBOR], "~": DIRECTED[OPPOSITE]}
"""How relations are written -> the relations of the edges there and back."""


def label_graphs(
    graphs: Graphs, definitions: Mapping[str, Definition], criticality: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Find the labels of each graph: a bool table with one row per graph and one column per definition.

    Args:
        graphs: all graphs.
        definitions: of the labels by name; see `labels.definitions`.
        criticality: the worst of each graph's pairs, see `criticality.tables`; None if no definition has a range.
    """
    patterns = [_Pattern(definition) for definition in definitions.values()]
    labels = np.zeros((len(graphs), len(patterns)), bool)
    for index in range(len(graphs)):
        labels[index] = _match(graphs.graph(index), patterns)
    for column, definition in enumerate(definitions.values()):
        for measure, (low, high) in definition.criticality.items():
            assert criticality is not None
            labels[:, column] &= criticality[measure].between(low, high).to_numpy()
    return pd.DataFrame(labels, columns=list(definitions))


def signatures(labels: pd.DataFrame) -> np.ndarray:
    """Number the distinct sets of archetypes; return the number of each graph's set (graphs,).

    Args:
        labels: archetypes, bool, one row per graph; see `label_graphs`.
    """
    packed = np.packbits(labels.to_numpy(bool), axis=1)
    return np.unique(packed, axis=0, return_inverse=True)[1].reshape(-1)


class _Pattern:
    """The pattern of a definition as a networkx graph."""

    def __init__(self, definition: Definition) -> None:
        import networkx as nx

        self.graph = nx.DiGraph()
        for user in definition.road_users:
            self.graph.add_node(
                user,
                actor_type=ACTOR_TYPES.index(definition.types.get(user, "vehicle")),
                lane_change=_required(user in definition.lane_change, definition.exact),
                intersection=_required(user in definition.intersection, definition.exact),
            )
        for relation in definition.relations:
            source, sign, target = tuple(relation.replace(" ", ""))
            forward, backward = SIGNS[sign]
            self.graph.add_edge(source, target, relation=forward)
            self.graph.add_edge(target, source, relation=backward)
        self.relations = np.bincount([r for *_, r in self.graph.edges(data="relation")], minlength=len(RELATIONS))
        self.nodes = list(dict(self.graph.nodes(data=True)).values())

    def may_match(self, nodes: list[dict[str, Any]], relations: np.ndarray) -> bool:
        """Return whether there are enough relations and road users; this rules out most graphs cheaply."""
        return bool((relations >= self.relations).all()) and all(
            any(_matches_node(node, pattern) for node in nodes) for pattern in self.nodes
        )


def _match(graph: dict[str, np.ndarray], patterns: Iterable[_Pattern]) -> list[bool]:
    """Return whether each pattern is an induced subgraph."""
    import networkx as nx
    from networkx.algorithms.isomorphism import DiGraphMatcher

    relations = np.bincount(graph["relation"], minlength=len(RELATIONS))
    names = ("actor_type", "lane_change", "intersection")
    rows = zip(*(graph[name].tolist() for name in names), strict=True)
    nodes = [dict(zip(names, row, strict=True)) for row in rows]
    whole: Any = nx.DiGraph()
    whole.add_nodes_from(enumerate(nodes))
    for (source, target), relation in zip(graph["edge"].tolist(), graph["relation"].tolist(), strict=True):
        whole.add_edge(source, target, relation=relation)
    return [
        not pattern.nodes
        or (
            pattern.may_match(nodes, relations)
            and DiGraphMatcher(whole, pattern.graph, _matches_node, _matches_edge).subgraph_is_isomorphic()
        )
        for pattern in patterns
    ]


def _required(is_named: bool, is_exact: bool) -> bool | None:
    return is_named if is_named or is_exact else None


def _matches_node(node: dict[str, Any], pattern: dict[str, Any]) -> bool:
    return all(pattern[name] is None or node[name] == pattern[name] for name in pattern)


def _matches_edge(edge: dict[str, Any], pattern: dict[str, Any]) -> bool:
    return bool(edge["relation"] == pattern["relation"])
