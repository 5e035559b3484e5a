"""Random changes of a batch of graphs.

They run on arrays, before a batch becomes tensors, with a generator of their own: `torch_geometric.utils` has the same
operations on tensors with torch's global generator, and neither paired edges nor a node kept in every graph.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from terrarium.scenes.graphs.views import View
from terrarium.scenes.options import AugmentationOptions


def augment_view(view: View, options: AugmentationOptions, rng: np.random.Generator) -> View:
    """Drop nodes and edges and add noise; every graph keeps at least one node."""
    view = _drop_nodes(view, options, rng)
    view = _drop_edges(view, options, rng)
    x, edge_x = view.x.copy(), view.edge_x.copy()
    x[:, 0] += rng.normal(0.0, options.node_noise, len(x)).astype(np.float32)
    edge_x[:, 0] += rng.normal(0.0, options.edge_noise, len(edge_x)).astype(np.float32)
    return replace(view, x=x, edge_x=edge_x)


def _drop_nodes(view: View, options: AugmentationOptions, rng: np.random.Generator) -> View:
    keep = rng.random(len(view.x)) >= options.node_drop_prob
    if keep.all():
        return view
    order = np.lexsort((rng.random(len(keep)), ~keep, view.graph))
    keep[order[np.unique(view.graph[order], return_index=True)[1]]] = True
    new_number = np.cumsum(keep) - 1
    has_both_ends = keep[view.edge[0]] & keep[view.edge[1]]
    return View(
        x=view.x[keep],
        edge=new_number[view.edge[:, has_both_ends]],
        edge_x=view.edge_x[has_both_ends],
        pair=view.pair[has_both_ends],
        graph=view.graph[keep],
        num_graphs=view.num_graphs,
        context=None if view.context is None else view.context[keep],
    )


def _drop_edges(view: View, options: AugmentationOptions, rng: np.random.Generator) -> View:
    if options.edge_drop_prob == 0.0 or not len(view.edge_x):
        return view
    if options.drop_edge_pairs:
        pairs, place = np.unique(view.pair, return_inverse=True)
        keep = (rng.random(len(pairs)) >= options.edge_drop_prob)[place]
    else:
        keep = rng.random(len(view.edge_x)) >= options.edge_drop_prob
    return replace(view, edge=view.edge[:, keep], edge_x=view.edge_x[keep], pair=view.pair[keep])
