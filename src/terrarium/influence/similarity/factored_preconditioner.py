"""The optimiser's weights as a factor of a row times a factor of a column, so that weighted gradients stay factored.

Adam and Adagrad divide by sqrt(s), s the squares that their state holds. A matrix of squares is taken as
r c / m with r the means of its rows, c of its columns and m of all (Adafactor, Shazeer and Stern 2018), so the weights
D = 1 / sqrt(s) are a product too. The bias is the last column of the entities' matrix. Relations and the small
parameters keep D as it is, since their gradients are multiplied out anyway. Both sides of a dot product are multiplied
by sqrt(D); a product with itself, a cosine and a projection are weighted by the same step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from terrarium.influence.gradients.closed_form import PROJECTION
from terrarium.influence.gradients.factored import Gradients
from terrarium.influence.similarity.dot_products import BIAS, ENTITY, RELATION


@dataclass(frozen=True, eq=False)
class Roots:
    """Square roots of weights.

    Attributes:
        entity: (N,) factors of the entities' rows.
        query: (d,) factors of their columns.
        bias: () the factor of the bias, the last column.
        left, right: (n,) and (m,) factors of each matrix that is not a table of vectors, by name.
        exact: the other parameters' roots, by name, as they are.
    """

    entity: Tensor
    query: Tensor
    bias: Tensor
    left: dict[str, Tensor]
    right: dict[str, Tensor]
    exact: dict[str, Tensor]


def roots_of(weights: Mapping[str, Tensor]) -> Roots:
    """The roots of weights D, by the names of parameters."""
    table = weights[ENTITY]
    if BIAS in weights:
        table = torch.cat([table, weights[BIAS][:, None]], dim=1)
    rows, columns = factors(table)
    left, right = {}, {}
    if PROJECTION in weights:
        left[PROJECTION], right[PROJECTION] = factors(weights[PROJECTION])
    exact = {name: d.sqrt() for name, d in weights.items() if name not in {ENTITY, BIAS, PROJECTION}}
    dim = weights[ENTITY].shape[1]
    return Roots(rows, columns[:dim], columns[-1], left, right, exact)


def factors(weights: Tensor) -> tuple[Tensor, Tensor]:
    """(n,) and (m,) whose outer product is sqrt(D), from D (n, m)."""
    squares = weights.double().pow(-2)
    rows, columns = squares.mean(dim=1) / squares.mean(), squares.mean(dim=0)
    return rows.pow(-0.25).to(weights), columns.pow(-0.25).to(weights)


def weighted(gradients: Gradients, roots: Roots) -> Gradients:
    """The gradients times sqrt(D), in the same form."""
    slopes, queries = gradients.slopes, gradients.queries
    head = slopes.head * roots.query * roots.entity[gradients.entity, None]
    relation = slopes.relation * roots.exact[RELATION][gradients.relation]
    small = {name: slope * roots.exact[name].flatten() for name, slope in slopes.small.items()}
    left = {name: slope * roots.left[name] for name, slope in slopes.left.items()}
    right = {name: factor * roots.right[name] for name, factor in queries.right.items()}
    return replace(
        gradients,
        errors=gradients.errors.scaled(roots.entity),
        queries=replace(queries, query=queries.query * roots.query, right=right),
        slopes=replace(slopes, head=head, relation=relation, left=left, small=small),
        bias=gradients.bias * roots.bias,
    )
