"""What is minimised, in PyTorch; all vectors are rows of length 1.

A relation r asks with q_r(h) = normalise(h * w_r + b_r), a factor and a shift for each dimension, and another pair of
them for its inverse: that is what gives is-a a direction. The antonym relation is a reflection, w = -1 on the few polar
dimensions and 1 elsewhere, b = 0: a word and its antonym are alike but for opposite signs there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

POLAR_EVERY = 20
"""One dimension in this many is polar: 5 %."""


def polar_columns(first: int, count: int) -> NDArray[np.bool_]:
    """Which of the columns first .. first + count - 1 are polar: the last of each twenty."""
    polar: NDArray[np.bool_] = np.arange(first, first + count) % POLAR_EVERY == POLAR_EVERY - 1
    return polar


def normalise(rows: Tensor) -> Tensor:
    """Rows (..., D) at length 1; a row of zeros stays one."""
    import torch

    return torch.nn.functional.normalize(rows, dim=-1)


def query(heads: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """What the relation asks for: heads (B, D) with its scale and shift (B, D), at length 1."""
    return normalise(heads * scale + shift)


def link_losses(
    queries: Tensor, tails: Tensor, negatives: Tensor, wrong: Tensor, has_wrong: Tensor, temperature: float
) -> Tensor:
    """Cross-entropy (B,) of each tail among shared negatives, by cosine (InfoNCE, van den Oord et al. 2018).

    Args:
        queries, tails: (B, D).
        negatives: (K, D), shared by the batch.
        wrong: (B,) cosine of one more wrong answer: the head itself, for antonymy.
        has_wrong: (B,) where it counts.
        temperature: factor on the cosine.
    """
    import torch

    right = (queries * tails).sum(1, keepdim=True)
    own = wrong.masked_fill(~has_wrong, -torch.inf)[:, None]
    scores = temperature * torch.cat([right, queries @ negatives.T, own], dim=1)
    return scores.logsumexp(1) - scores[:, 0]


def direction_losses(right: Tensor, wrong: Tensor, temperature: float) -> Tensor:
    """Logistic loss (B,) of the cosines of a pair of a directed relation, right way round against turned round."""
    import torch

    return torch.nn.functional.softplus(temperature * (wrong - right))


def taxonomy_losses(a: Tensor, b: Tensor, similarity: Tensor) -> Tensor:
    """Squared difference (P,) of cosine and the similarity that the taxonomy gives."""
    return ((a * b).sum(1) - similarity) ** 2


def opposition_losses(a: Tensor, b: Tensor, polar: Tensor, margin: float) -> Tensor:
    """How far antonyms (A, D) are from opposing on polar dimensions, and there alone.

    max(0, margin + sum over polar of a b), which has nothing to gain beyond the margin, plus the opposition on all
    other dimensions.
    """
    product = a * b
    return (margin + product[:, polar].sum(1)).clamp_min(0) + (-product[:, ~polar]).clamp_min(0).sum(1)


def polarity_losses(a: Tensor, b: Tensor, column: Tensor) -> Tensor:
    """Named axes: for pairs (A, D) that should oppose on a column (A,) each.

    The same sign costs |a| + |b|, the opposite sign earns half of that up to 1, and the squared differences elsewhere
    count half on average (the documents' selective polarity, with a bound on what can be earned).
    """
    import torch

    x, y = a.gather(1, column[:, None])[:, 0], b.gather(1, column[:, None])[:, 0]
    size = x.abs() + y.abs()
    apart = torch.where(x * y > 0, size, -0.5 * size.clamp_max(1.0))
    elsewhere = ((a - b) ** 2).sum(1) - (x - y) ** 2
    return apart + 0.5 * elsewhere / a.shape[1]


def consistency_losses(words: Tensor, column: Tensor, sign: Tensor) -> Tensor:
    """Named axes: words (W, D) with the sign that they should have on a column each (0: none).

    The right sign earns a tenth of |x|, the wrong one costs |x| + 0.1, a neutral word 2 |x|.
    """
    import torch

    x = words.gather(1, column[:, None])[:, 0]
    signed = torch.where(x * sign > 0, -0.1 * x.abs(), x.abs() + 0.1)
    return torch.where(sign == 0, 2 * x.abs(), signed)
