"""ConvE (Dettmers, Minervini, Stenetorp and Riedel 2018)."""

from __future__ import annotations

import torch
from torch import Tensor

from terrarium.kge.options import ModelOptions


class ConvEEncoder(torch.nn.Module):
    """Query embedding f(vec(f([h; r] * filters)) W): fold both vectors to images, stack, convolve and flatten.

    Batch norm comes before each dropout or activation, as in the authors' program. Feature maps are dropped before the
    rectifier instead of after it: the result is the same, and the backward pass keeps one map fewer.
    """

    def __init__(self, options: ModelOptions) -> None:
        super().__init__()
        image = options.image()
        self.image_shape = (1, image.height, image.width)
        self.stack_dim = 2 if options.stack_axis == "height" else 3
        flat = options.output_channels * image.map_height * image.map_width
        self.input_norm = torch.nn.BatchNorm2d(1)
        self.input_dropout = torch.nn.Dropout(options.input_dropout)
        self.convolution = torch.nn.Conv2d(1, options.output_channels, (options.kernel_height, options.kernel_width))
        self.map_norm = torch.nn.BatchNorm2d(options.output_channels)
        self.map_dropout = torch.nn.Dropout2d(options.feature_map_dropout)
        self.projection = torch.nn.Linear(flat, options.dimension)
        self.output_dropout = torch.nn.Dropout(options.output_dropout)
        self.output_norm = torch.nn.BatchNorm1d(options.dimension)

    def forward(self, entity: Tensor, relation: Tensor) -> Tensor:
        """Return query embeddings (B, d) from embeddings of entities and relations (B, d)."""
        images = [vectors.view(-1, *self.image_shape) for vectors in (entity, relation)]
        image = self.input_dropout(self.input_norm(torch.cat(images, dim=self.stack_dim)))
        maps = torch.relu(self.map_dropout(self.map_norm(self.convolution(image))))
        hidden = self.output_dropout(self.projection(maps.flatten(1)))
        return torch.relu(self.output_norm(hidden))
