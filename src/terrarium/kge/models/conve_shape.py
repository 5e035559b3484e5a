"""How ConvE folds a vector to an image."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class ImageShape:
    """One vector's image, and the shape of the map that the filters leave of two joined ones."""

    height: int
    width: int
    map_height: int
    map_width: int


def image_shape(dim: int, wanted: tuple[int | None, int | None], stack: str, kernel: tuple[int, int]) -> ImageShape:
    """The image of a vector of `dim` numbers; sides that are not given follow the dimension, as square as may be.

    Raises:
        ValueError: height times width is not the dimension, or the kernel is larger than the joined images.
    """
    height, width = _sides(dim, *wanted)
    joined = (2 * height, width) if stack == "height" else (height, 2 * width)
    rows, columns = joined[0] - kernel[0] + 1, joined[1] - kernel[1] + 1
    if rows < 1 or columns < 1:
        raise ValueError(
            f"the kernel {kernel[0]} x {kernel[1]} is larger than the joined images, {joined[0]} x {joined[1]}: "
            "lower kernel_height and kernel_width or choose other sides"
        )
    return ImageShape(height, width, rows, columns)


def _sides(dim: int, height: int | None, width: int | None) -> tuple[int, int]:
    if height is None and width is None:
        height = max(side for side in range(1, math.isqrt(dim) + 1) if dim % side == 0)
    height = height or dim // (width or 1)
    width = width or dim // height
    if height * width != dim:
        raise ValueError(
            f"embedding_height {height} x embedding_width {width} is {height * width}, not dim {dim}: change one, or "
            "set both to null, and they follow dim"
        )
    return height, width
