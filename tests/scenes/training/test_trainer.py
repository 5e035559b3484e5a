from dataclasses import replace

import numpy as np
import pytest
import torch

from terrarium.scenes.models.embedding import embed_graphs, random_weights
from terrarium.scenes.models.encoder import batch_of, make_encoder
from terrarium.scenes.training.objectives import make_objective
from terrarium.scenes.training.run_log import format_log
from terrarium.scenes.training.trainer import SceneTrainer
from terrarium.training.checkpointing.store import TrainingStore
from terrarium.training.fit import fit
from tests.scenes.scenery import graphs, options, problem
from tests.training.toy import same

OBJECTIVES = ("nt_xent", "info_nce", "vicreg", "bgrl", "masked")


def make(**changes):
    chosen = options(**changes)
    return SceneTrainer(problem(chosen), chosen.model, chosen.training), chosen


def train(folder, epochs=3, **changes):
    trainer, chosen = make(training__max_epochs=epochs, **changes)
    return fit(trainer, options=chosen.training, store=TrainingStore(folder), fingerprint={"data": "small"})


@pytest.mark.parametrize("name", OBJECTIVES)
def test_every_objective_falls(tmp_path, name):
    history = train(tmp_path, 6, training__objective__name=name, training__schedule__learning_rate=0.003).history
    assert history["loss"].iloc[-1] < history["loss"].iloc[0]
    assert np.isfinite(history.drop(columns="best").to_numpy(float)).all()


def test_the_same_seed_gives_the_same_bits_and_another_does_not(tmp_path):
    first, again, other = (train(tmp_path / str(i), training__seed=seed) for i, seed in enumerate((0, 0, 1)))
    assert same(first, again)
    assert not first.final.equals(other.final)


@pytest.mark.parametrize(
    "changes", [{}, {"training__objective__name": "bgrl", "training__schedule__warm_restarts": True}]
)
def test_a_resumed_training_equals_an_uninterrupted_one(tmp_path, changes):
    class Killed(Exception):
        pass

    changes |= {"training__schedule__cycle_epochs": 2, "model__dropout": 0.2}
    whole = train(tmp_path / "whole", 4, **changes)
    trainer, chosen = make(training__max_epochs=4, **changes)
    epoch = trainer.epoch

    def killed(number):
        if number == 3:
            raise Killed
        return epoch(number)

    trainer.epoch = killed
    with pytest.raises(Killed):
        fit(trainer, options=chosen.training, store=TrainingStore(tmp_path / "b"), fingerprint={"data": "small"})
    torch.manual_seed(99)
    assert same(whole, train(tmp_path / "b", 4, **changes))


def test_training_leaves_the_global_generator_alone():
    trainer, _ = make(model__dropout=0.5)
    before = torch.get_rng_state()
    trainer.epoch(1)
    assert torch.equal(before, torch.get_rng_state())


def test_gradients_are_clipped_to_the_norm():
    trainer, _ = make(training__clip_norm=0.001)
    numbers = trainer.epoch(1)
    assert numbers["gradient_norm"] > 0.001
    gradients = [p.grad for p in trainer.objective.parameters() if p.grad is not None]
    assert float(torch.stack([g.norm() for g in gradients]).norm()) <= 0.00101


def test_each_loop_has_a_new_optimiser():
    loops = {"training__schedule__warm_restarts": True, "training__schedule__cycle_epochs": 1}
    trainer, _ = make(**loops)
    trainer.epoch(1)
    steps = next(iter(trainer._optimizer.state.values()))["step"].item()
    trainer.epoch(2)
    assert next(iter(trainer._optimizer.state.values()))["step"].item() == steps


def test_a_target_moves_slowly_and_takes_no_gradient():
    trainer, _ = make(training__objective__name="bgrl")
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
    trainer, _ = make(training__objective__reconstruction_weight=1.0)
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


def test_contexts_are_learnt_and_counted_in_what_is_handed_out():
    trainer, _ = make(training__schedule__learning_rate=0.01, training__max_epochs=12)
    for epoch in range(1, 13):
        trainer.epoch(epoch)
    encoder, given = trainer.objective.encoder.eval(), trainer._problem
    batch = batch_of(given.graphs.view(given.train))
    with torch.no_grad():
        states = encoder.node_states(batch)
        expected = encoder.expected_contexts(states, batch)
        handed_out = encoder.output(batch)
    known = batch.context >= 0
    hits = encoder.context_logits(states).argmax(dim=1)[known] == batch.context[known]
    most = torch.bincount(batch.context[known]).max() / known.sum()
    assert hits.float().mean() > most + 0.1
    assert expected.sum(dim=1) == pytest.approx(torch.bincount(batch.graph).numpy(), rel=1e-4)
    assert handed_out.shape[1] == given.contexts + encoder.embedding[0].in_features
    assert handed_out.norm(dim=1).numpy() == pytest.approx(2**0.5, rel=1e-4)


def test_contexts_that_an_encoder_does_not_know_are_told():
    trainer, _ = make(training__objective__context_weight=0.0, model__output="readout")
    with pytest.raises(ValueError, match="context_weight was 0"):
        trainer.objective.encoder.context_logits([])


def test_a_context_stays_with_its_node():
    trainer, _ = make(training__augmentation__node_drop_prob=0.5, training__augmentation__temporal_positive_prob=0.0)
    given = trainer._problem
    chosen = given.train[:8]
    first, *_ = trainer._batch(chosen, np.random.default_rng(0))
    whole = given.graphs.view(chosen)
    assert len(first.x) < len(whole.x)
    pairs = {(int(graph), int(context)) for graph, context in zip(whole.graph, whole.context, strict=True)}
    assert {(int(g), int(c)) for g, c in zip(first.graph, first.context, strict=True)} <= pairs


def test_temporal_positives_take_the_graph_a_second_later():
    trainer, _ = make(training__augmentation__temporal_positive_prob=1.0)
    given = trainer._problem
    chosen = given.train[given.next_row[given.train] >= 0][:8]
    still = dict.fromkeys(("node_noise", "edge_noise", "edge_drop_prob", "node_drop_prob"), 0.0)
    augmentation = trainer._options.augmentation.model_copy(update=still)
    trainer._options = trainer._options.model_copy(update={"augmentation": augmentation})
    _, second, *_ = trainer._batch(chosen, np.random.default_rng(0))
    assert np.array_equal(second.x.numpy(), given.graphs.view(given.next_row[chosen]).x)


def test_only_the_second_view_is_changed_when_asked_for():
    trainer, _ = make(training__augmentation__apply_to="second")
    chosen = trainer._problem.train[:8]
    first, second, *_ = trainer._batch(chosen, np.random.default_rng(0))
    plain = trainer._problem.graphs.view(chosen)
    assert np.array_equal(first.x.numpy(), plain.x)
    assert second.x.shape != plain.x.shape or not np.array_equal(second.x.numpy(), plain.x)


def test_embeddings_have_length_one_when_normalised_and_do_not_depend_on_the_batch(tmp_path):
    given, weights = graphs(), train(tmp_path, model__output="embedding").best
    vectors = embed_graphs(weights, given)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
    assert np.allclose(embed_graphs(weights, given, np.array([5, 3])), vectors[[5, 3]], atol=1e-6)
    assert not np.allclose(embed_graphs(random_weights(weights, given, np.arange(50), 1), given), vectors)


@pytest.mark.parametrize(
    ("changes", "width"),
    [
        ({"model__output": "readout"}, 2 * 3 * 16),
        ({"model__output": "readout", "model__jumping_knowledge": "last"}, 3 * 16),
    ],
)
def test_the_readout_can_be_handed_out(changes, width):
    trainer, _ = make(**changes)
    assert embed_graphs(trainer.weights(), graphs()).shape[1] == width


@pytest.mark.parametrize("width", [16, 8])
def test_the_head_is_as_wide_as_asked(width):
    assert make(model__projection_dim=width)[0].objective.encoder.projection[-1].out_features == width


def test_without_normalisation_lengths_differ():
    trainer, _ = make(model__l2_normalize=False, model__output="embedding")
    lengths = np.linalg.norm(embed_graphs(trainer.weights(), graphs()), axis=1)
    assert lengths.std() > 0.0
    assert not np.allclose(lengths, 1.0)


def test_the_encoder_does_not_see_the_order_of_nodes():
    given, chosen = problem(options()), options()
    encoder = make_encoder(*given.widths, chosen.model, 0).eval()
    view = given.graphs.view(np.arange(5))
    order = np.random.default_rng(0).permutation(len(view.x))
    place = np.argsort(order)
    turned = replace(view, x=view.x[order], graph=view.graph[order], edge=place[view.edge])
    with torch.no_grad():
        assert torch.allclose(encoder(batch_of(view)), encoder(batch_of(turned)), atol=1e-5)


def test_a_layer_is_gine():
    """x' = MLP(x + sum of ReLU(neighbour + W edge)), by hand."""
    given, chosen = problem(options()), options()
    encoder = make_encoder(*given.widths, chosen.model, 0).eval()
    batch = batch_of(given.graphs.view(np.arange(5)))
    layer = encoder.convolutions[0]
    messages = torch.relu(batch.x[batch.edge_index[0]] + layer.lin(batch.edge_attr))
    summed = torch.zeros_like(batch.x).index_add_(0, batch.edge_index[1], messages)
    with torch.no_grad():
        assert torch.allclose(layer(batch.x, batch.edge_index, batch.edge_attr), layer.nn(batch.x + summed), atol=1e-5)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_graphs_without_edges_work(name):
    given, chosen = problem(options()), options(training__objective__name=name)
    view = given.graphs.view(np.arange(4))
    bare = batch_of(replace(view, edge=view.edge[:, :0], edge_x=view.edge_x[:0], pair=view.pair[:0]))
    widths = given.widths
    objective = make_objective(make_encoder(*widths, chosen.model, 0), chosen.training.objective, widths, 0)
    masked = torch.ones(len(bare.x), dtype=torch.bool)
    loss = objective(bare, bare, None, masked)
    loss.backward()
    assert torch.isfinite(loss)


@pytest.mark.parametrize("name", ["nt_xent", "vicreg", "bgrl"])
def test_the_encoder_sees_each_view_once(name):
    """Contexts are foretold from the same pass as the embedding; batch norm counts every pass."""
    given, chosen = problem(options()), options(training__objective__name=name, training__objective__context_weight=1.0)
    views = batch_of(given.graphs.view(np.arange(4))), batch_of(given.graphs.view(np.arange(4, 8)))
    encoder = make_encoder(*given.widths, chosen.model, 0, given.contexts)
    objective = make_objective(encoder, chosen.training.objective, given.widths, 0)
    objective(*views, None, torch.ones(len(views[0].x), dtype=torch.bool))
    assert given.contexts
    assert {int(norm.num_batches_tracked) for norm in encoder.norms} == {2}


def test_the_log_has_a_line_an_epoch(tmp_path):
    chosen = options()
    text = format_log(train(tmp_path).history, chosen.training)
    assert len(text.splitlines()) == 4
    for part in ("epoch 3, cycle 1", "warm-up factor 1.000", "learning rate", "patience", "best so far: saved"):
        assert part in text


ENVIRONMENTS = (
    "recipes/scenes/graph_embedding_default",
    "recipes/scenes/graph_embedding_large",
    "recipes/scenes/graph_embedding_tuned",
    "recipes/scenes/graph_embedding_v2",
    "recipes/scenes/graph_embedding_v1",
)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_recipe_trains_with_its_own_settings(environment):
    """The documents' numbers, with narrower layers so that the test is short."""
    chosen = options(environment)
    narrow = chosen.model.model_copy(update={"dim": 16, "hidden_channels": 16})
    features = options("test").features.model_copy(
        update={"standardize": chosen.features.standardize, "relation_encoding": chosen.features.relation_encoding}
    )
    given = problem(options().model_copy(update={"features": features}))
    trainer = SceneTrainer(given, narrow, chosen.training)
    numbers = trainer.epoch(1)
    assert np.isfinite(numbers["loss"])
    assert given.widths == (7, 7)
    assert trainer.weights().metadata["encoding"]["speed_mean"] == 0.0


RECIPE_SETTINGS = {
    "recipes/scenes/graph_embedding_default": (96, 256, 5, 512, 0.07, 0.75, "adam", 0.0, 0.0, 0.1, 0.0, 0.1, False),
    "recipes/scenes/graph_embedding_large": (512, 1024, 8, 256, 0.001, 0.9, "adam", 1e-6, 1.0, 0.05, 0.0, 0.1, False),
    "recipes/scenes/graph_embedding_tuned": (128, 256, 4, 256, 0.001, 0.9, "adam", 1e-6, 1.0, 0.05, 0.0, 0.1, False),
    "recipes/scenes/graph_embedding_v2": (192, 384, 5, 384, 0.0015, 0.85, "adamw", 5e-6, 2.0, 0.08, 0.1, 0.07, True),
    "recipes/scenes/graph_embedding_v1": (192, 384, 5, 384, 0.0015, 0.85, "adamw", 5e-6, 2.0, 0.08, 0.0, 0.07, True),
}
"""Dimension, hidden, layers, batch, rate, decay, optimiser, weight decay, clipping, noise, dropped edges, temperature,
and whether there are warm-up and cosine; where the document gives no number it is the original's."""


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_recipe_has_the_documents_numbers(environment):
    model, training = options(environment).model, options(environment).training
    schedule, augmentation = training.schedule, training.augmentation
    assert schedule.cosine == (schedule.warmup_epochs == 3)
    assert augmentation.edge_noise == augmentation.node_noise
    assert (
        *(
            model.dim,
            model.hidden_channels,
            model.num_layers,
            training.batch_size,
            schedule.learning_rate,
            schedule.restart_decay,
        ),
        *(training.optimizer, training.weight_decay, training.clip_norm, augmentation.node_noise),
        *(augmentation.edge_drop_prob, training.objective.temperature, schedule.cosine),
    ) == RECIPE_SETTINGS[environment]
    assert (training.objective.name, training.objective.context_weight, model.output) == ("info_nce", 0.0, "embedding")
    improved = environment == "recipes/scenes/graph_embedding_v2"
    assert (model.projection_dim == model.dim, model.l2_normalize, training.stopping.patience == 10) == (
        *(improved, improved),
        environment in ("recipes/scenes/graph_embedding_v2", "recipes/scenes/graph_embedding_v1"),
    )
