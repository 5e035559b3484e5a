"""Spectral vectors of synsets: a truncated SVD of the PMI of random walks on the training links.

The walks are those of Goikoetxea, Soroa and Agirre (2015), in closed form: how much of its time a walk from a synset
spends at another is its personalised PageRank. Their positive pointwise mutual information, max(0, log(p(i, j) /
(p(i) p(j))) - shift), is factorised (Levy and Goldberg 2014): M is about U S V', and the vectors are U sqrt(S).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import numpy as np
import pandas as pd
from scipy.sparse import block_array, coo_array, csr_array, hstack
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.utils.extmath import randomized_svd

from terrarium.common.arrays import Float32Array
from terrarium.senses.data.relations import ANTONYM, RELATIONS
from terrarium.senses.options import FeatureOptions
from terrarium.senses.spectral.walks import walk_shares

_GLOSS_RESTART, _GLOSS_TOLERANCE = 0.3, 1.5e-3
"""Walks to the glosses are short: a synset's own gloss and those of its neighbours count."""
_POWER_ITERATIONS = 2


def spectral_components(
    synsets: pd.DataFrame, senses: pd.DataFrame, pairs: pd.DataFrame, count: int, features: FeatureOptions
) -> Float32Array:
    """Return spectral vectors of all synsets, made from training pairs only.

    Args:
        synsets: columns synset and gloss.
        senses: columns lemma and synset_row.
        pairs: columns relation, head, tail and split.
        count: number of dimensions.
        features: walks, glosses and the seed.

    Returns:
        Shape (S, count), by descending singular value; the squared length of a column is its singular value.
    """
    weights = {str(name): weight for name, weight in features.walks.relation_weights.items()}
    graph = walk_graph(senses, pairs, len(synsets), weights, features.walks.lemma_weight)
    walks = walk_shares(graph, len(synsets), restart=features.walks.restart, tolerance=features.walks.tolerance)
    blocks = [positive_pmi(walks[:, : len(synsets)], features.walks.pmi_shift)]
    if features.glosses:
        short = walk_shares(graph, len(synsets), restart=_GLOSS_RESTART, tolerance=_GLOSS_TOLERANCE)
        words = count_words(synsets["gloss"])
        by_word = positive_pmi(short[:, : len(synsets)] @ words, features.walks.pmi_shift)
        blocks.append(by_word * features.walks.gloss_weight)
    return factorize(csr_array(hstack(blocks)), count, features.seed)


def walk_graph(
    senses: pd.DataFrame, pairs: pd.DataFrame, synsets: int, relation_weights: Mapping[str, float], lemma_weight: float
) -> csr_array:
    """Return the graph of synsets and lemmas that walks follow: training pairs but antonyms, and senses.

    Args:
        senses: columns lemma and synset_row; a lemma is linked to the synsets of its senses.
        pairs: columns relation, head, tail and split.
        synsets: number S of synsets.
        relation_weights: weight of a link by relation, 1 if it is not named.
        lemma_weight: weight of the links between lemmas and synsets.

    Returns:
        Symmetric, shape (S + L, S + L) for L lemmas.
    """
    used = pairs[(pairs["split"] == "train") & (pairs["relation"] != ANTONYM)]
    weight = np.array([relation_weights.get(name, 1.0) for name in RELATIONS])[used["relation"].to_numpy()]
    head, tail = used["head"].to_numpy(), used["tail"].to_numpy()
    ends = np.concatenate([head, tail]), np.concatenate([tail, head])
    links = coo_array((np.tile(weight, 2), ends), shape=(synsets, synsets))
    lemma, names = pd.factorize(senses["lemma"])
    member = coo_array(
        (np.full(len(lemma), lemma_weight), (senses["synset_row"].to_numpy(), lemma)), (synsets, len(names))
    )
    graph = csr_array(block_array([[links, member], [member.T, None]]))
    graph.eliminate_zeros()
    return graph


def count_words(glosses: pd.Series) -> csr_array:
    """Return which words the glosses (S,) have, shape (S, W), without stop words and words of a single gloss."""
    vectorizer = CountVectorizer(binary=True, stop_words="english", min_df=min(2, len(glosses)), dtype=np.float32)
    return csr_array(vectorizer.fit_transform(glosses))


def positive_pmi(joint: csr_array, shift: float) -> csr_array:
    """Return max(0, log(p(i, j) / (p(i) p(j))) - shift) of the nonzero entries of a matrix.

    Args:
        joint: entries of at least 0, in proportion to p(i, j).
        shift: subtracted from the pointwise mutual information.
    """
    joint = csr_array(joint)
    by_row, by_column = (np.asarray(joint.sum(axis=axis), np.float64).ravel() for axis in (1, 0))
    expected = np.repeat(by_row, np.diff(joint.indptr)) * (by_column / by_column.sum())[joint.indices]
    pmi = np.log(np.maximum(joint.data, 1e-30) / expected) - shift
    positive = csr_array((np.maximum(pmi, 0).astype(np.float32), joint.indices, joint.indptr), shape=joint.shape)
    positive.eliminate_zeros()
    return positive


def factorize(matrix: csr_array, count: int, seed: int) -> Float32Array:
    """Return U sqrt(S) of the largest singular values of a matrix (S, N); columns beyond its rank are 0.

    Args:
        matrix: to factorise.
        count: number of columns.
        seed: of the random projection (Halko, Martinsson and Tropp 2011).
    """
    rank = min(count, *matrix.shape)
    left, values, _ = randomized_svd(matrix, rank, n_iter=_POWER_ITERATIONS, random_state=seed)
    components = np.zeros((matrix.shape[0], count), np.float32)
    components[:, :rank] = left * np.sqrt(values)
    return cast(Float32Array, components)
