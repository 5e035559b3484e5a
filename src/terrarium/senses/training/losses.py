"""The losses of single items, in PyTorch. All vectors are rows of length 1."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def link_losses(
    queries: Tensor, tails: Tensor, negatives: Tensor, extra: Tensor, has_extra: Tensor, logit_scale: float
) -> Tensor:
    """Return the cross entropy (B,) of each tail among shared negatives (InfoNCE, van den Oord et al. 2018).

    Args:
        queries, tails: (B, D).
        negatives: (K, D), shared by the batch.
        extra: (B,) cosine of one more negative: the head itself, for antonymy.
        has_extra: (B,) mask of the rows with that negative.
        logit_scale: 1 / temperature, the factor on the cosines.
    """
    import torch

    positive = (queries * tails).sum(1, keepdim=True)
    own = extra.masked_fill(~has_extra, -torch.inf)[:, None]
    logits = logit_scale * torch.cat([positive, queries @ negatives.T, own], dim=1)
    return logits.logsumexp(1) - logits[:, 0]


def direction_losses(forward: Tensor, reverse: Tensor, logit_scale: float) -> Tensor:
    """Return the logistic loss (B,) of a directed pair's cosine (B,) against that of the reversed pair (B,)."""
    import torch

    return torch.nn.functional.softplus(logit_scale * (reverse - forward))


def taxonomy_losses(first: Tensor, second: Tensor, similarity: Tensor) -> Tensor:
    """Return the squared difference (P,) between the cosine of pairs (P, D) and their similarity (P,)."""
    return ((first * second).sum(1) - similarity) ** 2


def antonym_losses(first: Tensor, second: Tensor, polar: Tensor, margin: float) -> Tensor:
    """Return the losses of antonyms, which should oppose each other on the polar dimensions and only there.

    max(0, margin + sum over polar dimensions of a b), plus the sum of max(0, -a b) over all other dimensions.

    Args:
        first, second: unit rows, shape (A, D), of both antonyms.
        polar: mask (D,) of the polar dimensions.
        margin: product over the polar dimensions below -margin costs nothing.

    Returns:
        Losses, shape (A,).
    """
    product = first * second
    return (margin + product[:, polar].sum(1)).clamp_min(0) + (-product[:, ~polar]).clamp_min(0).sum(1)


def polarity_losses(first: Tensor, second: Tensor, column: Tensor) -> Tensor:
    """Return the loss (A,) of pairs (A, D) that should have opposite signs on their axis, a column (A,).

    Equal signs cost |a| + |b|; opposite signs earn half of it, at most 1/2; half the mean squared difference in the
    other columns is added (NAOMI-II's selective polarity loss, bounded).
    """
    import torch

    a, b = (rows.gather(1, column[:, None])[:, 0] for rows in (first, second))
    size = a.abs() + b.abs()
    on_axis = torch.where(a * b > 0, size, -0.5 * size.clamp_max(1.0))
    elsewhere = ((first - second) ** 2).sum(1) - (a - b) ** 2
    return on_axis + 0.5 * elsewhere / first.shape[1]


def consistency_losses(words: Tensor, column: Tensor, sign: Tensor) -> Tensor:
    """Return the loss (W,) of words (W, D) that should have a sign (W,; 0: neutral) on their axis, a column (W,).

    The right sign earns |x| / 10, the wrong one costs |x| + 0.1, and a neutral word costs 2 |x|.
    """
    import torch

    x = words.gather(1, column[:, None])[:, 0]
    signed = torch.where(x * sign > 0, -0.1 * x.abs(), x.abs() + 0.1)
    return torch.where(sign == 0, 2 * x.abs(), signed)
