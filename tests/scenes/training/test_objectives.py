from dataclasses import replace

import numpy as np
import pytest
import torch

from terrarium.scenes.models.encoder import batch_of, make_encoder
from terrarium.scenes.training.objectives import make_objective
from tests.scenes.scenery import options, problem
from tests.scenes.trainers import make, train

OBJECTIVES = ("nt_xent", "info_nce", "vicreg", "bgrl", "masked")


@pytest.mark.parametrize("name", OBJECTIVES)
def test_every_objective_falls(tmp_path, name):
    history = train(tmp_path, 6, training__loss__name=name, training__optimizer__learning_rate=0.003).history
    assert history["loss"].iloc[-1] < history["loss"].iloc[0]
    assert np.isfinite(history.drop(columns="best").to_numpy(float)).all()


def test_a_target_moves_slowly_and_takes_no_gradient():
    trainer, _ = make(training__loss__name="bgrl")
    target = trainer.objective.objective.target
    before = [p.clone() for p in target.parameters()]
    trainer.epoch(1)
    moved = [float((p - q).abs().max()) for p, q in zip(target.parameters(), before, strict=True)]
    assert 0.0 < max(moved) < 0.05
    assert all(p.grad is None for p in target.parameters())


def losses_of(trainer, weights):
    """Loss of one batch by the weights of reconstruction and contexts; the same encoder and views."""
    batch = trainer._batch(trainer._problem.train[:8], np.random.default_rng(0))
    objective = trainer.objective.eval()
    found = []
    for name, weight in weights:
        objective.options = objective.options.model_copy(update={name: weight})
        with torch.no_grad():
            found.append(float(objective(*batch)))
    return batch, found


def test_reconstruction_is_added_with_its_weight():
    trainer, _ = make(training__loss__reconstruction_weight=1.0)
    weights = [("context_weight", 0.0), ("reconstruction_weight", 2.0), ("reconstruction_weight", 4.0)]
    (first, _, _, masked), (once, twice, four) = losses_of(trainer, weights)
    with torch.no_grad():
        error = float(trainer.objective.reconstruction(trainer.objective.encoder, first, masked))
    assert (twice - once, four - twice) == pytest.approx((error, 2 * error), rel=1e-4)
    assert error > 0.0


def test_contexts_are_added_with_their_weight_and_are_cross_entropy_of_what_is_around():
    trainer, _ = make()
    (first, second, *_), (once, thrice) = losses_of(trainer, [("context_weight", w) for w in (1.0, 3.0)])
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
    widths = given.widths
    objective = make_objective(make_encoder(*widths, chosen.model, 0), chosen.training.loss, widths, 0)
    masked = torch.ones(len(bare.x), dtype=torch.bool)
    loss = objective(bare, bare, None, masked)
    loss.backward()
    assert torch.isfinite(loss)


@pytest.mark.parametrize("name", ["nt_xent", "vicreg", "bgrl"])
def test_the_encoder_sees_each_view_once(name):
    """Contexts are predicted from the same pass as the embedding; batch norm counts every pass."""
    given, chosen = problem(options()), options(training__loss__name=name, training__loss__context_weight=1.0)
    views = batch_of(given.graphs.view(np.arange(4))), batch_of(given.graphs.view(np.arange(4, 8)))
    encoder = make_encoder(*given.widths, chosen.model, 0, given.contexts)
    objective = make_objective(encoder, chosen.training.loss, given.widths, 0)
    objective(*views, None, torch.ones(len(views[0].x), dtype=torch.bool))
    assert given.contexts
    assert {int(norm.num_batches_tracked) for norm in encoder.norms} == {2}
