"""One interface for all models: score(h, r, t) = <query(h, r), E_t> + b_t.

An encoder makes a query embedding of head and relation; its dot product with the embedding of every entity gives the
scores. Loss, evaluation and prediction use nothing else of a model. To add one, write an encoder and choose it in
`Scorer`.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import torch
from pydantic import ValidationError
from torch import Tensor

from terrarium.kge.data.ancestors import Ancestors
from terrarium.kge.models.conve import ConvEEncoder
from terrarium.kge.models.entities import AncestorSum
from terrarium.kge.options import ModelName, ModelOptions
from terrarium.training.checkpointing.fingerprints import require_fingerprint
from terrarium.training.checkpointing.state import State
from terrarium.training.torch.seeding import seeded

FORMAT = "knowledge_graph.scorer"
"""Marks the weights of this family in their metadata."""


class WrongWeightsError(ValueError):
    """Weights of another family, or of an earlier version."""


class Scorer(torch.nn.Module):
    """Embeddings of entities and relations, an encoder of queries, and an optional bias per entity.

    While it is trained with `ancestors`, an entity's embedding is the sum of its own vector and those of its ancestors
    and of the words of its name. `fold_ancestors` gives the same model with the sums as plain embeddings; exported
    weights hold those.

    Attributes:
        entity: embeddings (N, d); with `ancestors` the own vectors of entities and of words.
        relation: embeddings (R, d), or (2R, d) with inverse relations in the second half.
        bias: shape (N,), or None.
        ancestors: what adds the vectors of ancestors and words, or None.
    """

    def __init__(
        self, options: ModelOptions, num_entities: int, num_relations: int, ancestors: Ancestors | None = None
    ) -> None:
        super().__init__()
        self.options, self.num_entities, self.num_relations = options, num_entities, num_relations
        self.ancestors = None if ancestors is None else AncestorSum(ancestors, num_entities)
        vectors = num_entities if self.ancestors is None else self.ancestors.num_vectors
        self.entity = torch.nn.Embedding(vectors, options.dimension)
        self.relation = torch.nn.Embedding(num_relations * (2 if options.inverse_relations else 1), options.dimension)
        self.bias = torch.nn.Parameter(torch.zeros(num_entities)) if options.entity_bias else None
        self.encoder = ConvEEncoder(options) if options.name == "conve" else ProductEncoder(options)
        self._initialize()

    def forward(self, entity: Tensor, relation: Tensor, table: Tensor | None = None) -> Tensor:
        """Return query embeddings (B, d) of entities (B,) and relations (B,); r + num_relations is the inverse of r.

        `table` is `entity_table()`, if the caller has it already.
        """
        table = self.entity_table() if table is None else table
        query: Tensor = self.encoder(torch.nn.functional.embedding(entity, table), self.relation(relation))
        return query

    def entity_table(self) -> Tensor:
        """Return the embeddings (N, d) of all entities."""
        return self.entity.weight if self.ancestors is None else self.ancestors(self.entity.weight)

    def fold_ancestors(self) -> Scorer:
        """Return the same model with complete embeddings in `entity`; itself without ancestors."""
        if self.ancestors is None:
            return self
        folded = copy.copy(self)
        folded._modules = dict(self._modules)
        table = self.entity_table().detach()
        folded.entity = torch.nn.Embedding(table.shape[0], table.shape[1], _weight=table)
        folded.ancestors = None
        return folded

    def _initialize(self) -> None:
        """Draw embeddings: Xavier's normal (Glorot and Bengio 2010) for ConvE as its authors do, else N(0, 0.1^2)."""
        for table in (self.entity, self.relation):
            if self.options.name == "conve":
                torch.nn.init.xavier_normal_(table.weight)
            else:
                torch.nn.init.normal_(table.weight, std=0.1)


class ProductEncoder(torch.nn.Module):
    """Query embedding of ComplEx or DistMult, with dropout before and after the product."""

    def __init__(self, options: ModelOptions) -> None:
        super().__init__()
        self._product = complex_query if options.name == "complex" else distmult_query
        self.input_dropout = torch.nn.Dropout(options.input_dropout)
        self.output_dropout = torch.nn.Dropout(options.output_dropout)

    def forward(self, entity: Tensor, relation: Tensor) -> Tensor:
        """Return query embeddings (B, d) from embeddings of entities and relations (B, d)."""
        query: Tensor = self.output_dropout(self._product(self.input_dropout(entity), self.input_dropout(relation)))
        return query


def distmult_query(entity: Tensor, relation: Tensor) -> Tensor:
    """Return h * r, so that score = sum_k h_k r_k t_k (Yang et al. 2015); all (B, d)."""
    return entity * relation


def complex_query(entity: Tensor, relation: Tensor) -> Tensor:
    """Return h * r in complex numbers, so that score = Re sum_k h_k r_k conj(t_k) (Trouillon et al. 2016); all (B, d).

    The first half of a vector is real, the second imaginary; its real dot product with t is the score.
    """
    real, imaginary = entity.chunk(2, dim=-1)
    relation_real, relation_imaginary = relation.chunk(2, dim=-1)
    return torch.cat(
        [
            real * relation_real - imaginary * relation_imaginary,
            real * relation_imaginary + imaginary * relation_real,
        ],
        dim=-1,
    )


def relation_query(head: Tensor, tail: Tensor, model: ModelName) -> Tensor:
    """Return the vectors (K, d) whose dot product with a relation's embedding is the score of (h, r, t).

    For ComplEx it is conj(h) * t in complex numbers, for DistMult h * t.

    Args:
        head, tail: embeddings (K, d).
        model: complex or distmult, whose scores are linear in the relation.
    """
    if model != "complex":
        return head * tail
    real, imaginary = head.chunk(2, dim=-1)
    return complex_query(torch.cat([real, -imaginary], dim=-1), tail)


def score_entities(query: Tensor, entity: Tensor, bias: Tensor | None) -> Tensor:
    """Return scores (B, N) of query embeddings (B, d) with entity embeddings (N, d) and their biases (N,)."""
    return torch.nn.functional.linear(query, entity, bias)


def upcast_half(values: Tensor) -> Tensor:
    """Return 16-bit values in 32 bits, which hold sums and the order of close scores; others as they are."""
    return values if values.dtype in {torch.float32, torch.float64} else values.float()


def compute_moduli(vectors: Tensor, model: ModelName) -> Tensor:
    """Return the moduli of embeddings (..., d): (..., d / 2) of complex numbers for complex, else absolute values."""
    if model != "complex":
        return vectors.abs()
    real, imaginary = vectors.chunk(2, dim=-1)
    return torch.sqrt(real.square() + imaginary.square() + 1e-30)


def build_scorer(
    options: ModelOptions, num_entities: int, num_relations: int, ancestors: Ancestors | None = None
) -> Scorer:
    """Return a new model; its parameters depend on `options.seed` alone, not on the global generator."""
    with seeded(options.seed):
        return Scorer(options, num_entities, num_relations, ancestors)


def export_scorer(scorer: Scorer, graph_fingerprint: str) -> State:
    """Return weights that describe themselves: options of the model, counts, and the fingerprint of their graph."""
    complete = scorer.fold_ancestors()
    tensors = {name: tensor.detach().cpu().numpy().copy() for name, tensor in complete.state_dict().items()}
    counts = {"entities": scorer.num_entities, "relations": scorer.num_relations}
    options = scorer.options.model_dump(mode="json")
    return State(tensors, {"format": FORMAT, "graph": graph_fingerprint, "model": options, **counts})


def load_scorer(weights: State, graph_fingerprint: str | None = None) -> Scorer:
    """Return the model of exported weights, in evaluation mode, on the CPU.

    Args:
        weights: the catalog entry `knowledge_graph.weights`.
        graph_fingerprint: of the graph at hand (`Graph.fingerprint`); None does not check.

    Raises:
        WrongWeightsError: weights of another family, or of an earlier version.
        MismatchedArtifactsError: weights of another graph.
    """
    metadata: dict[str, Any] = weights.metadata
    if metadata.get("format") != FORMAT:
        raise WrongWeightsError("these are not a scorer's weights: load the entry knowledge_graph.weights")
    if graph_fingerprint is not None:
        require_fingerprint(
            metadata["graph"],
            graph_fingerprint,
            what="the weights belong to another graph or another split than the triples at hand",
            datasets=[f"knowledge_graph.{name}" for name in ("weights", "triples", "entities", "relations")],
        )
    try:
        options = ModelOptions.model_validate(metadata["model"])
    except ValidationError as error:
        raise WrongWeightsError("these weights have option names of an earlier version: train again") from error
    scorer = build_scorer(options, metadata["entities"], metadata["relations"])
    scorer.load_state_dict({name: torch.from_numpy(np.array(array)) for name, array in weights.tensors.items()})
    return scorer.eval()
