"""The optimizer's preconditioner as a row factor times a column factor, so that preconditioned gradients stay factored.

Adam and Adagrad divide by sqrt(s), with s the squares in their state. A matrix of squares is approximated by r c / m,
with r the means of its rows, c of its columns and m of all (Adafactor, Shazeer and Stern 2018), so that the
preconditioner D = 1 / sqrt(s) is a product too. The entity biases are the last column of the entity matrix. Relations
and the small parameters keep their exact D, since their gradients are written out anyway. Both sides of a dot product
are multiplied by sqrt(D), so that squared norms, cosines and projections are preconditioned in the same way. Where
entity embeddings are sums, the rows are those of own vectors, and the entity biases, which are no sums, have their
exact D.
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
class PreconditionerRoots:
    """sqrt(D).

    Attributes:
        entity: (N,) factors of the rows of the entity embeddings; with sums (V,), of own vectors.
        embedding: (d,) factors of their columns.
        bias: () factor of the entity biases, the last column; with sums (N,), exact.
        left, right: (n,) and (m,) factors of every other large matrix, by parameter name.
        exact: sqrt(D) of the other parameters, by name.
    """

    entity: Tensor
    embedding: Tensor
    bias: Tensor
    left: dict[str, Tensor]
    right: dict[str, Tensor]
    exact: dict[str, Tensor]


def preconditioner_roots(preconditioner: Mapping[str, Tensor], *, has_sums: bool) -> PreconditionerRoots:
    """Return the factored square root of a preconditioner D, given by parameter name."""
    table = preconditioner[ENTITY]
    dim = table.shape[1]
    if BIAS in preconditioner and not has_sums:
        table = torch.cat([table, preconditioner[BIAS][:, None]], dim=1)
    rows, columns = root_factors(table)
    bias = preconditioner[BIAS].sqrt() if BIAS in preconditioner and has_sums else columns[-1]
    left, right = {}, {}
    if PROJECTION in preconditioner:
        left[PROJECTION], right[PROJECTION] = root_factors(preconditioner[PROJECTION])
    exact = {name: d.sqrt() for name, d in preconditioner.items() if name not in {ENTITY, BIAS, PROJECTION}}
    return PreconditionerRoots(rows, columns[:dim], bias, left, right, exact)


def root_factors(preconditioner: Tensor) -> tuple[Tensor, Tensor]:
    """Return vectors (n,) and (m,) whose outer product approximates sqrt(D), for a matrix D (n, m)."""
    squares = preconditioner.double().pow(-2)
    rows, columns = squares.mean(dim=1) / squares.mean(), squares.mean(dim=0)
    return rows.pow(-0.25).to(preconditioner), columns.pow(-0.25).to(preconditioner)


def precondition(gradients: Gradients, roots: PreconditionerRoots) -> Gradients:
    """Return the gradients times sqrt(D), in the same form."""
    factors, queries = gradients.factors, gradients.queries
    relation = factors.relation * roots.exact[RELATION][gradients.relation]
    dense = {name: gradient * roots.exact[name].flatten() for name, gradient in factors.dense.items()}
    left = {name: factor * roots.left[name] for name, factor in factors.left.items()}
    right = {name: factor * roots.right[name] for name, factor in queries.right.items()}
    entity, scores, sums = factors.entity * roots.embedding, gradients.scores, gradients.sums
    if sums is None:
        entity, scores = entity * roots.entity[gradients.entity, None], scores.scale_entities(roots.entity)
    else:
        sums = sums.scale(roots.entity)
    return replace(
        gradients,
        scores=scores,
        queries=replace(queries, embedding=queries.embedding * roots.embedding, right=right),
        factors=replace(factors, entity=entity, relation=relation, left=left, dense=dense),
        bias_factor=gradients.bias_factor * roots.bias,
        sums=sums,
    )
