"""Vectors for which the answers are known."""

import numpy as np

from terrarium.senses.data.relations import RELATIONS
from terrarium.senses.models.operators import identity_maps
from terrarium.senses.models.vectors import SenseVectors, random_vectors
from tests.senses.lexicon import tables

DIM = 40


def random_baseline(dim=DIM, seed=0):
    """Random vectors of the small lexicon; one dimension in twenty is polar."""
    made = tables()
    polar = np.arange(dim) % 20 == 19
    return random_vectors(len(made["synsets"]), made["senses"], dim, polar, np.random.default_rng(seed))


def with_relations(vectors, shift=None):
    """The vectors with maps of the relations that only add a shift (2 R, D), by default none."""
    maps = identity_maps(2 * len(RELATIONS), vectors.dim)
    maps[:, 0] = 0 if shift is None else shift
    return SenseVectors(vectors.synsets, vectors.senses, maps, vectors.polar)
