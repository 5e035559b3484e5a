"""Views of graphs: some graphs taken out as one batch, changed at random."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from terrarium.scenes.graphs.columns import Graphs
from terrarium.scenes.options import AugmentationOptions


@dataclass(frozen=True, eq=False)
class View:
    """Graphs side by side, as arrays.

    Attributes:
        x: features of nodes (n, ·).
        edge: from and to, numbered through (2, e).
        edge_x: features of edges (e, ·).
        pair: number of the relation that an edge is a direction of (e).
        graph: of each node (n).
        count: graphs.
        context: class of what is around each node in the unchanged graph, -1 where it has none (n).
    """

    x: np.ndarray
    edge: np.ndarray
    edge_x: np.ndarray
    pair: np.ndarray
    graph: np.ndarray
    count: int
    context: np.ndarray | None = None


def plain_view(
    graphs: Graphs, nodes: np.ndarray, edges: np.ndarray, chosen: np.ndarray, context: np.ndarray | None = None
) -> View:
    """The graphs of some rows, unchanged.

    Args:
        graphs: all of them.
        nodes: features of all road users.
        edges: features of all relations.
        chosen: rows of graphs.
        context: class of every road user's surroundings, where they are to be foretold.
    """
    node_rows, edge_rows = graphs.rows(chosen), graphs.rows(chosen, of="edge")
    count = graphs.nodes[chosen]
    start = np.concatenate([[0], np.cumsum(count)[:-1]])
    shift = np.repeat(start, graphs.edges[chosen])
    return View(
        x=nodes[node_rows],
        edge=(graphs.edge[edge_rows] + shift[:, None]).T.astype(np.int64),
        edge_x=edges[edge_rows],
        pair=edge_rows // 2,
        graph=np.repeat(np.arange(len(chosen)), count),
        count=len(chosen),
        context=None if context is None else context[node_rows],
    )


def changed_view(view: View, options: AugmentationOptions, rng: np.random.Generator) -> View:
    """The view with parts left out and noise added; every graph keeps one road user at least."""
    view = _without_nodes(view, options, rng)
    view = _without_edges(view, options, rng)
    x, edge_x = view.x.copy(), view.edge_x.copy()
    x[:, 0] += rng.normal(0.0, options.node_noise, len(x)).astype(np.float32)
    edge_x[:, 0] += rng.normal(0.0, options.edge_noise, len(edge_x)).astype(np.float32)
    x[rng.random(len(x)) < options.feature_mask_prob] = 0.0
    return replace(view, x=x, edge_x=edge_x)


def _without_nodes(view: View, options: AugmentationOptions, rng: np.random.Generator) -> View:
    keep = rng.random(len(view.x)) >= options.node_drop_prob
    if options.subgraph_fraction < 1.0:
        keep &= _subgraph(view, options.subgraph_fraction, rng)
    if keep.all():
        return view
    order = np.lexsort((rng.random(len(keep)), ~keep, view.graph))
    first = order[np.unique(view.graph[order], return_index=True)[1]]
    keep[first] = True
    place = np.cumsum(keep) - 1
    inside = keep[view.edge[0]] & keep[view.edge[1]]
    return View(
        *(view.x[keep], place[view.edge[:, inside]], view.edge_x[inside], view.pair[inside]),
        *(view.graph[keep], view.count, None if view.context is None else view.context[keep]),
    )


def _subgraph(view: View, share: float, rng: np.random.Generator) -> np.ndarray:
    """Which nodes are among the nearest, by hops from one node of each graph, that make up a share of it."""
    draw = rng.random(len(view.x))
    order = np.lexsort((draw, view.graph))
    start = order[np.unique(view.graph[order], return_index=True)[1]]
    hops = np.full(len(view.x), len(view.x), np.int64)
    hops[start] = 0
    while True:
        nearer = hops.copy()
        np.minimum.at(nearer, view.edge[1], hops[view.edge[0]] + 1)
        if np.array_equal(nearer, hops):
            break
        hops = nearer
    ranked = np.lexsort((draw, hops, view.graph))
    count = np.bincount(view.graph, minlength=view.count)
    rank = np.empty(len(ranked), np.int64)
    rank[ranked] = np.arange(len(ranked)) - np.repeat(np.cumsum(count) - count, count)
    return rank < np.ceil(count * share)[view.graph]


def _without_edges(view: View, options: AugmentationOptions, rng: np.random.Generator) -> View:
    if options.edge_drop_prob == 0.0 or not len(view.edge_x):
        return view
    if options.drop_edge_pairs:
        pairs, place = np.unique(view.pair, return_inverse=True)
        keep = (rng.random(len(pairs)) >= options.edge_drop_prob)[place]
    else:
        keep = rng.random(len(view.edge_x)) >= options.edge_drop_prob
    return replace(view, edge=view.edge[:, keep], edge_x=view.edge_x[keep], pair=view.pair[keep])
