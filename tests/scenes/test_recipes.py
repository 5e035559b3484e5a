import numpy as np
import pytest

from terrarium.scenes.training.trainer import SceneTrainer
from tests.scenes.scenery import options, problem

ENVIRONMENTS = (
    "recipes/scenes/graph_embedding_default",
    "recipes/scenes/graph_embedding_large",
    "recipes/scenes/graph_embedding_tuned",
    "recipes/scenes/graph_embedding_v2",
    "recipes/scenes/graph_embedding_v1",
)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_recipe_trains_with_its_own_settings(environment):
    """With narrower layers so that the test is short."""
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
"""Dimension, hidden, layers, batch, rate, decay, optimizer, weight decay, clipping, noise, dropped edges, temperature,
and whether there are warm-up and cosine."""


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_recipe_has_the_settings_of_its_system(environment):
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
            training.optimizer.learning_rate,
            schedule.restart_decay,
        ),
        *(
            training.optimizer.name,
            training.optimizer.weight_decay,
            training.optimizer.clip_norm,
            augmentation.node_noise,
        ),
        *(augmentation.edge_drop_prob, training.loss.temperature, schedule.cosine),
    ) == RECIPE_SETTINGS[environment]
    assert (training.loss.name, training.loss.context_weight, model.output) == ("info_nce", 0.0, "embedding")
    improved = environment == "recipes/scenes/graph_embedding_v2"
    assert (model.projection_dim == model.dim, model.l2_normalize, training.stopping.patience == 10) == (
        *(improved, improved),
        environment in ("recipes/scenes/graph_embedding_v2", "recipes/scenes/graph_embedding_v1"),
    )
