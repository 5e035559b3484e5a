import numpy as np

from terrarium.scenes.evaluation.baselines import wl_vectors
from terrarium.scenes.graphs.weisfeiler_lehman import context_classes, node_labels
from tests.scenes.scenery import graphs_of


def test_labels_are_exact_and_tell_directions_apart():
    labels = node_labels(graphs_of("a>b", "a>b", "a=b"), 1)[1]
    assert labels.tolist() == [0, 1, 0, 1, 2, 2]


def test_the_vocabulary_is_of_training_graphs_that_share_a_label():
    """Of six graphs the fifth alone has neighbours, and the sixth is not trained on."""
    given = graphs_of("a>b", "a>b", "a>b b>c", "a>b b>c", "a=b", "a=b")
    classes, count = context_classes(given, np.arange(5))
    assert count == 3
    assert classes.tolist() == [0, 1, 0, 1, 0, 2, 1, 0, 2, 1, -1, -1, -1, -1]
    assert wl_vectors(given, 1, np.arange(5)).shape[1] == 1 + 3
