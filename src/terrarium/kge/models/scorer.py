"""One interface for all scorers: a question (entity, relation) becomes a query, a query meets every entity.

score(h, r, t) = <query(h, r), E_t> + b_t. Loss, evaluation and prediction know nothing else of a scorer. The
functions take tensors and keep nothing, so that others can use them on weights of their own.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from terrarium.kge.models.conve import ConvEEncoder
from terrarium.kge.options import ModelOptions
from terrarium.training.checkpointing.fingerprints import require_fingerprint
from terrarium.training.checkpointing.state import State

FORMAT = "knowledge_graph.scorer"


class WrongWeightsError(ValueError):
    """Weights of another family."""


class Scorer(torch.nn.Module):
    """Tables of entities and relations, an encoder of questions, and a bias an entity if wanted.

    Attributes:
        entity: (N, d) vectors; relation: (R or 2R, d) vectors, the second half for the way back.
        bias: (N,), or None.
    """

    def __init__(self, options: ModelOptions, entities: int, relations: int) -> None:
        super().__init__()
        self.options, self.num_entities, self.num_relations = options, entities, relations
        rows = 2 * relations if options.inverse_relations else relations
        self.entity = torch.nn.Embedding(entities, options.dim)
        self.relation = torch.nn.Embedding(rows, options.dim)
        self.bias = torch.nn.Parameter(torch.zeros(entities)) if options.entity_bias else None
        self.encoder: torch.nn.Module
        if options.name == "conve":
            self.encoder = ConvEEncoder(options)
        else:
            self.encoder = ProductEncoder(options)
        self._initialise()

    def forward(self, entity: Tensor, relation: Tensor) -> Tensor:
        """(B, d) queries of B questions; relation + `relations` asks the way back."""
        return self.encoder(self.entity(entity), self.relation(relation))

    def _initialise(self) -> None:
        """Xavier's normal (Glorot 2010) for ConvE, as in its authors' program; small normal numbers for products."""
        for table in (self.entity, self.relation):
            if self.options.name == "conve":
                torch.nn.init.xavier_normal_(table.weight)
            else:
                torch.nn.init.normal_(table.weight, std=0.1)


class ProductEncoder(torch.nn.Module):
    """The query of ComplEx or DistMult, with dropout before and after."""

    def __init__(self, options: ModelOptions) -> None:
        super().__init__()
        self._product = complex_query if options.name == "complex" else distmult_query
        self.input_dropout = torch.nn.Dropout(options.input_dropout)
        self.output_dropout = torch.nn.Dropout(options.output_dropout)

    def forward(self, entity: Tensor, relation: Tensor) -> Tensor:
        """(B, d) from (B, d) entities and relations."""
        return self.output_dropout(self._product(self.input_dropout(entity), self.input_dropout(relation)))


def distmult_query(entity: Tensor, relation: Tensor) -> Tensor:
    """h * r, so that score = sum_k h_k r_k t_k (Yang 2015)."""
    return entity * relation


def complex_query(entity: Tensor, relation: Tensor) -> Tensor:
    """h * r in complex numbers, so that score = Re sum_k h_k r_k conj(t_k) (Trouillon 2016).

    A vector's first half is real, its second imaginary; the real product with t's halves is the score.
    """
    real, imaginary = entity.chunk(2, dim=-1)
    real_r, imaginary_r = relation.chunk(2, dim=-1)
    return torch.cat([real * real_r - imaginary * imaginary_r, real * imaginary_r + imaginary * real_r], dim=-1)


def score_entities(query: Tensor, entity: Tensor, bias: Tensor | None) -> Tensor:
    """(B, N) scores of B queries with N entities."""
    return torch.nn.functional.linear(query, entity, bias)


def upcast_half(values: Tensor) -> Tensor:
    """Half precision holds a number, but neither a sum of many nor the order of close ones."""
    return values if values.dtype in {torch.float32, torch.float64} else values.float()


def compute_moduli(vectors: Tensor, scorer: str) -> Tensor:
    """(..., d) or (..., d/2) moduli: of complex numbers for complex, else of the numbers themselves."""
    if scorer != "complex":
        return vectors.abs()
    real, imaginary = vectors.chunk(2, dim=-1)
    return torch.sqrt(real.square() + imaginary.square() + 1e-30)


def build_scorer(options: ModelOptions, entities: int, relations: int) -> Scorer:
    """A new scorer; its numbers depend on `options.seed` alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(options.seed)
        return Scorer(options, entities, relations)


def export_scorer(scorer: Scorer, graph: str) -> State:
    """Weights that describe themselves: all options of the model, the counts, and the graph they belong to."""
    tensors = {name: tensor.detach().cpu().numpy().copy() for name, tensor in scorer.state_dict().items()}
    counts = {"entities": scorer.num_entities, "relations": scorer.num_relations}
    options = scorer.options.model_dump(mode="json")
    return State(tensors, {"format": FORMAT, "graph": graph, "model": options, **counts})


def load_scorer(weights: State, graph: str | None = None) -> Scorer:
    """The scorer of exported weights, ready to be asked.

    Raises:
        WrongWeightsError: weights of another family.
        MismatchedArtifactsError: weights of another graph than that with the fingerprint `graph`.
    """
    found: dict[str, Any] = weights.metadata
    if found.get("format") != FORMAT:
        raise WrongWeightsError("these are not a scorer's weights: load the entry knowledge_graph.weights")
    if graph is not None:
        require_fingerprint(
            found["graph"],
            graph,
            what="the weights belong to another graph or another split than the triples at hand",
            datasets=[f"knowledge_graph.{name}" for name in ("weights", "triples", "entities", "relations")],
        )
    scorer = Scorer(ModelOptions.model_validate(found["model"]), found["entities"], found["relations"])
    scorer.load_state_dict({name: torch.from_numpy(np.array(array)) for name, array in weights.tensors.items()})
    return scorer.eval()
