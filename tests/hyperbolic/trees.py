"""Small trees and layouts that the tests of the evaluation share."""

import numpy as np
from hypothesis import strategies as st

from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.geometry.ball import Layout


def tree_of(parents: list[int]) -> Hierarchy:
    """Node i + 1 below parents[i]; ids are the node numbers."""
    return Hierarchy.from_parents(np.arange(len(parents) + 1), np.array([-1, *parents]))


def random_tree(rng: np.random.Generator, size: int) -> Hierarchy:
    return tree_of([int(rng.integers(0, i)) for i in range(1, size)])


def chain(size: int) -> Hierarchy:
    return tree_of(list(range(size - 1)))


def star(size: int) -> Hierarchy:
    return tree_of([0] * (size - 1))


def random_layout(rng: np.random.Generator, size: int, dim: int = 3, largest: float = 5.0) -> Layout:
    steps = rng.normal(size=(size, dim))
    return Layout(rng.uniform(0.0, largest, size), steps / np.linalg.norm(steps, axis=1, keepdims=True))


@st.composite
def trees(draw: st.DrawFn, largest: int = 40) -> Hierarchy:
    size = draw(st.integers(2, largest))
    return tree_of([draw(st.integers(0, i)) for i in range(size - 1)])


def random_dag(rng: np.random.Generator, size: int) -> Hierarchy:
    """A rooted acyclic graph; about a third of the nodes have a second parent."""
    child, parent = [], []
    for node in range(1, size):
        parents = rng.permutation(node)[: 1 + int(rng.random() < 0.35)]
        child += [node] * len(parents)
        parent += parents.tolist()
    return Hierarchy.from_edges(child, parent, several_parents=True)


def binary_tree(depth: int) -> Hierarchy:
    return tree_of([(node - 1) // 2 for node in range(1, 2 ** (depth + 1) - 1)])
