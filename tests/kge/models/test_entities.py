import numpy as np
import torch

from terrarium.kge.data.ancestors import Ancestors
from terrarium.kge.models.entities import AncestorSum

CHAIN = Ancestors(np.array([1, 2, 2]), np.array([0, 0, 1]))
"""0 is the parent of 1, and 1 of 2; entity 3 has no parent."""


def test_an_embedding_is_the_own_vector_plus_those_of_the_ancestors():
    own = torch.arange(8.0, dtype=torch.float64).reshape(4, 2)
    expected = torch.stack([own[0], own[0] + own[1], own[0] + own[1] + own[2], own[3]])
    assert torch.equal(AncestorSum(CHAIN, 4)(own), expected)


def test_the_gradient_is_that_of_autograd():
    own = torch.randn(4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0), requires_grad=True)
    assert torch.autograd.gradcheck(AncestorSum(CHAIN, 4), own)


def test_an_entity_without_a_vector_of_its_own_has_its_parents_embedding():
    own = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    own[2] = 0
    table = AncestorSum(CHAIN, 4)(own)
    assert torch.allclose(table[2], table[1])


def test_words_have_vectors_of_their_own_behind_those_of_the_entities():
    own = torch.arange(12.0, dtype=torch.float64).reshape(6, 2).requires_grad_(True)
    words = Ancestors(np.array([0, 3, 3]), np.array([4, 1, 5]))
    made = AncestorSum(words, 4)
    expected = torch.stack([own[0] + own[4], own[1], own[2], own[3] + own[1] + own[5]])
    assert made.num_vectors == 6
    assert torch.equal(made(own), expected)
    assert torch.autograd.gradcheck(made, own)
