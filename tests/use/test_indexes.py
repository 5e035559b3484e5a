"""Indexes are read back by their libraries; candidates are sorted by true distance."""

import numpy as np
import pytest

from terrarium.common.names import UnknownNameError
from terrarium.hyperbolic.use.embed import embed
from terrarium.use.indexes import OpenIndex, _features, write_index

PARENTS = [(f"n{i}", f"n{(i - 1) // 4}") for i in range(1, 400)]
LIBRARIES = {"faiss": "faiss", "hnswlib": "hnswlib"}


@pytest.fixture(scope="module")
def tree():
    return embed(PARENTS, dim=6, max_radius=9.0)


@pytest.fixture(params=LIBRARIES)
def form(request):
    pytest.importorskip(LIBRARIES[request.param], reason=f"pip install 'terrarium[index]': {request.param}")
    return request.param


def names_of(tree):
    return [tree.name_of(row) for row in range(len(tree))]


def test_the_dot_product_orders_points_as_their_distance_does(tree):
    features = _features(tree.layout, "faiss")
    for row in (0, 7, 200):
        product = features.stored.astype(np.float64) @ features.asked[row].astype(np.float64)
        distance = tree.distance([tree.name_of(row)] * len(tree), names_of(tree))
        far = distance > 2.0
        order = np.argsort(-product[far], kind="stable")
        assert (np.diff(distance[far][order]) > -0.05).all()
        assert features.stored.shape == (len(tree), tree.layout.dim + 2)


def test_most_of_the_true_neighbours_are_found(tree, form, tmp_path):
    index_files = write_index(tmp_path, form, names_of(tree), tree.layout)
    assert all(file.is_file() for file in index_files)
    index = OpenIndex(tmp_path)
    assert len(index) == len(tree)
    recall = []
    for name in ("n0", "n5", "n77", "n300"):
        true = tree.nearest(name, k=10)
        found = index.nearest(name, k=10, candidates=100)
        assert found["distance"].is_monotonic_increasing
        recall.append((found["distance"].to_numpy() <= true["distance"].iloc[-1] + 1e-9).mean())
    assert np.mean(recall) > {"faiss": 0.95, "hnswlib": 0.7}[form]


def test_all_candidates_give_the_exact_answer(tree, form, tmp_path):
    write_index(tmp_path, form, names_of(tree), tree.layout)
    found = OpenIndex(tmp_path).nearest("n33", k=5, candidates=len(tree))
    np.testing.assert_allclose(found["distance"], tree.nearest("n33", k=5)["distance"], atol=1e-9)


def test_vectors_are_searched_by_cosine(form, tmp_path):
    vectors = np.random.default_rng(0).normal(size=(300, 8)).astype(np.float32)
    write_index(tmp_path, form, [str(i) for i in range(300)], vectors)
    found = OpenIndex(tmp_path).nearest("3", k=5)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    true = np.argsort(-(unit @ unit[3]), kind="stable")[1:6]
    assert found["name"].tolist() == [str(i) for i in true]
    with pytest.raises(UnknownNameError):
        OpenIndex(tmp_path).nearest("300")


def test_a_folder_without_an_index_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="has no index: write one with"):
        OpenIndex(tmp_path)
