"""Does influence predict retraining? Linear datamodeling score, deletion, and detection of mislabelled triples.

Influences are computed with torch's reproducible algorithms, as trainings are: the setting is global, so that otherwise
a training in another thread would decide the last bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from terrarium.common.arrays import BoolArray, Float64Array
from terrarium.common.statistics import spearman
from terrarium.common.tasks import map_tasks
from terrarium.influence.data.checkpoints import Snapshot
from terrarium.influence.data.retraining import Retrainer, Retraining, retrain_without
from terrarium.influence.scoring.streaming import self_influence
from terrarium.influence.validation.study import Study
from terrarium.influence.validation.variants import BASELINES, CONFIGURED, variant_influence, variants
from terrarium.kge.data.graph import TRAIN, Graph, Triples
from terrarium.training.torch.fabric import deterministic_algorithms
from terrarium.training.torch.seeding import generator

OTHER_SEEDS = "retrainings with other seeds"
"""Not an attribution: what retrainings tell of each other, which attributions come near to at best."""
FOLDS = 4
"""Trainings of the held-out losses."""
ROUNDING = 1e-12
"""Differences of equal numbers by rounding, relative to the largest."""


def score_datamodels(study: Study, queries: Triples | None = None) -> pd.DataFrame:
    """Return the linear datamodeling score (LDS, Park et al. 2023) of attribution methods.

    The scorer is retrained on random subsets of the training triples, from each seed. A query triple's score is
    Spearman's correlation, over the subsets, of its mean log probability over the seeds with the sum of the influences
    of the subset's triples. What differs between seeds no attribution can predict: how well a retraining is predicted
    by those of the other seeds on the same subset says how much is left.

    Args:
        study: retrainer and options.
        queries: query triples (T, 3); None: sampled by the options.

    Returns:
        One row per method and seed of its training: method, seed, lds (mean over query triples), lds_error (its
        standard error). With several seeds also `OTHER_SEEDS`, and the configured method averaged over the trainings
        of all seeds, with the last seed.
    """
    validation = study.validation
    queries = study.sample_queries(validation.num_queries) if queries is None else queries
    subsets = generator(study.attribution.seed, "subsets").random((validation.num_subsets, len(study.train)))
    masks = subsets >= validation.subset_dropout
    retrained = _retrain_on(study, masks, queries)
    outputs = retrained.mean(axis=0)
    rows, configured = [], []
    for number, seed in enumerate(validation.seeds):
        snapshots = study.retrain_on_all(seed).snapshots
        with deterministic_algorithms():
            methods = _attributions(study, snapshots, queries, seed)
        configured.append(methods[CONFIGURED])
        if len(configured) == len(validation.seeds) > 1:
            methods[f"{CONFIGURED}, mean of {len(configured)} trainings"] = np.mean(configured, axis=0)
        correlations = {name: query_correlations(masks @ matrix, outputs) for name, matrix in methods.items()}
        if len(retrained) > 1:
            others = np.delete(retrained, number, axis=0).mean(axis=0)
            correlations[OTHER_SEEDS] = query_correlations(others, retrained[number])
        rows += [{"method": name, "seed": seed, **_mean_and_error(values)} for name, values in correlations.items()]
    return pd.DataFrame(rows)


def _retrain_on(study: Study, masks: BoolArray, queries: Triples) -> Float64Array:
    """Return log probabilities (seeds, R, T) after retraining on the training triples of R masks (R, n)."""
    seeds = study.validation.seeds
    removed = [Retraining(np.flatnonzero(~mask), seed, queries) for seed in seeds for mask in masks]
    retrained = map_tasks(retrain_without, study.retrainer, removed, "Linear datamodeling score: retrainings")
    return np.stack(list(retrained)).reshape(len(seeds), len(masks), len(queries))


def _attributions(study: Study, snapshots: Sequence[Snapshot], queries: Triples, seed: int) -> dict[str, Float64Array]:
    """Return the influences (n, T) by each variant and baseline."""
    kinds = variants(study.retrainer.training.model.name)
    by_method = {name: variant_influence(study, variant, snapshots, queries) for name, variant in kinds.items()}
    return by_method | _baselines(study, queries, seed)


def _baselines(study: Study, queries: Triples, seed: int) -> dict[str, Float64Array]:
    rng = generator(seed, "guesses")
    return {name: baseline(study.train, queries, rng) for name, baseline in BASELINES.items()}


def query_correlations(predicted: Float64Array, retrained: Float64Array) -> Float64Array:
    """Return Spearman's correlation over R retrainings for each of T query triples.

    Args:
        predicted: (R, T) sums of influences.
        retrained: (R, T) log probabilities after retraining.

    Returns:
        (T,) correlations: 0 if the prediction is constant, NaN if the retrained values are constant or not finite.
    """
    return np.array([_correlation(*columns) for columns in zip(predicted.T, retrained.T, strict=True)])


def _correlation(predicted: Float64Array, retrained: Float64Array) -> float:
    is_constant = np.ptp(retrained) <= ROUNDING * np.abs(retrained).max()
    return np.nan if is_constant or not np.isfinite([predicted, retrained]).all() else spearman(predicted, retrained)


def _mean_and_error(correlations: Float64Array) -> dict[str, float]:
    defined = correlations[np.isfinite(correlations)]
    error = defined.std(ddof=1) / np.sqrt(len(defined)) if len(defined) > 1 else np.nan
    return {"lds": float(defined.mean()) if len(defined) else np.nan, "lds_error": float(error)}


def delete_proponents(study: Study, queries: Triples | None = None) -> pd.DataFrame:
    """Return how much the log probability of query triples drops when their top proponents are removed.

    Args:
        study: retrainer and options.
        queries: query triples (T, 3); None: sampled by the options.

    Returns:
        One row per method, seed, query triple and removal size: method, seed, query, removed (number of triples), drop.
    """
    validation, retrainer, rows = study.validation, study.retrainer, []
    queries = study.sample_queries(validation.num_deletion_queries) if queries is None else queries
    kinds = variants(retrainer.training.model.name)
    methods = {"influence": kinds[CONFIGURED], "influence, plain gradients": kinds["plain gradients"]}
    for seed in validation.seeds:
        scorer, snapshots = study.retrain_on_all(seed)
        before = retrainer.log_probabilities(scorer, queries)
        with deterministic_algorithms():
            by_method = {name: variant_influence(study, kind, snapshots, queries) for name, kind in methods.items()}
        by_method |= _baselines(study, queries, seed)
        for name, matrix in by_method.items():
            order = np.argsort(-matrix, axis=0, kind="stable")
            cases = [(query, removed) for query in range(len(queries)) for removed in validation.removal_sizes]
            removals = [
                Retraining(order[:removed, query], seed, queries[query : query + 1]) for query, removed in cases
            ]
            retrained = map_tasks(retrain_without, retrainer, removals, f"Deletion: seed {seed}, {name}")
            for (query, removed), after in zip(cases, retrained, strict=True):
                drop = float(before[query] - after[0])
                rows.append({"method": name, "seed": seed, "query": query, "removed": removed, "drop": drop})
    return pd.DataFrame(rows)


def detect_mislabelled(study: Study) -> pd.DataFrame:
    """Return how well self-influence and losses detect mislabelled training triples.

    The loss of a triple in a training without it is the sum of its loss with it and of how much the training has
    memorized it (Feldman and Zhang 2020), so the held-out loss combines both signals.

    Returns:
        One row per method and seed: method, seed, mislabelled (number of triples), precision (among as many triples of
        the highest value), auc (area under the ROC curve).
    """
    rows = []
    for seed in study.validation.seeds:
        graph, is_mislabelled = add_mislabelled(study.retrainer.graph, study.validation.label_noise, seed)
        noisy = replace(study, retrainer=replace(study.retrainer, graph=graph))
        scorer, snapshots = noisy.retrain_on_all(seed)
        held_out = held_out_losses(noisy.retrainer, seed)
        with deterministic_algorithms():
            values = {
                "held-out loss": held_out,
                "self-influence": self_influence(noisy.context(snapshots)),
                "self-influence, plain gradients": self_influence(noisy.context(snapshots, preconditioner="none")),
                "self-influence, last checkpoint": self_influence(noisy.context(snapshots[-1:], preconditioner="none")),
                "loss": -noisy.retrainer.log_probabilities(scorer, noisy.train),
                "random": generator(seed, "dice").random(len(noisy.train)),
            }
        for name, value in values.items():
            metrics = detection_metrics(value, is_mislabelled)
            rows.append({"method": name, "seed": seed, "mislabelled": int(is_mislabelled.sum()), **metrics})
    return pd.DataFrame(rows)


def held_out_losses(retrainer: Retrainer, seed: int, folds: int = FOLDS) -> Float64Array:
    """Return the losses (n,) of the training triples, each in a training without its part of them.

    Args:
        retrainer: trains on all other parts.
        seed: of the trainings and of the parts.
        folds: number of parts of equal size, and of trainings.
    """
    train = retrainer.graph.splits[TRAIN]
    part = generator(seed, "folds").permutation(len(train)) % folds
    parts = [Retraining(rows, seed, train[rows]) for fold in range(folds) if len(rows := np.flatnonzero(part == fold))]
    losses = np.empty(len(train))
    for left_out, values in zip(
        parts, map_tasks(retrain_without, retrainer, parts, f"Held-out losses: seed {seed}"), strict=True
    ):
        losses[left_out.removed] = -values
    return losses


def add_mislabelled(graph: Graph, fraction: float, seed: int) -> tuple[Graph, BoolArray]:
    """Return the graph with random unknown training triples added, and a mask (n,) of them.

    Relations are drawn with their frequency in training, heads and tails uniformly.
    """
    rng = generator(seed, "planted")
    train = graph.splits[TRAIN]
    count = max(1, round(fraction * len(train)))
    known = {tuple(triple) for triple in graph.known_triples.tolist()}
    added: dict[tuple[int, ...], None] = {}
    for _ in range(100 * count):
        relation = int(train[rng.integers(len(train)), 1])
        triple = (int(rng.integers(graph.num_entities)), relation, int(rng.integers(graph.num_entities)))
        if triple not in known:
            added[triple] = None
        if len(added) == count:
            break
    noisy = np.concatenate([train, np.array(list(added), np.int64).reshape(-1, 3)])
    is_mislabelled = np.arange(len(noisy)) >= len(train)
    return replace(graph, splits={**graph.splits, TRAIN: noisy}), is_mislabelled


def detection_metrics(values: Float64Array, is_mislabelled: BoolArray) -> dict[str, float]:
    """Return precision among the highest values (n,), as many as are mislabelled, and the area under the ROC curve."""
    from sklearn.metrics import roc_auc_score

    highest = np.argsort(-values, kind="stable")[: int(is_mislabelled.sum())]
    return {
        "precision": float(is_mislabelled[highest].mean()),
        "auc": float(roc_auc_score(is_mislabelled, values)),
    }
