"""Does influence say what retraining finds? Linear datamodelling, deletion, planted wrong triples."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from terrarium.common.arrays import Float64Array
from terrarium.influence.data.checkpoints import Snapshot, Training
from terrarium.influence.options import EvaluationOptions, FeatureOptions, TrainingOptions
from terrarium.influence.scoring.streaming import World, self_influences
from terrarium.influence.validation.retraining import Retrainer, values
from terrarium.influence.validation.variants import GUESSES, variants, varied
from terrarium.kge.data.graph import TEST, TRAIN, VALIDATION, Graph, Triples
from terrarium.training.torch.seeding import generator

logger = logging.getLogger(__name__)

TIE = 1e-12
"""What rounding leaves of equal numbers, relative to the largest."""
SPLITS = {"test": TEST, "validation": VALIDATION}


class TooFewTriplesError(ValueError):
    """More triples are to be asked about or removed than there are."""


def require_enough(graph: Graph, options: TrainingOptions) -> None:
    """TooFewTriplesError where the graph is too small for the options."""
    count, train = len(graph.splits[SPLITS[options.split]]), len(graph.splits[TRAIN])
    for name, wanted in (("tested", options.tested), ("deletion_tested", options.deletion_tested)):
        if wanted > count:
            raise TooFewTriplesError(
                f"influence.training.{name} is {wanted} and there are {count} {options.split} triples: lower it, or "
                "change influence.training.split"
            )
    if max(options.removed) >= train:
        raise TooFewTriplesError(
            f"influence.training.removed has {max(options.removed)} and there are {train} training triples: lower it"
        )


def chosen_tests(graph: Graph, split: str, count: int, seed: int) -> Triples:
    """Some triples of a split, at random; of the validation triples where a choice is made from the result."""
    part = graph.splits[SPLITS[split]]
    return part[np.sort(generator(seed, "asked").permutation(len(part))[:count])]


def datamodelling(
    retrainer: Retrainer,
    tests: Triples,
    options: TrainingOptions,
    features: FeatureOptions,
    evaluation: EvaluationOptions,
) -> pd.DataFrame:
    """Linear datamodelling score (Park 2023) by method and seed: method, seed, lds, lds_error.

    Triples are left out at random, the scorer is trained again, and what each test lost is compared with the sum of
    the influences of what was left in: Spearman's correlation over the retrainings, averaged over the tests.
    """
    train = retrainer.graph.splits[TRAIN]
    rng = generator(features.seed, "subsets")
    left_in = rng.random((options.subsets, len(train))) >= options.left_out
    seeds = [options.seeds[i % len(options.seeds)] for i in range(options.subsets)]
    reached = []
    for place, (mask, seed) in enumerate(zip(left_in, seeds, strict=True), start=1):
        reached.append(values(retrainer.train(train[mask], seed)[0], tests, retrainer.training))
        logger.info("Linear datamodelling: retraining %d of %d", place, options.subsets)
    rows = []
    for seed in options.seeds:
        _, snapshots = retrainer.train(train, seed, retrainer.kept(options.checkpoints))
        for name, matrix in attributions(retrainer, snapshots, tests, seed, features, evaluation).items():
            lds = _correlations(left_in @ matrix, np.stack(reached), seeds)
            rows.append({"method": name, "seed": seed, **_mean_and_error(lds)})
    return pd.DataFrame(rows)


def _mean_and_error(lds: Float64Array) -> dict[str, float]:
    """Of the tests that have a correlation; the error of the mean is over tests."""
    found = lds[np.isfinite(lds)]
    error = found.std(ddof=1) / np.sqrt(len(found)) if len(found) > 1 else np.nan
    return {"lds": float(found.mean()) if len(found) else np.nan, "lds_error": float(error)}


def attributions(
    retrainer: Retrainer,
    snapshots: Sequence[Snapshot],
    tests: Triples,
    seed: int,
    features: FeatureOptions,
    evaluation: EvaluationOptions,
) -> dict[str, Float64Array]:
    """(n, T) by the name of each variant and guess."""
    shared = (retrainer.training, retrainer.graph, tests, features, evaluation)
    kinds = variants(retrainer.training.model.name)
    found = {name: varied(variant, snapshots, *shared) for name, variant in kinds.items()}
    rng = generator(seed, "guesses")
    return found | {name: guess(retrainer.graph, tests, rng) for name, guess in GUESSES.items()}


def _correlations(predicted: Float64Array, reached: Float64Array, seeds: Sequence[int]) -> Float64Array:
    """(T,) Spearman's correlations over retrainings, each seed's mean taken off what its retrainings reached.

    A prediction that is the same for all retrainings says nothing and counts as 0; where what was reached is the same,
    or a number is not finite, there is nothing to foresee and no correlation.
    """
    centred = reached.copy()
    for seed in set(seeds):
        own = np.array(seeds) == seed
        centred[own] -= centred[own].mean(axis=0)
    return np.array([_correlation(*columns) for columns in zip(predicted.T, centred.T, strict=True)])


def _correlation(predicted: Float64Array, reached: Float64Array) -> float:
    if np.ptp(reached) <= TIE * np.abs(reached).max() or not np.isfinite([predicted, reached]).all():
        return np.nan
    return 0.0 if np.ptp(predicted) == 0 else float(spearmanr(predicted, reached).statistic)


def deletion(
    retrainer: Retrainer,
    tests: Triples,
    options: TrainingOptions,
    features: FeatureOptions,
    evaluation: EvaluationOptions,
) -> pd.DataFrame:
    """What tests lose when triples chosen for them are removed: method, seed, test, removed, drop."""
    train, rows = retrainer.graph.splits[TRAIN], []
    for seed in options.seeds:
        scorer, snapshots = retrainer.train(train, seed, retrainer.kept(options.checkpoints))
        before = values(scorer, tests, retrainer.training)
        shared = (retrainer.training, retrainer.graph, tests, features, evaluation)
        kinds = variants(retrainer.training.model.name)
        rng = generator(seed, "guesses")
        ranked = {
            "influence": varied(kinds["as configured"], snapshots, *shared),
            "influence, plain gradients": varied(kinds["plain gradients"], snapshots, *shared),
        }
        ranked |= {name: guess(retrainer.graph, tests, rng) for name, guess in GUESSES.items()}
        for name, matrix in ranked.items():
            order = np.argsort(-matrix, axis=0, kind="stable")
            for test in range(len(tests)):
                for count in options.removed:
                    kept = np.delete(train, order[:count, test], axis=0)
                    after = values(retrainer.train(kept, seed)[0], tests[test : test + 1], retrainer.training)[0]
                    drop = float(before[test] - after)
                    rows.append({"method": name, "seed": seed, "test": test, "removed": count, "drop": drop})
            logger.info("Deletion: seed %d, %s done", seed, name)
    return pd.DataFrame(rows)


def planted(
    retrainer: Retrainer, options: TrainingOptions, features: FeatureOptions, evaluation: EvaluationOptions
) -> pd.DataFrame:
    """Are wrong triples found? method, seed, planted, precision (of as many as were planted), auc."""
    rows = []
    for seed in options.seeds:
        graph, wrong = with_wrong_triples(retrainer.graph, options.planted, seed)
        train = graph.splits[TRAIN]
        scorer, snapshots = retrainer.train(train, seed, retrainer.kept(options.checkpoints))
        plain = features.model_copy(update={"precondition": "none"})
        found = {
            "self-influence": _self(snapshots, retrainer.training, graph, features, evaluation),
            "self-influence, plain gradients": _self(snapshots, retrainer.training, graph, plain, evaluation),
            "self-influence, last checkpoint": _self(snapshots[-1:], retrainer.training, graph, plain, evaluation),
            "loss": -values(scorer, train, retrainer.training),
            "random": generator(seed, "dice").random(len(train)),
        }
        for name, given in found.items():
            rows.append({"method": name, "seed": seed, "planted": int(wrong.sum()), **_found(given, wrong)})
    return pd.DataFrame(rows)


def with_wrong_triples(graph: Graph, share: float, seed: int) -> tuple[Graph, np.ndarray]:
    """The graph with triples added that it does not know, of its relations in their frequencies; and which they are."""
    rng = generator(seed, "planted")
    train = graph.splits[TRAIN]
    count = max(1, round(share * len(train)))
    known = {tuple(triple) for triple in graph.known_triples.tolist()}
    wrong: dict[tuple[int, ...], None] = {}
    for _ in range(100 * count):
        relation = int(train[rng.integers(len(train)), 1])
        triple = (int(rng.integers(graph.num_entities)), relation, int(rng.integers(graph.num_entities)))
        if triple not in known:
            wrong[triple] = None
        if len(wrong) == count:
            break
    added = np.concatenate([train, np.array(list(wrong), np.int64).reshape(-1, 3)])
    mark = np.arange(len(added)) >= len(train)
    return Graph(graph.num_entities, graph.num_relations, {**graph.splits, TRAIN: added}), mark


def _self(
    snapshots: Sequence[Snapshot],
    training: Training,
    graph: Graph,
    features: FeatureOptions,
    evaluation: EvaluationOptions,
) -> Float64Array:
    world = World.of(snapshots, training, graph, features, evaluation)
    found = np.empty(len(world.train))
    for places, block in self_influences(world):
        found[places] = block.double().cpu().numpy()
    return found


def _found(given: Float64Array, wrong: np.ndarray) -> dict[str, float]:
    from sklearn.metrics import roc_auc_score

    first = np.argsort(-given, kind="stable")[: int(wrong.sum())]
    return {"precision": float(wrong[first].mean()), "auc": float(roc_auc_score(wrong, given))}
