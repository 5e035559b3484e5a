"""Contexts of influence on a small graph, and their influences by autograd."""

import numpy as np

from terrarium.influence.data.checkpoints import Snapshot, TrainingRun
from terrarium.influence.options import Options
from terrarium.influence.scoring.context import InfluenceContext
from terrarium.influence.scoring.streaming import influence_matrix
from terrarium.kge.data.graph import TEST, TRAIN
from terrarium.kge.options import TrainingOptions
from tests.influence.autograd_reference import dot, gradient, part_of, scorer_of
from tests.kge.graphs import options, random_graph
from tests.test_parameters import changed, parameters


def influence_options(**changes):
    return Options.model_validate(changed(parameters("test")["influence"], changes))


def make_context(
    kind="complex",
    preconditioner=None,
    inverse=True,
    train_type="KvsAll",
    loss="cross_entropy",
    n3_weight=0.0,
    query_weight="equal",
    **changes,
):
    """Two checkpoints with different learning rates, and the context of influence in them."""
    graph = random_graph(entities=14, relations=3, sizes=(60, 5, 6))
    defaults = {
        "scoring__precision": "64-true",
        "attribution__output_fn": "training_loss",
        "attribution__hessian": "none",
    }
    defaults["attribution__preconditioner"] = "none" if preconditioner is None else "exact"
    chosen = influence_options(**defaults | changes)
    scorers = [scorer_of(graph, kind, seed, model__inverse_relations=inverse) for seed in (1, 2)]
    diagonals = [{} if preconditioner is None else preconditioner(scorer) for scorer in scorers]
    snapshots = [Snapshot(e, r, s, d) for e, r, s, d in zip((1, 4), (0.5, 0.25), scorers, diagonals, strict=True)]
    trained = options(
        training__loss__name=loss,
        training__train_type=train_type,
        training__loss__label_smoothing=0.1,
        training__loss__n3_weight=n3_weight,
        training__query_weight=query_weight,
    ).training
    training = TrainingRun(scorers[0].options, TrainingOptions.model_validate(trained.model_dump()))
    return graph, InfluenceContext.of(snapshots, training, graph, chosen.attribution, chosen.scoring)


def matrix(context, queries):
    """(n, T) in the order of the training triples."""
    values = influence_matrix(context, queries)
    assert np.isfinite(values).all()
    return values


def reference_matrix(graph, context, preconditioned=False):
    """The same for the test triples by autograd, a triple at a time."""
    queries, known, unit = graph.splits[TEST], graph.splits[TRAIN], context.attribution.attribution_unit
    total = 0
    for snapshot in context.snapshots:
        rows, columns = (
            [gradient(snapshot.scorer, part_of(snapshot.scorer, context.loss_spec, t, known, unit)) for t in triples]
            for triples in (context.train, queries)
        )
        if preconditioned:
            columns = [{name: g[name] * snapshot.preconditioner[name] for name in g} for g in columns]
        total = total + snapshot.learning_rate * np.array([[dot(a, b) for b in columns] for a in rows])
    return total
