import math

import pytest
import torch

from terrarium.scenes.training.losses import info_nce, nt_xent

A, B = (torch.randn(6, 4, generator=torch.Generator().manual_seed(i)).double() for i in (0, 1))


def test_nt_xent_is_its_formula():
    z = torch.cat([A, B])
    z = z / z.norm(dim=1, keepdim=True)
    total = 0.0
    for i in range(12):
        partner = (i + 6) % 12
        others = sum(math.exp(float(z[i] @ z[k]) / 0.5) for k in range(12) if k != i)
        total -= math.log(math.exp(float(z[i] @ z[partner]) / 0.5) / others)
    assert float(nt_xent(A, B, 0.5)) == pytest.approx(total / 12)


def test_nt_xent_is_symmetric_and_info_nce_is_not():
    assert float(nt_xent(A, B, 0.1)) == pytest.approx(float(nt_xent(B, A, 0.1)))
    assert float(info_nce(A, B, 0.1)) != pytest.approx(float(info_nce(B, A, 0.1)), abs=1e-6)


def test_chance_is_the_log_of_the_number_of_candidates():
    ones = torch.ones(8, 3)
    assert float(info_nce(ones, ones, 0.07)) == pytest.approx(math.log(8))
    assert float(nt_xent(ones, ones, 0.07)) == pytest.approx(math.log(15))


def test_graphs_of_one_scene_are_no_negatives():
    """Masking everything but the partner leaves nothing to tell apart."""
    every = torch.ones(6, 6, dtype=torch.bool)
    assert float(info_nce(A, B, 0.1, every)) == pytest.approx(0.0, abs=1e-9)
    assert float(nt_xent(A, B, 0.1, every)) == pytest.approx(0.0, abs=1e-9)
    pair = torch.eye(6, dtype=torch.bool)
    pair[0, 1] = pair[1, 0] = True
    assert float(nt_xent(A, B, 0.1, pair)) < float(nt_xent(A, B, 0.1))
