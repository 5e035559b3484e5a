"""The table of vectors: growing, pruning and stepping, with a state of the optimiser that outlives both."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from terrarium.senses.data.relations import ANTONYM, RELATIONS, SYMMETRIC
from terrarium.senses.models.sparsity import kept_entries, support
from terrarium.senses.training import kernel
from terrarium.senses.training.losses import normalise, polar_columns, query
from terrarium.training.checkpointing.state import State

if TYPE_CHECKING:
    import torch
    from torch import Tensor

_TINY = 1e-10


class SenseTable:
    """Rows of synsets at length 1, rows of offsets of single senses, and two numbers a dimension for each relation.

    All updates are Adagrad's (Duchi, Hazan and Singer 2011), with one accumulator a row of the table (so that it is
    independent of the dimension) and one an entry of the relations.

    Attributes:
        rows: (S + O + 1, D) dense rows; of them the kept entries count. The last stays zero, for senses without offset.
        kept: (S, D) which entries of the synsets are not zero.
        scale, shift: (2 R, D) of the relations and of their inverses.
        polar: (D,) dimensions that antonymy reflects.
        directed: (2 R,) relations that differ from their inverses.
        block: (D,) number of the growth that brought a column; zeros are chosen within each block.
    """

    def __init__(self, start: NDArray[np.float32], offsets: int, zeros: float, device: str) -> None:
        """Start from rows (S, D) of the synsets at length 1, and no offsets."""
        import torch

        synsets, dim = start.shape
        rows = torch.zeros(synsets + offsets + 1, dim)
        rows[:synsets] = torch.from_numpy(start)
        self.synsets, self.zeros = synsets, zeros
        self.device = torch.device(device)
        self.rows = rows.to(self.device)
        self._row_sum = torch.zeros(len(rows), device=self.device)
        self.scale = torch.ones(2 * len(RELATIONS), dim, device=self.device)
        self.shift = torch.zeros_like(self.scale)
        self._scale_sum, self._shift_sum = torch.zeros_like(self.scale), torch.zeros_like(self.scale)
        self.polar = torch.from_numpy(polar_columns(0, dim)).to(self.device)
        self.block = torch.zeros(dim, dtype=torch.int64, device=self.device)
        directed = [name not in SYMMETRIC for name in RELATIONS] * 2
        self.directed = torch.tensor(directed, device=self.device)
        self._reflect()
        self.choose()

    @property
    def dim(self) -> int:
        """Dimensions now."""
        return int(self.rows.shape[1])

    @property
    def parameters(self) -> int:
        """Numbers that are trained."""
        return (len(self.rows) - 1) * self.dim + 2 * self.scale.numel()

    def choose(self) -> None:
        """Choose the entries that are not zero anew; each block of columns has places of its own."""
        import torch

        own = self.rows[: self.synsets]
        self.kept = torch.zeros(own.shape, dtype=torch.bool, device=self.device)
        for number in range(int(self.block.max()) + 1):
            columns = self.block == number
            if bool(columns.any()):
                self.kept[:, columns] = support(own[:, columns], kept_entries(int(columns.sum()), self.zeros))

    def codes(self, synset: Tensor) -> Tensor:
        """Sparse rows (B, D) of synsets, at length 1."""
        return normalise(self.masked(synset))

    def masked(self, synset: Tensor) -> Tensor:
        """The entries (B, D) of synsets that are kept."""
        return self.rows.index_select(0, synset).masked_fill_(~self.kept.index_select(0, synset), 0.0)

    def offsets(self, synset: Tensor, offset: Tensor) -> Tensor:
        """Offsets (B, D) of senses, with zeros where their synsets have them."""
        return self.rows.index_select(0, offset).masked_fill_(~self.kept.index_select(0, synset), 0.0)

    def ask(self, heads: Tensor, relation: Tensor) -> Tensor:
        """Queries (B, D) of heads in relations; from len(RELATIONS) on, in their inverses."""
        return query(heads, self.scale.index_select(0, relation), self.shift.index_select(0, relation))

    def step(self, touched: Tensor, gradient: Tensor, rate: float, penalty: float) -> None:
        """Move rows against their gradients; synsets along the sphere, offsets with a pull to zero.

        Args:
            touched: (n,) rows, each once; the row for no offset may be among them.
            gradient: (S + O + 1, D) of the sum of the batch's losses; that of the rows touched is set to zero.
            rate: learning rate.
            penalty: of the squared length of offsets.
        """
        if self.device.type == "cpu":
            arrays = [tensor.numpy() for tensor in (self.rows, self._row_sum, touched, gradient)]
            kernel.step_rows(*[*arrays, self.synsets, rate, penalty])
        else:
            step_rows(self.rows, self._row_sum, touched, gradient, self.synsets, rate, penalty)
        self.rows[-1] = 0.0

    def step_relations(self, scale: Tensor, shift: Tensor, rate: float) -> None:
        """Move the relations' numbers against their gradients; antonymy stays a reflection."""
        self._scale_sum += scale.square()
        self._shift_sum += shift.square()
        self.scale = self.scale - rate * scale / (self._scale_sum.sqrt() + _TINY)
        self.shift = self.shift - rate * shift / (self._shift_sum.sqrt() + _TINY)
        self._reflect()

    def grow(self, columns: NDArray[np.float32], share: float) -> None:
        """Add columns that hold `share` of each synset's energy; everything else stays.

        A cosine changes by at most `share` of the difference to what the new columns say. The accumulators of the rows
        stay, those of new entries start at 0.

        Args:
            columns: (S, n) rows at length 1.
            share: 0 to 1.
        """
        import torch

        count = columns.shape[1]
        fresh = torch.zeros(len(self.rows), count, device=self.device)
        fresh[: self.synsets] = torch.from_numpy(columns * (share / (1 - share)) ** 0.5).to(self.device)
        self.rows = torch.cat([self.rows, fresh], dim=1)
        self.rows[: self.synsets] = normalise(self.rows[: self.synsets])
        self.polar = torch.cat([self.polar, torch.from_numpy(polar_columns(self.dim - count, count)).to(self.device)])
        self.block = torch.cat([self.block, (self.block.max() + 1).expand(count)])
        wide = torch.zeros(len(self.scale), count, device=self.device)
        self.scale, self.shift = torch.cat([self.scale, wide + 1], dim=1), torch.cat([self.shift, wide], dim=1)
        self._scale_sum = torch.cat([self._scale_sum, wide], dim=1)
        self._shift_sum = torch.cat([self._shift_sum, wide], dim=1)
        self._reflect()
        self.choose()

    def prune(self, keep: Tensor) -> None:
        """Keep the columns of a mask (D,); rows of synsets return to length 1."""
        self.rows = self.rows[:, keep].contiguous()
        self.rows[: self.synsets] = normalise(self.rows[: self.synsets])
        self.polar, self.block = self.polar[keep], self.block[keep]
        self.scale, self.shift = self.scale[:, keep].contiguous(), self.shift[:, keep].contiguous()
        self._scale_sum, self._shift_sum = self._scale_sum[:, keep], self._shift_sum[:, keep]
        self.choose()

    def column_energy(self) -> np.ndarray:
        """Energy of each column of the codes as a share of the mean column's: sum of squares, 1 on average."""
        import torch

        energy = torch.zeros(self.dim, device=self.device, dtype=torch.float64)
        for start in range(0, self.synsets, 16_384):
            part = torch.arange(start, min(start + 16_384, self.synsets), device=self.device)
            energy += self.codes(part).square().sum(0, dtype=torch.float64)
        shares: np.ndarray = (energy / energy.mean().clamp_min(1e-300)).cpu().numpy()
        return shares

    def column_density(self) -> np.ndarray:
        """Share of the synsets that have a number other than zero in each column."""
        shares: np.ndarray = self.kept.double().mean(0).cpu().numpy()
        return shares

    def state(self) -> State:
        """Everything, as arrays."""
        return State({name: tensor.cpu().numpy() for name, tensor in self._tensors().items()})

    def load(self, state: State) -> None:
        """Become what `state` gave, at its dimension."""
        import torch

        for name in self._tensors():
            tensor = torch.from_numpy(np.array(state.tensors[name])).to(self.device)
            setattr(self, _PLACES[name], tensor)
        self.choose()

    def _tensors(self) -> dict[str, torch.Tensor]:
        return {name: getattr(self, place) for name, place in _PLACES.items()}

    def _reflect(self) -> None:
        for relation in (ANTONYM, ANTONYM + len(RELATIONS)):
            self.scale[relation] = 1.0 - 2.0 * self.polar.float()
            self.shift[relation] = 0.0


_PLACES = {
    "rows": "rows",
    "row_sum": "_row_sum",
    "scale": "scale",
    "scale_sum": "_scale_sum",
    "shift": "shift",
    "shift_sum": "_shift_sum",
    "polar": "polar",
    "block": "block",
}


def step_rows(
    rows: Tensor, row_sum: Tensor, touched: Tensor, gradient: Tensor, synsets: int, rate: float, penalty: float
) -> None:
    """The step of `kernel.step_rows` in PyTorch: with g' = g - <g, x> x for rows on the sphere and s the sum of |g'|^2.

    x <- (x - rate / sqrt(s) g'), at length 1 on the sphere and divided by 1 + penalty rate / sqrt(s) elsewhere.
    """
    own, moved = (touched < synsets)[:, None], rows.index_select(0, touched)
    along = gradient.index_select(0, touched)
    along = along - own * (along * moved).sum(1, keepdim=True) * moved
    total = row_sum.index_select(0, touched) + along.square().sum(1)
    row_sum.index_copy_(0, touched, total)
    size = rate / (total.sqrt() + _TINY)[:, None]
    moved = moved - size * along
    moved = normalise(moved).where(own, moved / (1.0 + penalty * size))
    rows.index_copy_(0, touched, moved)
    gradient.index_fill_(0, touched, 0.0)
