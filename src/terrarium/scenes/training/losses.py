"""Losses of two sets of vectors, where row i of one and row i of the other belong together."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def nt_xent(a: Tensor, b: Tensor, temperature: float, same_scene: Tensor | None = None) -> Tensor:
    """Return the normalized temperature-scaled cross entropy with 2B - 2 negatives (SimCLR, Chen et al. 2020).

    -log( exp(<z_i, z_p> / T) / sum_{k != i} exp(<z_i, z_k> / T) ), mean over the 2B rows z of both sets, normalized to
    length 1; p is the partner of i.

    Args:
        a: first views (B, d).
        b: second views (B, d).
        temperature: T.
        same_scene: pairs that are no negatives of each other, bool (B, B); the diagonal does not matter.
    """
    count = len(a)
    z = nn.functional.normalize(torch.cat([a, b]), dim=1)
    scores = z @ z.T / temperature
    scores = scores.masked_fill(torch.eye(2 * count, dtype=torch.bool, device=a.device), -torch.inf)
    if same_scene is not None:
        excluded = same_scene & ~torch.eye(count, dtype=torch.bool, device=a.device)
        scores = scores.masked_fill(excluded.repeat(2, 2), -torch.inf)
    partner = torch.arange(2 * count, device=a.device).roll(count)
    return nn.functional.cross_entropy(scores, partner)


def info_nce(a: Tensor, b: Tensor, temperature: float, same_scene: Tensor | None = None) -> Tensor:
    """Return -log( exp(<a_i, b_i> / T) / sum_j exp(<a_i, b_j> / T) ), mean over i, rows normalized to length 1.

    Unlike `nt_xent` it has one direction and B - 1 negatives; chance is ln B. Arguments as of `nt_xent`.
    """
    scores = nn.functional.normalize(a, dim=1) @ nn.functional.normalize(b, dim=1).T / temperature
    if same_scene is not None:
        scores = scores.masked_fill(same_scene & ~torch.eye(len(a), dtype=torch.bool, device=a.device), -torch.inf)
    return nn.functional.cross_entropy(scores, torch.arange(len(a), device=a.device))
