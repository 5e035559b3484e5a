from dataclasses import replace

import numpy as np
import pytest
import torch

from terrarium.scenes.models.encoder import batch_of, make_encoder
from terrarium.scenes.training.objectives import Objective
from tests.scenes.scenery import options, problem
from tests.scenes.trainers import make, train

OBJECTIVES = ("nt_xent", "info_nce")


@pytest.mark.parametrize("name", OBJECTIVES)
def test_every_objective_falls(tmp_path, name):
    history = train(tmp_path, 6, training__loss__name=name, training__optimizer__learning_rate=0.003).history
    assert history["loss"].iloc[-1] < history["loss"].iloc[0]
    assert np.isfinite(history.drop(columns="best").to_numpy(float)).all()


def losses_of(trainer, weights):
    """Loss of one batch by the weight of contexts; the same encoder and views."""
    batch = trainer._batch(trainer._problem.train[:8], np.random.default_rng(0))
    objective = trainer.objective.eval()
    found = []
    for weight in weights:
        objective.options = objective.options.model_copy(update={"context_weight": weight})
        with torch.no_grad():
            found.append(float(objective(*batch)))
    return batch, found


def test_contexts_are_added_with_their_weight_and_are_cross_entropy_of_what_is_around():
    trainer, _ = make()
    (first, second, *_), (once, thrice) = losses_of(trainer, (1.0, 3.0))
    encoder, terms = trainer.objective.encoder, []
    with torch.no_grad():
        for view in (first, second):
            logits = encoder.context_logits(encoder.node_states(view))
            known = view.context >= 0
            terms.append(-torch.log_softmax(logits, dim=1)[known, view.context[known]])
    assert thrice - once == pytest.approx(2 * float(torch.cat(terms).mean()), rel=1e-3)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_graphs_without_edges_work(name):
    given, chosen = problem(options()), options(training__loss__name=name)
    view = given.graphs.view(np.arange(4))
    bare = batch_of(replace(view, edge=view.edge[:, :0], edge_x=view.edge_x[:0], pair=view.pair[:0]))
    loss = Objective(make_encoder(*given.widths, chosen.model, 0), chosen.training.loss)(bare, bare, None)
    loss.backward()
    assert torch.isfinite(loss)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_the_encoder_sees_each_view_once(name):
    """Contexts are predicted from the same pass as the embedding; batch norm counts every pass."""
    given, chosen = problem(options()), options(training__loss__name=name, training__loss__context_weight=1.0)
    views = batch_of(given.graphs.view(np.arange(4))), batch_of(given.graphs.view(np.arange(4, 8)))
    encoder = make_encoder(*given.widths, chosen.model, 0, given.contexts)
    Objective(encoder, chosen.training.loss)(*views, None)
    assert given.contexts
    assert {int(norm.num_batches_tracked) for norm in encoder.norms} == {2}
