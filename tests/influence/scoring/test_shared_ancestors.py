import numpy as np

from terrarium.influence.scoring.shared_ancestors import nearest_shared_ancestors
from terrarium.kge.data.graph import Graph

# 0 is the root, 1 and 2 its children, 3 and 4 below 1, 5 below 2, 6 alone.
TREE = np.array([[1, 0, 0], [2, 0, 0], [3, 0, 1], [4, 0, 1], [5, 0, 2], [3, 1, 6]])


def shared(pairs, hierarchy=0):
    first, second = np.array(pairs).T
    return nearest_shared_ancestors(Graph(7, 2, {"train": TREE}, hierarchy), first, second).tolist()


def test_siblings_share_their_parent_and_cousins_what_is_above_it():
    assert shared([(3, 4), (3, 5), (3, 1), (1, 3)]) == [1, 0, 1, 1]


def test_there_is_none_for_strangers_for_the_entity_itself_and_without_a_hierarchy():
    assert shared([(3, 6), (3, 3)]) == [-1, -1]
    assert shared([(3, 4)], hierarchy=None) == [-1]


def test_a_cycle_ends():
    graph = Graph(3, 1, {"train": np.array([[0, 0, 1], [1, 0, 0], [2, 0, 1]])}, 0)
    assert nearest_shared_ancestors(graph, np.array([0]), np.array([2])).tolist() == [0]
