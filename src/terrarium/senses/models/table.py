"""The table of trainable vectors: steps, growth and pruning, with an optimizer state that survives both."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from terrarium.common.arrays import BoolArray, Float32Array, Float64Array, Int64Array
from terrarium.senses.data.relations import ANTONYM, RELATIONS, SYMMETRIC
from terrarium.senses.models.adagrad import TINY, step_rows, step_rows_compiled
from terrarium.senses.models.operators import identity_maps, normalize, polar_columns
from terrarium.senses.models.sparsity import count_kept, largest_entries
from terrarium.senses.models.threads import run_in_threads
from terrarium.training.checkpointing.state import State

if TYPE_CHECKING:
    from torch import Tensor

_CHUNK = 16_384


class SenseTable:
    """Unit rows of synsets, offset rows of single senses, and the map of each relation.

    All are updated by Adagrad, with one accumulator per row of the table (its state does not depend on the dimension)
    and one per entry of the relations.

    Attributes:
        rows: (S + O + 1, D) dense rows; the last stays zero and serves senses without an offset.
        kept: (S, D) mask of the synsets' nonzero entries.
        maps: (2 R, 1 + D, D) of the relations and of their inverses, as in `operators`.
        polar: (D,) mask of the dimensions that antonymy reflects.
        directed: (2 R,) mask of the relations that differ from their inverses.
        block: (D,) number of the growth that added a column, in memory; zeros are chosen within each block.
    """

    def __init__(self, initial: Float32Array, offsets: int, zero_fraction: float, device: str) -> None:
        """Start from unit rows (S, D) of the synsets and `offsets` zero offsets."""
        import torch

        synsets, dim = initial.shape
        rows = torch.zeros(synsets + offsets + 1, dim)
        rows[:synsets] = torch.from_numpy(initial)
        self.synsets, self.zero_fraction = synsets, zero_fraction
        self.device = torch.device(device)
        self.rows = rows.to(self.device)
        self._row_sum = torch.zeros(len(rows), device=self.device)
        self.maps = torch.from_numpy(identity_maps(2 * len(RELATIONS), dim)).to(self.device)
        self._maps_sum = torch.zeros_like(self.maps)
        self.polar = torch.from_numpy(polar_columns(0, dim)).to(self.device)
        self.block = np.zeros(dim, np.int64)
        directed = [name not in SYMMETRIC for name in RELATIONS] * 2
        self.directed = torch.tensor(directed, device=self.device)
        self._reflect()
        self.select_entries()

    @property
    def dim(self) -> int:
        """Number of dimensions."""
        return int(self.rows.shape[1])

    @property
    def parameters(self) -> int:
        """Number of trained parameters."""
        return (len(self.rows) - 1) * self.dim + self.maps.numel()

    def select_entries(self) -> None:
        """Choose the nonzero entries of each synset again: the largest ones within each block of columns."""
        import torch

        own = self.rows[: self.synsets]
        self.kept = torch.zeros(own.shape, dtype=torch.bool, device=self.device)
        for number in np.unique(self.block):
            columns = torch.from_numpy(np.flatnonzero(self.block == number)).to(self.device)
            largest = largest_entries(own.index_select(1, columns), count_kept(len(columns), self.zero_fraction))
            self.kept.index_copy_(1, columns, largest)

    def codes(self, synset: Tensor) -> Tensor:
        """Return the sparse unit rows (B, D) of synsets (B,)."""
        return normalize(self.masked(synset))

    def all_codes(self) -> Tensor:
        """Return the sparse unit rows (S, D) of all synsets."""
        import torch

        rows = torch.arange(self.synsets, device=self.device)
        return torch.cat([self.codes(part) for part in torch.split(rows, _CHUNK)])

    def masked(self, synset: Tensor) -> Tensor:
        """Return the rows (B, D) of synsets (B,), with zeros but not normalized."""
        return self.rows.index_select(0, synset).masked_fill_(~self.kept.index_select(0, synset), 0.0)

    def offsets(self, synset: Tensor, offset: Tensor) -> Tensor:
        """Return offsets (B, D) by their rows (B,), with the zeros of their synsets (B,)."""
        return self.rows.index_select(0, offset).masked_fill_(~self.kept.index_select(0, synset), 0.0)

    def step(self, touched: Tensor, gradient: Tensor, rate: float, penalty: float, threads: int = 1) -> None:
        """Step rows against their gradients: synsets along the sphere, offsets with a penalty towards zero.

        Args:
            touched: (n,) rows, each once; may include the zero row.
            gradient: (S + O + 1, D) of the sum of the batch's losses; set to zero for the rows touched.
            rate: learning rate.
            penalty: weight of the squared length of offsets.
            threads: that share the rows on the CPU; the result does not depend on their number.
        """
        if self.device.type == "cpu":
            rows, row_sum, moved, by_row = (tensor.numpy() for tensor in (self.rows, self._row_sum, touched, gradient))

            def step_part(part: Int64Array) -> None:
                step_rows_compiled(rows, row_sum, part, by_row, self.synsets, rate, penalty)

            run_in_threads(step_part, moved, threads)
        else:
            step_rows(self.rows, self._row_sum, touched, gradient, self.synsets, rate, penalty)
        self.rows[-1] = 0.0

    def set_maps(self, maps: Float32Array) -> None:
        """Set the maps (2 R, 1 + D, D) of the relations; antonymy stays a reflection."""
        import torch

        self.maps = torch.from_numpy(maps).to(self.device)
        self._reflect()

    def step_relations(self, gradient: Tensor, rate: float) -> None:
        """Step the maps of the relations against their gradient (2 R, 1 + D, D); antonymy stays a reflection."""
        self._maps_sum += gradient.square()
        self.maps = self.maps - rate * gradient / (self._maps_sum.sqrt() + TINY)
        self._reflect()

    def grow(self, columns: Float32Array, energy: float) -> None:
        """Add columns that hold a fraction of each synset's energy; the accumulators stay, and new ones start at 0.

        A cosine moves by at most `energy` times its difference to the cosine in the new columns.

        Args:
            columns: (S, n) unit rows.
            energy: fraction of a row's squared length in the new columns, 0 to 1.
        """
        import torch

        count = columns.shape[1]
        fresh = torch.zeros(len(self.rows), count, device=self.device)
        fresh[: self.synsets] = torch.from_numpy(columns * (energy / (1 - energy)) ** 0.5).to(self.device)
        self.rows = torch.cat([self.rows, fresh], dim=1)
        self.rows[: self.synsets] = normalize(self.rows[: self.synsets])
        self.polar = torch.cat([self.polar, torch.from_numpy(polar_columns(self.dim - count, count)).to(self.device)])
        self.block = np.append(self.block, np.full(count, self.block.max() + 1))
        self.maps, self._maps_sum = (
            torch.nn.functional.pad(x, (0, count, 0, count)) for x in (self.maps, self._maps_sum)
        )
        fresh_columns = torch.arange(self.dim - count, self.dim, device=self.device)
        self.maps[:, fresh_columns + 1, fresh_columns] = 1.0
        self._reflect()
        self.select_entries()

    def prune(self, keep: BoolArray) -> None:
        """Keep the columns of a mask (D,) and normalize the rows of synsets."""
        import torch

        columns = torch.from_numpy(np.flatnonzero(keep)).to(self.device)
        self.rows = self.rows.index_select(1, columns)
        self.rows[: self.synsets] = normalize(self.rows[: self.synsets])
        self.polar, self.block = self.polar.index_select(0, columns), self.block[keep]
        map_rows = torch.cat([columns.new_zeros(1), columns + 1])
        self.maps, self._maps_sum = (
            x.index_select(1, map_rows).index_select(2, columns) for x in (self.maps, self._maps_sum)
        )
        self.select_entries()

    def column_energy(self) -> Float64Array:
        """Return the sum of squares of each column of the codes (D,), divided by its mean over the columns."""
        import torch

        energy = torch.zeros(self.dim, device=self.device, dtype=torch.float64)
        for start in range(0, self.synsets, _CHUNK):
            part = torch.arange(start, min(start + _CHUNK, self.synsets), device=self.device)
            energy += self.codes(part).square().sum(0, dtype=torch.float64)
        relative: Float64Array = (energy / energy.mean().clamp_min(1e-300)).cpu().numpy()
        return relative

    def column_density(self) -> Float64Array:
        """Return the fraction of synsets with a nonzero entry in each column (D,)."""
        density: Float64Array = self.kept.double().mean(0).cpu().numpy()
        return density

    def state(self) -> State:
        """Return all parameters and accumulators."""
        tensors = {name: getattr(self, place).cpu().numpy() for name, place in _PLACES.items()}
        return State({**tensors, "block": self.block})

    def load(self, state: State) -> None:
        """Restore what `state` returned, at its dimension."""
        import torch

        for name, place in _PLACES.items():
            setattr(self, place, torch.from_numpy(np.array(state.tensors[name])).to(self.device))
        self.block = np.array(state.tensors["block"])
        self.select_entries()

    def _reflect(self) -> None:
        for relation in (ANTONYM, ANTONYM + len(RELATIONS)):
            self.maps[relation] = 0.0
            self.maps[relation, 1:].diagonal().copy_(1.0 - 2.0 * self.polar.float())


_PLACES = {
    "rows": "rows",
    "row_sum": "_row_sum",
    "maps": "maps",
    "maps_sum": "_maps_sum",
    "polar": "polar",
}
