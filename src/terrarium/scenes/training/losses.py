"""Losses of two sets of vectors, row i of one belonging to row i of the other; all in float32."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def nt_xent(a: Tensor, b: Tensor, temperature: float, same: Tensor | None = None) -> Tensor:
    """Symmetric normalised cross entropy with 2B - 2 negatives (Chen et al. 2020, SimCLR).

    -log( exp(<z_i, z_p>/T) / sum_{k != i} exp(<z_i, z_k>/T) ), mean over the 2B rows z of both sets, p the partner.

    Args:
        a: first views (B, d).
        b: second views (B, d).
        temperature: T.
        same: pairs (B, B) that are no negatives of each other; the diagonal does not matter.
    """
    count = len(a)
    z = nn.functional.normalize(torch.cat([a, b]), dim=1)
    scores = z @ z.T / temperature
    scores = scores.masked_fill(torch.eye(2 * count, dtype=torch.bool, device=a.device), -torch.inf)
    if same is not None:
        excluded = same & ~torch.eye(count, dtype=torch.bool, device=a.device)
        scores = scores.masked_fill(excluded.repeat(2, 2), -torch.inf)
    partner = torch.arange(2 * count, device=a.device).roll(count)
    return nn.functional.cross_entropy(scores, partner)


def info_nce(a: Tensor, b: Tensor, temperature: float, same: Tensor | None = None) -> Tensor:
    """-log( exp(<a_i, b_i>/T) / sum_j exp(<a_i, b_j>/T) ), mean over i, rows of length 1: the documents' loss.

    Arguments as of `nt_xent`; chance is ln B.
    """
    scores = nn.functional.normalize(a, dim=1) @ nn.functional.normalize(b, dim=1).T / temperature
    if same is not None:
        scores = scores.masked_fill(same & ~torch.eye(len(a), dtype=torch.bool, device=a.device), -torch.inf)
    return nn.functional.cross_entropy(scores, torch.arange(len(a), device=a.device))


def vicreg(a: Tensor, b: Tensor, invariance: float, variance: float, covariance: float) -> Tensor:
    """invariance |a - b|² / d + variance mean(max(0, 1 - std)) + covariance sum off-diagonal cov² / d.

    The last two for both sets (Bardes, Ponce and LeCun 2022, VICReg).
    """
    spread = sum(torch.relu(1.0 - torch.sqrt(z.var(dim=0) + 1e-4)).mean() for z in (a, b)) / 2
    crossed = sum(_off_diagonal(z).square().sum() / z.shape[1] for z in (a, b))
    return invariance * nn.functional.mse_loss(a, b) + variance * spread + covariance * crossed


def bootstrap(predicted: Tensor, target: Tensor) -> Tensor:
    """2 - 2 cos(predicted, target), mean over the rows (Thakoor et al. 2022, BGRL)."""
    return 2.0 - 2.0 * nn.functional.cosine_similarity(predicted, target, dim=1).mean()


def _off_diagonal(z: Tensor) -> Tensor:
    centred = z - z.mean(dim=0)
    covariance = centred.T @ centred / max(len(z) - 1, 1)
    return covariance - torch.diag(torch.diagonal(covariance))
