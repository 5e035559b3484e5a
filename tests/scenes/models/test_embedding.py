import numpy as np
import pytest

from terrarium.scenes.models.embedding import embed_graphs, encoder_weights, random_weights
from terrarium.scenes.models.graphlets import fit_counter
from tests.scenes.scenery import graphs, options, problem
from tests.scenes.trainers import make, train


def test_embeddings_have_length_one_when_normalized_and_do_not_depend_on_the_batch(tmp_path):
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
def test_the_readout_can_be_the_output(changes, width):
    trainer, _ = make(**changes)
    assert embed_graphs(trainer.weights(), graphs()).shape[1] == width


def test_graphlets_are_the_output_of_their_counter_and_the_encoder_keeps_its_readout():
    given = graphs()
    weights, chosen = make()[0].weights(), problem(options())
    assert np.array_equal(embed_graphs(weights, given), fit_counter(given, chosen.train).vectors(given))
    assert np.array_equal(embed_graphs(weights, given, np.array([5, 3])), embed_graphs(weights, given)[[5, 3]])
    readout = make(model__output="readout")[0].weights()
    assert np.array_equal(embed_graphs(encoder_weights(weights), given), embed_graphs(readout, given))
    assert encoder_weights(readout).metadata == readout.metadata


def test_without_normalization_lengths_differ():
    trainer, _ = make(model__l2_normalize=False, model__output="embedding")
    lengths = np.linalg.norm(embed_graphs(trainer.weights(), graphs()), axis=1)
    assert lengths.std() > 0.0
    assert not np.allclose(lengths, 1.0)
