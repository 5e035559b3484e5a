"""Memory that a training needs and may use."""

from __future__ import annotations

from terrarium.senses.data.relations import RELATIONS

PART_SIZE = 16_384
"""Links whose scores are held at once; a larger batch is computed in parts."""


class OutOfMemoryError(MemoryError):
    """A training that would not fit into memory, refused before it starts."""


def training_memory(rows: int, dim: int, batch: int, num_negatives: int) -> int:
    """Return the bytes that training a table of sense vectors takes at most.

    Rows, maps, gradient, mask and accumulators, the copy that a checkpoint writes, and the activations of a part of the
    batch with their gradients.

    Args:
        rows: of the table.
        dim: number of dimensions.
        batch: links in a batch.
        num_negatives: negatives per batch.
    """
    table, maps = rows * dim * 4, 2 * len(RELATIONS) * (dim + 1) * dim * 4
    activations = min(batch, PART_SIZE) * (10 * dim + 3 * num_negatives) * 4 * 2
    return 3 * table + 6 * maps + rows * dim + rows * 4 + activations + batch * 32


def available_memory(limit_gb: float | None) -> int:
    """Return the bytes that may be used: the limit if given, else what Linux reports as free; elsewhere no limit."""
    if limit_gb is not None:
        return int(limit_gb * 1e9)
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            fields = dict(line.split(":", 1) for line in file)
        return int(fields["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return 2**63 - 1


def format_bytes(count: int) -> str:
    """Return bytes in gigabytes, such as 1.25 GB."""
    return f"{count / 1e9:.2f} GB"
