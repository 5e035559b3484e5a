"""Dot products weighted element by element: grad(z)^T D grad(z'), with D from the state of the optimizer.

Adam's steps are m / (sqrt(v) + eps) with the bias-corrected mean of squares v = s / (1 - beta^t) (Kingma and Ba 2015),
Adagrad's g / (sqrt(sum of squares) + eps) (Duchi et al. 2011); D is one over the denominator. It differs from element
to element, so that a preconditioned gradient is no product of factors. Those of the query triples are therefore written
out, (T, N, d) for the entity embeddings; those of the training triples stay factored. Where entity embeddings are sums
E = A W, D is that of own vectors W, and a gradient G by E becomes A (D o (A^T G)).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import torch
from torch import Tensor

from terrarium.influence.gradients.entity_sums import EntitySums
from terrarium.influence.gradients.factored import Gradients
from terrarium.influence.similarity.dot_products import BIAS, ENTITY, RELATION
from terrarium.kge.models.scorer import Scorer

BATCH_NORMALIZED = ("encoder.convolution.bias", "encoder.projection.bias")
"""Biases that batch norm subtracts. In training their gradients are rounding errors; D would be one over those."""


def read_preconditioner(scorer: Scorer, optimizer: Mapping[str, Any]) -> dict[str, Tensor]:
    """Return D by parameter name, from the optimizer's state dictionary; 0 for `BATCH_NORMALIZED`.

    Raises:
        KeyError: the state is neither Adam's nor Adagrad's.
    """
    group = optimizer["param_groups"][0]
    preconditioner = {}
    for number, (name, _) in enumerate(scorer.named_parameters()):
        state = optimizer["state"][number]
        if "exp_avg_sq" in state:
            squares = state["exp_avg_sq"] / (1 - group["betas"][1] ** float(state["step"]))
        else:
            squares = state["sum"]
        inverse = torch.zeros_like(squares) if name in BATCH_NORMALIZED else 1 / (squares.sqrt() + group["eps"])
        preconditioner[name] = inverse
    return preconditioner


class PreconditionedQueryGradients:
    """Gradients of the query triples, written out and multiplied by D."""

    def __init__(
        self, gradients: Gradients, directions: int, layers: Collection[str], preconditioner: Mapping[str, Tensor]
    ) -> None:
        """Take the query triples' gradients, the names of the parameters that count, and D of all parameters."""
        sums = gradients.sums
        self._num_relations = len(preconditioner[RELATION])
        self._num_entities = len(preconditioner[ENTITY]) if sums is None else sums.num_entities
        self._by_layer = {
            name: _weigh(
                part.reshape(directions, -1, *part.shape[1:]).sum(0),
                preconditioner[name].to(part),
                sums if name == ENTITY else None,
            )
            for name, part in self._write_out(gradients, set(layers)).items()
        }

    @property
    def floats_per_part(self) -> int:
        """Two rows of the widest layer for each query triple."""
        return 2 * max(part.shape[0] * part.shape[-1] for part in self._by_layer.values())

    def dot_products(self, train: Gradients, directions: int) -> Tensor:
        """Return (B, T) weighted dot products of triples."""
        factors, query = train.factors, train.query
        total = torch.zeros((), dtype=factors.entity.dtype, device=factors.entity.device)
        for name, own in self._by_layer.items():
            if name == ENTITY:
                total = total + self._entity_products(train, own)
            elif name == RELATION:
                total = total + torch.einsum("ud,tud->ut", factors.relation, own[:, train.relation])
            elif name == BIAS:
                total = total + train.scores.matmul(own.T)
            elif name in factors.left:
                by_right = torch.einsum("qm,tnm->qtn", train.queries.right[name], own)
                total = total + torch.einsum("un,utn->ut", factors.left[name], by_right[query])
            else:
                total = total + factors.dense[name] @ own.T
        return total.view(directions, -1, total.shape[1]).sum(0)

    def _entity_products(self, train: Gradients, own: Tensor) -> Tensor:
        num_queries, _, dim = own.shape
        by_scores = train.scores.matmul(own.permute(1, 0, 2).reshape(self._num_entities, num_queries * dim))
        embedding = train.queries.embedding[train.query]
        total = torch.einsum("utd,ud->ut", by_scores.view(-1, num_queries, dim), embedding)
        return total + torch.einsum("ud,tud->ut", train.factors.entity, own[:, train.entity])

    def _write_out(self, gradients: Gradients, layers: set[str]) -> dict[str, Tensor]:
        """Return the gradients (V, shape of the parameter) of V parts by parameter name."""
        factors, query = gradients.factors, gradients.query
        by_scores = gradients.scores.dense(self._num_entities)
        part = torch.arange(len(query), device=query.device)
        by_layer = {name: factors.dense[name] for name in sorted(layers & factors.dense.keys())}
        for name in sorted(layers & factors.left.keys()):
            by_layer[name] = factors.left[name][:, :, None] * gradients.queries.right[name][query][:, None, :]
        if BIAS in layers:
            by_layer[BIAS] = by_scores
        if ENTITY in layers:
            by_layer[ENTITY] = by_scores[:, :, None] * gradients.queries.embedding[query][:, None, :]
            by_layer[ENTITY][part, gradients.entity] += factors.entity
        if RELATION in layers:
            dim = factors.relation.shape[1]
            by_layer[RELATION] = factors.relation.new_zeros(len(query), self._num_relations, dim)
            by_layer[RELATION][part, gradients.relation] = factors.relation
        return by_layer


def _weigh(gradients: Tensor, weights: Tensor, sums: EntitySums | None) -> Tensor:
    """Return gradients times D, for gradients (T, ...) of a parameter and weights D of its elements.

    With sums it is A (D o (A^T G)), for gradients G (T, N, d) by embeddings and weights D (V, d) of own vectors.
    """
    if sums is None:
        return gradients * weights.reshape(gradients.shape[1:])
    num_queries, num_entities, dim = gradients.shape
    by_own = sums.collect(gradients.transpose(0, 1).reshape(num_entities, -1)).view(-1, num_queries, dim)
    by_own *= weights[:, None]
    return sums.spread(by_own.flatten(1)).view(num_entities, num_queries, dim).transpose(0, 1)
