"""The queries of scorers and their gradients, written out: no graph of operations is recorded.

All in evaluation mode: no dropout, batch norm with its running statistics, so that rows are independent of each other.
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
    if scorer.options.name == "conve":
        return _ask_conve(cast(ConvEEncoder, scorer.encoder), head, of_relation)
    product = complex_query if scorer.options.name == "complex" else distmult_query
    return Queries(head, of_relation, product(head, of_relation))


def back(scorer: Scorer, asked: Queries, question: Tensor, slope: Tensor) -> Slopes:
    """The gradients below the queries of parts whose gradients by the query are `slope` (U, d)."""
    if scorer.options.name == "conve":
        return _back_conve(cast(ConvEEncoder, scorer.encoder), asked, question, slope)
    product = _conjugate_product if scorer.options.name == "complex" else distmult_query
    return Slopes(product(slope, asked.relation[question]), product(slope, asked.head[question]))


def _conjugate_product(slope: Tensor, other: Tensor) -> Tensor:
    """slope * conj(other) in complex numbers: the gradient of Re <slope, conj(x * other)> by x."""
    real, imaginary = other.chunk(2, dim=-1)
    return complex_query(slope, torch.cat([real, -imaginary], dim=-1))


def _ask_conve(encoder: ConvEEncoder, head: Tensor, relation: Tensor) -> Queries:
    sides = encoder.image_shape
    image = torch.cat([head.view(-1, *sides), relation.view(-1, *sides)], dim=encoder.stack_dim)
    flat_image, shown = _normed(encoder.input_norm, image)
    patches = functional.unfold(shown, encoder.convolution.kernel_size)
    offset = _gain(encoder.map_norm) * _centred_bias(encoder) + encoder.map_norm.bias
    right = (_kernels(encoder) @ patches).add_(offset[:, None]).relu_().flatten(1)
    flat_out, out = _normed(encoder.output_norm, encoder.projection(right))
    inner = {"image": flat_image, "patches": patches, "flat_out": flat_out}
    return Queries(head, relation, torch.relu(out), inner, {PROJECTION: right})


def _back_conve(encoder: ConvEEncoder, asked: Queries, question: Tensor, slope: Tensor) -> Slopes:
    """The chain rule, layer by layer from the query down to the two images.

    The convolution's maps are linear in its kernels, so the gradient by the batch norm behind it is read off the one by
    the kernels, and the maps are gone through once.
    """
    inner = asked.inner
    slope = slope * (asked.query[question] > 0)
    small = _norm_gradients("output_norm", slope, inner["flat_out"][question])
    hidden = slope * _gain(encoder.output_norm)
    small["encoder.projection.bias"] = hidden
    maps = (hidden @ encoder.projection.weight).masked_fill_((asked.right[PROJECTION] <= 0)[question], 0.0)
    maps = maps.view(len(question), encoder.convolution.out_channels, -1)
    by_kernel = maps @ inner["patches"][question].transpose(1, 2)
    small |= _map_gradients(encoder, by_kernel, maps.sum(2))
    image = functional.fold(_kernels(encoder).T @ maps, inner["image"].shape[2:], encoder.convolution.kernel_size)
    small |= _norm_gradients("input_norm", image, inner["image"][question])
    head, relation = (image * _gain(encoder.input_norm)).chunk(2, dim=encoder.stack_dim)
    return Slopes(head.flatten(1), relation.flatten(1), {PROJECTION: hidden}, small)


def _map_gradients(encoder: ConvEEncoder, by_kernel: Tensor, total: Tensor) -> dict[str, Tensor]:
    """By the convolution and its batch norm, from the slopes of its maps by patches (U, c, k) and summed (U, c)."""
    norm, gain = encoder.map_norm, _gain(encoder.map_norm)
    of_kernels = torch.einsum("uck,ck->uc", by_kernel, encoder.convolution.weight.flatten(1))
    deviation = torch.rsqrt(cast(Tensor, norm.running_var) + norm.eps)
    return {
        "encoder.map_norm.weight": (of_kernels + _centred_bias(encoder) * total) * deviation,
        "encoder.map_norm.bias": total,
        "encoder.convolution.weight": (by_kernel * gain[:, None]).flatten(1),
        "encoder.convolution.bias": total * gain,
    }


def _kernels(encoder: ConvEEncoder) -> Tensor:
    """(c, k) kernels that do what the convolution and the gain of its batch norm do."""
    return encoder.convolution.weight.flatten(1) * _gain(encoder.map_norm)[:, None]


def _centred_bias(encoder: ConvEEncoder) -> Tensor:
    """(c,) what the convolution adds, less what its batch norm takes off."""
    return cast(Tensor, encoder.convolution.bias) - cast(Tensor, encoder.map_norm.running_mean)


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
