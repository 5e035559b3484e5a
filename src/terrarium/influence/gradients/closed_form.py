"""Query embeddings of scorers and the gradients below them, written out: autograd records nothing.

Everything is in evaluation mode: no dropout, and batch norm with its running statistics, so that rows are independent.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

import torch
from torch import Tensor
from torch.nn import functional

from terrarium.kge.models.conve import ConvEEncoder
from terrarium.kge.models.scorer import Scorer, complex_query, distmult_query

PROJECTION = "encoder.projection.weight"


@dataclass(frozen=True, eq=False)
class EncodedQueries:
    """Q queries (entity, relation) and what the encoder made of them.

    Attributes:
        entity, relation: (Q, d) their embeddings.
        embedding: (Q, d) query embeddings, which are multiplied with the entities.
        activations: tensors that the backward pass needs, by name.
        right: by parameter, the right factor (Q, m) of the gradient of each matrix.
    """

    entity: Tensor
    relation: Tensor
    embedding: Tensor
    activations: dict[str, Tensor] = field(default_factory=dict)
    right: dict[str, Tensor] = field(default_factory=dict)

    def cast(self, dtype: torch.dtype) -> EncodedQueries:
        """Return the same in another type of numbers."""
        activations, right = (
            {name: tensor.to(dtype) for name, tensor in named.items()} for named in (self.activations, self.right)
        )
        return EncodedQueries(
            self.entity.to(dtype), self.relation.to(dtype), self.embedding.to(dtype), activations, right
        )


@dataclass(frozen=True, eq=False)
class GradientFactors:
    """Gradients of P parts of the loss by what is below the query embedding.

    Attributes:
        entity, relation: (P, d) gradients by the embeddings of the query's entity and relation.
        left: by parameter, the left factor (P, n) of the gradient of each matrix, which is left x right.
        dense: by parameter, the gradients (P, m) of the small parameters.
    """

    entity: Tensor
    relation: Tensor
    left: dict[str, Tensor] = field(default_factory=dict)
    dense: dict[str, Tensor] = field(default_factory=dict)


def encode_queries(scorer: Scorer, entity: Tensor, relation: Tensor) -> EncodedQueries:
    """Return the encoded queries of entities (Q,) and relations (Q,)."""
    entities, relations = scorer.entity.weight[entity], scorer.relation.weight[relation]
    if scorer.options.name == "conve":
        return _encode_conve(cast(ConvEEncoder, scorer.encoder), entities, relations)
    product = complex_query if scorer.options.name == "complex" else distmult_query
    return EncodedQueries(entities, relations, product(entities, relations))


def backpropagate(scorer: Scorer, queries: EncodedQueries, query: Tensor, gradient: Tensor) -> GradientFactors:
    """Return the gradients below the query embedding.

    Args:
        scorer: the model that encoded the queries.
        queries: Q encoded queries.
        query: (P,) index of each part's query.
        gradient: (P, d) gradient of each part by its query embedding.
    """
    if scorer.options.name == "conve":
        return _backpropagate_conve(cast(ConvEEncoder, scorer.encoder), queries, query, gradient)
    product = _conjugate_product if scorer.options.name == "complex" else distmult_query
    return GradientFactors(product(gradient, queries.relation[query]), product(gradient, queries.entity[query]))


def _conjugate_product(gradient: Tensor, other: Tensor) -> Tensor:
    """Return gradient * conj(other) of complex numbers: the gradient of Re <gradient, conj(x * other)> by x."""
    real, imaginary = other.chunk(2, dim=-1)
    return complex_query(gradient, torch.cat([real, -imaginary], dim=-1))


def _encode_conve(encoder: ConvEEncoder, entity: Tensor, relation: Tensor) -> EncodedQueries:
    sides = encoder.image_shape
    image = torch.cat([entity.view(-1, *sides), relation.view(-1, *sides)], dim=encoder.stack_dim)
    whitened_image, scaled_image = _batch_norm(encoder.input_norm, image)
    patches = functional.unfold(scaled_image, encoder.convolution.kernel_size)
    offset = _gain(encoder.map_norm) * _centred_bias(encoder) + encoder.map_norm.bias
    right = (_scaled_kernels(encoder) @ patches).add_(offset[:, None]).relu_().flatten(1)
    whitened_output, output = _batch_norm(encoder.output_norm, encoder.projection(right))
    activations = {"image": whitened_image, "patches": patches, "output": whitened_output}
    return EncodedQueries(entity, relation, torch.relu(output), activations, {PROJECTION: right})


def _backpropagate_conve(
    encoder: ConvEEncoder, queries: EncodedQueries, query: Tensor, gradient: Tensor
) -> GradientFactors:
    """Apply the chain rule layer by layer, from the query embedding down to the two images.

    The feature maps are linear in the kernels, so the gradient by the batch norm of the maps follows from the one by
    the kernels, and the maps are needed once only.
    """
    activations = queries.activations
    gradient = gradient * (queries.embedding[query] > 0)
    dense = _batch_norm_gradients("output_norm", gradient, activations["output"][query])
    hidden = gradient * _gain(encoder.output_norm)
    dense["encoder.projection.bias"] = hidden
    maps = (hidden @ encoder.projection.weight).masked_fill_((queries.right[PROJECTION] <= 0)[query], 0.0)
    maps = maps.view(len(query), encoder.convolution.out_channels, -1)
    by_kernel = maps @ activations["patches"][query].transpose(1, 2)
    dense |= _map_gradients(encoder, by_kernel, maps.sum(2))
    image_shape = activations["image"].shape[2:]
    image = functional.fold(_scaled_kernels(encoder).T @ maps, image_shape, encoder.convolution.kernel_size)
    dense |= _batch_norm_gradients("input_norm", image, activations["image"][query])
    entity, relation = (image * _gain(encoder.input_norm)).chunk(2, dim=encoder.stack_dim)
    return GradientFactors(entity.flatten(1), relation.flatten(1), {PROJECTION: hidden}, dense)


def _map_gradients(encoder: ConvEEncoder, by_kernel: Tensor, total: Tensor) -> dict[str, Tensor]:
    """Return the gradients of the convolution and its batch norm.

    `by_kernel` (P, c, k) and `total` (P, c) are the gradients by the feature maps, times the patches and summed.
    """
    norm, gain = encoder.map_norm, _gain(encoder.map_norm)
    by_gain = torch.einsum("uck,ck->uc", by_kernel, encoder.convolution.weight.flatten(1))
    deviation = torch.rsqrt(cast(Tensor, norm.running_var) + norm.eps)
    return {
        "encoder.map_norm.weight": (by_gain + _centred_bias(encoder) * total) * deviation,
        "encoder.map_norm.bias": total,
        "encoder.convolution.weight": (by_kernel * gain[:, None]).flatten(1),
        "encoder.convolution.bias": total * gain,
    }


def _scaled_kernels(encoder: ConvEEncoder) -> Tensor:
    """Return the kernels (c, k) of the convolution followed by the gain of its batch norm."""
    return encoder.convolution.weight.flatten(1) * _gain(encoder.map_norm)[:, None]


def _centred_bias(encoder: ConvEEncoder) -> Tensor:
    """Return the bias (c,) of the convolution minus the running mean of its batch norm."""
    return cast(Tensor, encoder.convolution.bias) - cast(Tensor, encoder.map_norm.running_mean)


def _batch_norm(layer: torch.nn.Module, values: Tensor) -> tuple[Tensor, Tensor]:
    """Return the values standardised per channel, and those times weight plus bias."""
    norm = cast(torch.nn.BatchNorm1d, layer)
    mean, variance = cast(Tensor, norm.running_mean), cast(Tensor, norm.running_var)
    shape = (-1, *[1] * (values.dim() - 2))
    whitened = (values - mean.view(shape)) * torch.rsqrt(variance + norm.eps).view(shape)
    return whitened, whitened * norm.weight.view(shape) + norm.bias.view(shape)


def _gain(layer: torch.nn.Module) -> Tensor:
    """Return the factor of a batch norm: its weight over its running deviation."""
    norm = cast(torch.nn.BatchNorm1d, layer)
    return norm.weight * torch.rsqrt(cast(Tensor, norm.running_var) + norm.eps)


def _batch_norm_gradients(name: str, gradient: Tensor, whitened: Tensor) -> dict[str, Tensor]:
    """Return the gradients by weight and bias of a batch norm, summed over the positions of each channel."""
    weight, bias = gradient * whitened, gradient
    if gradient.dim() > 2:
        weight, bias = weight.sum((2, 3)), bias.sum((2, 3))
    return {f"encoder.{name}.weight": weight, f"encoder.{name}.bias": bias}
