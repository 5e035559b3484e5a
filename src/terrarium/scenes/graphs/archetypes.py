"""Named traffic situations: small patterns of relations, matched in graphs as induced subgraphs.

The first eighteen are those of `tmuehlen80/graph_coverage`: every road user is a vehicle, every flag as stated. That
project compares no relations when it matches; here they count. The others are what its names suggest, or types it
leaves out; in them a flag that is not named may be anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from terrarium.scenes.graphs.columns import Graphs
from terrarium.scenes.graphs.lane_graph import LEAD, NEIGHBOR, OPPOSITE
from terrarium.scenes.graphs.scene_graph import DIRECTED, RELATIONS
from terrarium.sources.traffic.tables import ACTOR_TYPES

SIGNS = {">": DIRECTED[LEAD], "=": DIRECTED[NEIGHBOR], "~": DIRECTED[OPPOSITE]}
"""How relations are written -> the relations of the edges there and back."""


@dataclass(frozen=True)
class Archetype:
    """A pattern: relations such as `a>b` (a follows b), `a=b` (adjacent), `a~b` (opposite), and flags of road users.

    Attributes:
        name: in tables and reports.
        relations: separated by spaces.
        lane_change, intersection: letters of the road users for whom the flag is true.
        is_exact: flags that are not named must be false; otherwise they may be anything.
        actor_types: letter and type of road users other than vehicles.
    """

    name: str
    relations: str
    lane_change: str = ""
    intersection: str = ""
    is_exact: bool = True
    actor_types: tuple[tuple[str, str], ...] = ()

    @property
    def road_users(self) -> list[str]:
        """Letters of the road users."""
        return sorted({letter for letter in self.relations if letter.isalpha()})


ARCHETYPES: tuple[Archetype, ...] = (
    Archetype("simple_following", "a>b"),
    Archetype("simple_opposite", "a~b"),
    Archetype("simple_neighbor", "a=b"),
    Archetype("lead_vehicle_in_front_with_neighbor_vehicle", "a>b a=c"),
    Archetype("lead_vehicle_in_front_with_neighbor_vehicle_intersection", "a>b a=c", intersection="ac"),
    Archetype("lead_with_neighbor_at_intersection", "a>b a=c", intersection="b"),
    Archetype("lead_vehicle_in_front_following_vehicle_in_the_back", "a>b a>c"),
    Archetype("cut_in", "a>b a>c", lane_change="c"),
    Archetype("cut_in_intersection", "a>b a>c", lane_change="c", intersection="c"),
    Archetype("cut_out", "a=b a>c a>d", lane_change="b"),
    Archetype("cut_out_intersection", "a=b a>c a>d", lane_change="b", intersection="ab"),
    Archetype("lead_neighbor_opposite_vehicle", "a=b a>c a>d a~e"),
    Archetype("lead_neighbor_opposite_vehicle_intersection", "a=b a>c a>d a~e", intersection="ab"),
    Archetype("platoon_with_intersection", "a>b b>c", intersection="b"),
    Archetype("opposite_traffic_at_intersection", "a>b a~c", intersection="b"),
    Archetype("triple_opposite_traffic_intersection", "a~b b~c", intersection="b"),
    Archetype("four_vehicle_intersection_platoon", "a>b b>c c>d", intersection="c"),
    Archetype("four_vehicle_opposite_intersection", "a>b a>c a~d", intersection="c"),
    Archetype("follower_and_leader", "a>b b>c", is_exact=False),
    Archetype("cut_in_between", "a>b b>c", lane_change="b", is_exact=False),
    Archetype("cut_out_beside", "a>b a=c", lane_change="c", is_exact=False),
    Archetype("following_a_motorcycle", "a>b", is_exact=False, actor_types=(("b", "motorcycle"),)),
    Archetype("following_a_cyclist", "a>b", is_exact=False, actor_types=(("b", "cyclist"),)),
    Archetype("approaching_a_pedestrian", "a>b", is_exact=False, actor_types=(("b", "pedestrian"),)),
)
NAMES = tuple(archetype.name for archetype in ARCHETYPES)


def label_graphs(graphs: Graphs) -> pd.DataFrame:
    """Find the archetypes of each graph: a bool table with one row per graph and one column per archetype."""
    patterns = [_Pattern(archetype) for archetype in ARCHETYPES]
    labels = np.zeros((len(graphs), len(patterns)), bool)
    for index in range(len(graphs)):
        labels[index] = _match(graphs.graph(index), patterns)
    return pd.DataFrame(labels, columns=list(NAMES))


def signatures(labels: pd.DataFrame) -> np.ndarray:
    """Number the distinct sets of archetypes; return the number of each graph's set (graphs,).

    Args:
        labels: archetypes, bool, one row per graph; see `label_graphs`.
    """
    packed = np.packbits(labels.to_numpy(bool), axis=1)
    return np.unique(packed, axis=0, return_inverse=True)[1].reshape(-1)


class _Pattern:
    """An archetype as a networkx graph."""

    def __init__(self, archetype: Archetype) -> None:
        import networkx as nx

        actor_types = dict(archetype.actor_types)
        self.graph = nx.DiGraph()
        for user in archetype.road_users:
            self.graph.add_node(
                user,
                actor_type=ACTOR_TYPES.index(actor_types.get(user, "vehicle")),
                lane_change=_required(user in archetype.lane_change, archetype.is_exact),
                intersection=_required(user in archetype.intersection, archetype.is_exact),
            )
        for relation in archetype.relations.split():
            source, sign, target = tuple(relation)
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
        pattern.may_match(nodes, relations)
        and DiGraphMatcher(whole, pattern.graph, _matches_node, _matches_edge).subgraph_is_isomorphic()
        for pattern in patterns
    ]


def _required(is_named: bool, is_exact: bool) -> bool | None:
    return is_named if is_named or is_exact else None


def _matches_node(node: dict[str, Any], pattern: dict[str, Any]) -> bool:
    return all(pattern[name] is None or node[name] == pattern[name] for name in pattern)


def _matches_edge(edge: dict[str, Any], pattern: dict[str, Any]) -> bool:
    return bool(edge["relation"] == pattern["relation"])
