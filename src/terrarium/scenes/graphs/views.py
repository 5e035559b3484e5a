"""Some of many graphs as one batch of arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from terrarium.scenes.graphs.columns import Graphs, range_rows
from terrarium.scenes.graphs.features import Encoding, encode


@dataclass(frozen=True, eq=False)
class View:
    """A batch of g graphs with n nodes and e directed edges.

    Attributes:
        x: node features, float32 (n, ·).
        edge: source and target, numbered through the batch, int64 (2, e).
        edge_x: edge features, float32 (e, ·).
        pair: number of the relation that an edge is one direction of, int (e,).
        graph: graph of each node, int (n,).
        num_graphs: number of graphs.
        context: context class of each node in the unchanged graph, -1 without one, int (n,); None without contexts.
    """

    x: np.ndarray
    edge: np.ndarray
    edge_x: np.ndarray
    pair: np.ndarray
    graph: np.ndarray
    num_graphs: int
    context: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class EncodedGraphs:
    """All graphs as features; arrays as in `View`, but edges are numbered within their graph (e, 2).

    Attributes:
        node_offset, edge_offset: first node and edge of each graph, and the end, int (g + 1,).
    """

    node_offset: np.ndarray
    edge_offset: np.ndarray
    x: np.ndarray
    edge: np.ndarray
    edge_x: np.ndarray
    pair: np.ndarray
    context: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.node_offset) - 1

    def view(self, chosen: np.ndarray) -> View:
        """Return some graphs, by their rows, as one batch."""
        nodes, edges = range_rows(self.node_offset, chosen), range_rows(self.edge_offset, chosen)
        node_count, edge_count = (np.diff(offset)[chosen] for offset in (self.node_offset, self.edge_offset))
        first_node = np.concatenate([[0], np.cumsum(node_count)[:-1]])
        return View(
            x=self.x[nodes],
            edge=(self.edge[edges] + np.repeat(first_node, edge_count)[:, None]).T.astype(np.int64),
            edge_x=self.edge_x[edges],
            pair=self.pair[edges],
            graph=np.repeat(np.arange(len(chosen)), node_count),
            num_graphs=len(chosen),
            context=None if self.context is None else self.context[nodes],
        )


def encode_graphs(graphs: Graphs, encoding: Encoding, context: np.ndarray | None = None) -> EncodedGraphs:
    """Encode traffic graphs, whose edges are stored in pairs of both directions; `context` as in `View`."""
    x, edge_x = encode(graphs, encoding)
    pair = np.arange(len(edge_x)) // 2
    return EncodedGraphs(graphs.node_offset, graphs.edge_offset, x, graphs.edge, edge_x, pair, context)


def select_graphs(view: View, chosen: np.ndarray) -> View:
    """Return the consecutive graphs `chosen` (k,) of a view as a view of their own."""
    first, last = int(chosen[0]), int(chosen[-1])
    is_node = (view.graph >= first) & (view.graph <= last)
    is_edge = is_node[view.edge[0]]
    return View(
        x=view.x[is_node],
        edge=view.edge[:, is_edge] - np.searchsorted(view.graph, first),
        edge_x=view.edge_x[is_edge],
        pair=view.pair[is_edge],
        graph=view.graph[is_node] - first,
        num_graphs=len(chosen),
        context=None if view.context is None else view.context[is_node],
    )
