from dataclasses import replace

import numpy as np

from terrarium.influence.scoring.context import InfluenceContext
from terrarium.influence.validation.study import Study
from terrarium.influence.validation.variants import BASELINES, variant_influence, variants
from terrarium.kge.data.graph import TEST, TRAIN
from tests.influence.contexts import influence_options, matrix
from tests.kge.graphs import random_graph


def test_variants_differ_and_none_keeps_the_state_of_another(retrainer):
    chosen = influence_options(attribution__hessian="none")
    graph, queries = retrainer.graph, retrainer.graph.splits[TEST]
    study = Study(retrainer, chosen.validation, chosen.attribution, chosen.scoring)
    snapshots = retrainer.train(graph.splits[TRAIN], 0, retrainer.spaced_epochs(2)).snapshots
    context = InfluenceContext.of(snapshots, retrainer.training, graph, chosen.attribution, chosen.scoring)
    configured = matrix(context, queries)
    by_name = {
        name: variant_influence(study, variant, snapshots, queries) for name, variant in variants("complex").items()
    }
    assert np.array_equal(by_name["as configured"], configured)
    assert np.array_equal(by_name["factored preconditioner"], configured)
    plain = by_name["plain gradients"]
    assert np.array_equal(by_name["unit share"], plain)
    for name in ("unit row", "last checkpoint", "exact preconditioner", "cosine", "projected to 1,024"):
        assert not np.allclose(by_name[name], plain, rtol=1e-3), name
    fisher = replace(study, attribution=study.attribution.model_copy(update={"hessian": "empirical_fisher"}))
    by_fisher = {
        name: variant_influence(fisher, variants("complex")[name], snapshots, queries)
        for name in ("as configured", "plain gradients")
    }
    assert not np.allclose(by_fisher["as configured"], configured)
    assert np.array_equal(by_fisher["plain gradients"], plain)
    assert set(variants("conve")["last checkpoint, last layer"].changes["layers"]) == {"encoder.projection.weight"}


def test_baselines_rank_what_they_say_first():
    graph = random_graph(entities=14, relations=3, sizes=(60, 5, 6))
    train, queries = graph.splits[TRAIN], graph.splits[TEST]
    rng = np.random.default_rng(0)
    first = {name: train[np.argmax(baseline(train, queries, rng), axis=0)] for name, baseline in BASELINES.items()}
    assert (first["same relation"][:, 1] == queries[:, 1]).all()
    assert all(
        {a[0], a[2]} & {b[0], b[2]} for a, b in zip(first["shared entity"].tolist(), queries.tolist(), strict=True)
    )
