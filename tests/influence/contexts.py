"""Contexts of influence on a small graph, and their influences by autograd."""

from dataclasses import replace

import numpy as np
import pandas as pd

from terrarium.influence.data.checkpoints import Snapshot, TrainingRun
from terrarium.influence.options import Options
from terrarium.influence.scoring.context import InfluenceContext
from terrarium.influence.scoring.streaming import influence_matrix
from terrarium.kge.data.ancestors import find_parts
from terrarium.kge.data.graph import TEST
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
    encoder=None,
    **changes,
):
    """Two checkpoints with different learning rates, and the context of influence in them.

    With an `encoder` (see `model.entity_encoder`), entity embeddings are sums.
    """
    graph = small_graph()
    defaults = {
        "scoring__precision": "64-true",
        "attribution__output_fn": "training_loss",
        "attribution__hessian": "none",
    }
    defaults["attribution__preconditioner"] = "none" if preconditioner is None else "exact"
    chosen = influence_options(**defaults | changes)
    scorers = own_scorers(kind, inverse, encoder)
    diagonals = [{} if preconditioner is None else preconditioner(scorer) for scorer in scorers]
    parts = find_parts(graph, scorers[0].options)
    snapshots = [
        Snapshot(epoch, rate, scorer.fold_ancestors(), diagonal, parts)
        for epoch, rate, scorer, diagonal in zip((1, 4), (0.5, 0.25), scorers, diagonals, strict=True)
    ]
    trained = options(
        training__loss__name=loss,
        training__train_type=train_type,
        training__loss__label_smoothing=0.1,
        training__loss__n3_weight=n3_weight,
        training__query_weight=query_weight,
    ).training
    training = TrainingRun(scorers[0].options, TrainingOptions.model_validate(trained.model_dump()))
    return graph, InfluenceContext.of(snapshots, training, graph, chosen.attribution, chosen.scoring)


def small_graph():
    """A random graph with a hierarchy, which has cycles, and with names that share words."""
    names = [f"{('old', 'new', 'small')[n % 3]} {('fox', 'owl')[n % 2]} {n}" for n in range(14)]
    return replace(random_graph(entities=14, relations=3, sizes=(60, 5, 6)), hierarchy=0, names=pd.Series(names))


def own_scorers(kind="complex", inverse=True, encoder=None):
    """The scorers of both checkpoints, with own vectors instead of embeddings."""
    changes = {"model__inverse_relations": inverse, "model__entity_encoder": encoder or "lookup"}
    return [scorer_of(small_graph(), kind, seed, **changes) for seed in (1, 2)]


def matrix(context, queries):
    """(n, T) in the order of the training triples."""
    values = influence_matrix(context, queries)
    assert np.isfinite(values).all()
    return values


def reference_matrix(graph, context, preconditioned=False):
    """The same for the test triples by autograd, a triple at a time."""
    total = 0
    for snapshot in context.snapshots:
        rows, columns = (
            reference_gradients(context, snapshot.scorer, triples) for triples in (context.train, graph.splits[TEST])
        )
        if preconditioned:
            columns = [{name: g[name] * snapshot.preconditioner[name] for name in g} for g in columns]
        total = total + snapshot.learning_rate * np.array([[dot(a, b) for b in columns] for a in rows])
    return total


def reference_gradients(context, scorer, triples):
    """Gradients of the parts of triples by autograd, by parameter name."""
    unit = context.attribution.attribution_unit
    parts = (part_of(scorer, context.loss_spec, triple, context.train, unit) for triple in triples)
    return [gradient(scorer, part) for part in parts]
