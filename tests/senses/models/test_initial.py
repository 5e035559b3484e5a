import numpy as np
import pytest

from terrarium.senses.data.taxonomy import ancestor_table, build_taxonomy, information_content
from terrarium.senses.models.initial import (
    added_information,
    adjacency,
    inherited_rows,
    opposed_rows,
    random_rows,
    spectral_rows,
    varimax,
    with_polar_columns,
)
from tests.senses.data.test_taxonomy import LINKS, POS, pairs

NONE = np.zeros(0, np.int64)


@pytest.fixture
def taxonomy():
    ancestors = ancestor_table(pairs(LINKS), 6)
    return build_taxonomy(ancestors, information_content(ancestors, POS), POS)


def test_the_inherited_start_is_lin_in_expectation(taxonomy):
    rows = inherited_rows(taxonomy, NONE, NONE, 20_000, np.random.default_rng(0))
    content = taxonomy.information_content
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    assert rows[3] @ rows[4] == pytest.approx(content[1], abs=0.03)
    assert rows[3] @ rows[1] == pytest.approx(np.sqrt(content[1]), abs=0.03)
    random = random_rows(taxonomy, 20_000, np.random.default_rng(0))
    assert abs(random[3] @ random[4]) < 0.05


def test_the_first_column_says_how_general_a_synset_is(taxonomy):
    rows = inherited_rows(taxonomy, NONE, NONE, 2_000, np.random.default_rng(0), specificity=0.5)
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    leaves = taxonomy.information_content == 1
    assert (rows[leaves, 0] == 0).all()
    order = np.argsort(taxonomy.information_content[~leaves])
    assert (np.diff(rows[~leaves, 0][order]) <= 0).all()


def test_added_information_sums_to_the_whole_in_a_tree(taxonomy):
    added = added_information(taxonomy)
    assert added[3] + added[1] + added[0] == pytest.approx(taxonomy.information_content[3])


def test_varimax_finds_the_axes_of_rotated_sparse_rows():
    rng = np.random.default_rng(0)
    sparse = np.zeros((600, 4), np.float32)
    sparse[np.arange(600), rng.integers(0, 4, 600)] = rng.random(600) + 0.5
    turned = sparse @ np.linalg.qr(rng.standard_normal((4, 4)))[0].astype(np.float32)
    rotation = varimax(turned)
    assert np.allclose(rotation @ rotation.T, np.eye(4), atol=1e-4)
    found = turned @ rotation
    assert np.allclose(np.sort(found, axis=1)[:, -1], sparse.max(axis=1), atol=1e-2)  # one entry, of positive sign


def test_the_spectral_start_keeps_the_cosines_of_the_components(taxonomy):
    components = np.random.default_rng(1).standard_normal((6, 3)).astype(np.float32)
    components[2] = 0
    rows = spectral_rows(taxonomy, components, np.random.default_rng(0))
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    own = np.array([0, 1, 3, 4, 5])
    unit = components[own] / np.linalg.norm(components[own], axis=1, keepdims=True)
    assert np.allclose(rows[own] @ rows[own].T, unit @ unit.T, atol=1e-4)
    general = spectral_rows(taxonomy, components, np.random.default_rng(0), specificity=0.5)
    assert (general[taxonomy.information_content == 1, 0] == 0).all()


def symmetric(pairs, size):
    first, second = np.array(pairs).T
    return adjacency(np.append(first, second), np.append(second, first), size)


def test_antonyms_start_opposed_and_what_is_linked_to_them_follows():
    """0 and 1 are antonyms; 2 and 3 are linked to 0, 4 to 1; 5 is alone."""
    links, antonyms = symmetric([(0, 2), (0, 3), (1, 4)], 6), symmetric([(0, 1)], 6)
    rows = opposed_rows(links, antonyms, 8, np.random.default_rng(0))
    assert np.allclose(rows[0], -rows[1], atol=1e-6)
    cosine = rows @ rows.T
    assert cosine[0, 0] == pytest.approx(1)
    assert min(cosine[0, 2], cosine[1, 4], cosine[2, 3]) > 0.3
    assert cosine[2, 4] < -0.3
    assert (rows[5] == 0).all()
    polar = np.arange(10) % 5 > 0
    placed = with_polar_columns(np.float32([[1, 0]] * 6), rows, polar, 0.3)
    assert np.allclose(np.linalg.norm(placed, axis=1), 1)
    assert (placed[0, polar] ** 2).sum() == pytest.approx(0.3)
    assert (placed[5, polar] == 0).all()
