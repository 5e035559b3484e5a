"""The queries of scorers and their gradients, written out: no graph of operations is recorded.

All in evaluation mode: no dropout, batch norm with its running statistics, so that rows are independent of each other.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

import torch
from torch import Tensor

from terrarium.pipelines.knowledge_graph.conve import ImageEncoder
from terrarium.pipelines.knowledge_graph.scorer import Scorer, complex_query, distmult_query


@dataclass(frozen=True, eq=False)
class Queries:
    """Q questions on their way through an encoder.

    Attributes:
        head, relation: (Q, d) vectors of what is asked.
        query: (Q, d).
        inner: what the way back needs.
        right: the right factor (Q, m) of the gradient of each matrix.
    """

    head: Tensor
    relation: Tensor
    query: Tensor
    inner: dict[str, Tensor] = field(default_factory=dict)
    right: dict[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Slopes:
    """Gradients of U parts of the loss below the query.

    Attributes:
        head, relation: (U, d) by the vectors of what is asked.
        left: the left factor (U, n) of the gradient of each matrix, which is left x right.
        small: (U, m) gradients of the small parameters, by name.
    """

    head: Tensor
    relation: Tensor
    left: dict[str, Tensor] = field(default_factory=dict)
    small: dict[str, Tensor] = field(default_factory=dict)


def ask(scorer: Scorer, entity: Tensor, relation: Tensor) -> Queries:
    """The queries of questions."""
    head, of_relation = scorer.entity.weight[entity], scorer.relation.weight[relation]
    if scorer.options.scorer == "conve":
        return _ask_conve(cast(ImageEncoder, scorer.encoder), head, of_relation)
    product = complex_query if scorer.options.scorer == "complex" else distmult_query
    return Queries(head, of_relation, product(head, of_relation))


def back(scorer: Scorer, asked: Queries, question: Tensor, slope: Tensor) -> Slopes:
    """The gradients below the queries of parts whose gradients by the query are `slope` (U, d)."""
    if scorer.options.scorer == "conve":
        return _back_conve(cast(ImageEncoder, scorer.encoder), asked, question, slope)
    product = _conjugate_product if scorer.options.scorer == "complex" else distmult_query
    return Slopes(product(slope, asked.relation[question]), product(slope, asked.head[question]))


def _conjugate_product(slope: Tensor, other: Tensor) -> Tensor:
    """slope * conj(other) in complex numbers: the gradient of Re <slope, conj(x * other)> by x."""
    real, imaginary = other.chunk(2, dim=-1)
    return complex_query(slope, torch.cat([real, -imaginary], dim=-1))


def _ask_conve(encoder: ImageEncoder, head: Tensor, relation: Tensor) -> Queries:
    sides = encoder._sides
    image = torch.cat([head.view(-1, *sides), relation.view(-1, *sides)], dim=encoder._axis)
    flat_image, shown = _normed(encoder.input_norm, image)
    flat_maps, maps = _normed(encoder.map_norm, encoder.convolution(shown))
    right = torch.relu(maps).flatten(1)
    flat_out, out = _normed(encoder.output_norm, encoder.projection(right))
    inner = {"image": flat_image, "shown": shown, "flat_maps": flat_maps, "maps": maps, "flat_out": flat_out}
    return Queries(head, relation, torch.relu(out), inner, {"encoder.projection.weight": right})


def _back_conve(encoder: ImageEncoder, asked: Queries, question: Tensor, slope: Tensor) -> Slopes:
    """The chain rule, layer by layer from the query down to the two images."""
    inner = asked.inner
    small: dict[str, Tensor] = {}
    slope = slope * (asked.query[question] > 0)
    small |= _norm_gradients("output_norm", slope, inner["flat_out"][question])
    hidden = slope * _gain(encoder.output_norm)
    small["encoder.projection.bias"] = hidden
    maps = (hidden @ encoder.projection.weight).view(-1, *inner["maps"].shape[1:])
    maps = maps * (inner["maps"] > 0)[question]
    small |= _norm_gradients("map_norm", maps, inner["flat_maps"][question])
    maps = maps * _gain(encoder.map_norm)[:, None, None]
    small["encoder.convolution.bias"] = maps.sum((2, 3))
    kernel = encoder.convolution.weight
    patches = torch.nn.functional.unfold(inner["shown"], kernel.shape[2:])
    weight = torch.einsum("ucl,ukl->uck", maps.flatten(2), patches[question])
    small["encoder.convolution.weight"] = weight.flatten(1)
    image = torch.nn.functional.conv_transpose2d(maps, kernel)
    small |= _norm_gradients("input_norm", image, inner["image"][question])
    head, relation = (image * _gain(encoder.input_norm)).chunk(2, dim=encoder._axis)
    return Slopes(head.flatten(1), relation.flatten(1), {"encoder.projection.weight": hidden}, small)


def _normed(layer: torch.nn.Module, values: Tensor) -> tuple[Tensor, Tensor]:
    """Values less mean over deviation, and that times weight plus shift, channel by channel."""
    norm = cast(torch.nn.BatchNorm1d, layer)
    mean, variance = cast(Tensor, norm.running_mean), cast(Tensor, norm.running_var)
    shape = (-1, *[1] * (values.dim() - 2))
    flat = (values - mean.view(shape)) * torch.rsqrt(variance + norm.eps).view(shape)
    return flat, flat * norm.weight.view(shape) + norm.bias.view(shape)


def _gain(layer: torch.nn.Module) -> Tensor:
    norm = cast(torch.nn.BatchNorm1d, layer)
    return norm.weight * torch.rsqrt(cast(Tensor, norm.running_var) + norm.eps)


def _norm_gradients(name: str, slope: Tensor, flat: Tensor) -> dict[str, Tensor]:
    """By weight and shift of a batch norm: sums over the places of a channel."""
    weight, shift = slope * flat, slope
    if slope.dim() > 2:
        weight, shift = weight.sum((2, 3)), shift.sum((2, 3))
    return {f"encoder.{name}.weight": weight, f"encoder.{name}.bias": shift}
