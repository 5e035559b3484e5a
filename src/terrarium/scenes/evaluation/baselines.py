"""The Weisfeiler-Lehman kernel, a baseline without training."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from terrarium.scenes.evaluation.matrices import Matrix
from terrarium.scenes.graphs.columns import Graphs
from terrarium.scenes.graphs.weisfeiler_lehman import label_counts, node_labels


def wl_vectors(graphs: Graphs, iterations: int, train: np.ndarray) -> Matrix:
    """Return square roots of the counts of Weisfeiler-Lehman labels, sparse (graphs, labels).

    The cosine of two rows is a Weisfeiler-Lehman subtree kernel (Shervashidze et al. 2011) on the square roots of the
    counts. Labels are exact, not hashed; labels in fewer than two training graphs are left out.

    Args:
        graphs: all graphs.
        iterations: of the refinement; the labels of all iterations count, the initial ones included.
        train: rows of the training graphs.
    """
    counts = [
        label_counts(labels, graphs.graph_of_nodes, len(graphs), train) for labels in node_labels(graphs, iterations)
    ]
    return sparse.csr_array(sparse.hstack(counts)).sqrt()
