"""Situations with names: small patterns of relations, looked for in graphs as induced subgraphs.

The first eighteen are the original's (every road user a vehicle, every flag as stated), matched by relation as the
original meant to and did not. The others say what those names suggest, or what the original left out: there a flag
that is not named may be anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from terrarium.scenes.graphs.columns import Graphs
from terrarium.scenes.graphs.scene_graph import FOLLOWING_LEAD, LEADING_VEHICLE, NEIGHBOR_VEHICLE, OPPOSITE_VEHICLE
from terrarium.sources.traffic.tables import ACTOR_TYPES

_SIGNS = {
    ">": (FOLLOWING_LEAD, LEADING_VEHICLE),
    "=": (NEIGHBOR_VEHICLE, NEIGHBOR_VEHICLE),
    "~": (OPPOSITE_VEHICLE, OPPOSITE_VEHICLE),
}


@dataclass(frozen=True)
class Archetype:
    """A pattern: relations such as `a>b` (a follows b), `a=b` (beside), `a~b` (opposite), and flags of road users.

    Attributes:
        name: in tables, reports and documents.
        relations: separated by blanks.
        lane_change, intersection: road users for whom the flag holds.
        exact: flags that are not named must be false; otherwise they may be anything.
        kinds: types of road users other than vehicle.
    """

    name: str
    relations: str
    lane_change: str = ""
    intersection: str = ""
    exact: bool = True
    kinds: tuple[tuple[str, str], ...] = ()

    @property
    def users(self) -> list[str]:
        """The letters of the road users."""
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
    Archetype("follower_and_leader", "a>b b>c", exact=False),
    Archetype("cut_in_between", "a>b b>c", lane_change="b", exact=False),
    Archetype("cut_out_beside", "a>b a=c", lane_change="c", exact=False),
    Archetype("following_a_motorcycle", "a>b", exact=False, kinds=(("b", "motorcycle"),)),
    Archetype("following_a_cyclist", "a>b", exact=False, kinds=(("b", "cyclist"),)),
    Archetype("approaching_a_pedestrian", "a>b", exact=False, kinds=(("b", "pedestrian"),)),
)
NAMES = tuple(archetype.name for archetype in ARCHETYPES)


def label_graphs(graphs: Graphs) -> pd.DataFrame:
    """Whether each graph (row) has each archetype (column)."""
    patterns = [_Pattern(archetype) for archetype in ARCHETYPES]
    found = np.zeros((len(graphs), len(patterns)), bool)
    for index in range(len(graphs)):
        found[index] = _labels(graphs.one(index), patterns)
    return pd.DataFrame(found, columns=list(NAMES))


def signature(labels: pd.DataFrame) -> np.ndarray:
    """A number for each set of archetypes that a graph may have (g)."""
    packed = np.packbits(labels.to_numpy(bool), axis=1)
    return np.unique(packed, axis=0, return_inverse=True)[1].reshape(-1)


class _Pattern:
    """An archetype ready to be looked for."""

    def __init__(self, archetype: Archetype) -> None:
        import networkx as nx

        kinds = dict(archetype.kinds)
        self.graph = nx.DiGraph()
        for user in archetype.users:
            self.graph.add_node(
                user,
                kind=ACTOR_TYPES.index(kinds.get(user, "vehicle")),
                lane_change=_flag(user in archetype.lane_change, archetype.exact),
                intersection=_flag(user in archetype.intersection, archetype.exact),
            )
        for written in archetype.relations.split():
            there, back = _SIGNS[written[1]]
            self.graph.add_edge(written[0], written[2], relation=there)
            self.graph.add_edge(written[2], written[0], relation=back)
        self.relations = np.bincount([r for *_, r in self.graph.edges(data="relation")], minlength=len(_SIGNS) + 1)
        self.nodes = list(dict(self.graph.nodes(data=True)).values())

    def possible(self, nodes: list[dict[str, Any]], relations: np.ndarray) -> bool:
        """Whether there are relations and road users enough; most graphs are sorted out here."""
        return bool((relations >= self.relations).all()) and all(
            any(_same_user(node, wanted) for node in nodes) for wanted in self.nodes
        )


def _labels(graph: dict[str, np.ndarray], patterns: Iterable[_Pattern]) -> list[bool]:
    import networkx as nx
    from networkx.algorithms.isomorphism import DiGraphMatcher

    relations = np.bincount(graph["relation"], minlength=len(_SIGNS) + 1)
    columns = zip(*(graph["kind"].tolist(), graph["lane_change"].tolist(), graph["intersection"].tolist()), strict=True)
    nodes = [dict(zip(("kind", "lane_change", "intersection"), values, strict=True)) for values in columns]
    whole: Any = nx.DiGraph()
    whole.add_nodes_from(enumerate(nodes))
    whole.add_edges_from(
        (one, other, {"relation": relation})
        for (one, other), relation in zip(graph["edge"].tolist(), graph["relation"].tolist(), strict=True)
    )
    return [
        pattern.possible(nodes, relations)
        and DiGraphMatcher(whole, pattern.graph, _same_user, _same_relation).subgraph_is_isomorphic()
        for pattern in patterns
    ]


def _flag(holds: bool, exact: bool) -> bool | None:
    return holds if holds or exact else None


def _same_user(user: dict[str, Any], wanted: dict[str, Any]) -> bool:
    return all(wanted[name] is None or user[name] == wanted[name] for name in wanted)


def _same_relation(edge: dict[str, Any], wanted: dict[str, Any]) -> bool:
    return bool(edge["relation"] == wanted["relation"])
