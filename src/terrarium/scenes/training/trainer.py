"""The training of the encoder: an epoch of batches of two views, and a validation with views that never change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from terrarium.scenes.models.encoder import GraphBatch, batch_of, make_encoder
from terrarium.scenes.options import ModelOptions, TrainingOptions
from terrarium.scenes.training.augmentations import View, changed_view
from terrarium.scenes.training.objectives import make_objective
from terrarium.scenes.training.schedule import loop_of, rate_at, warmup_factor
from terrarium.training.checkpointing.state import State
from terrarium.training.torch.fabric import clip_gradients, deterministic_algorithms, make_fabric
from terrarium.training.torch.packing import pack, unpack
from terrarium.training.torch.seeding import generator


@dataclass(frozen=True, eq=False)
class Problem:
    """Graphs to train on.

    Attributes:
        view: the graphs of some rows side by side, unchanged.
        widths: features of a node and of an edge.
        scene: number of each graph's scene (g).
        later: row of the same component a second later, or -1 (g).
        train, validation: rows of graphs; without any to validate on, nothing is validated.
        metadata: what the weights carry beside the model's options.
        contexts: classes of the views' contexts; 0 where nothing is foretold.
    """

    view: Callable[[np.ndarray], View]
    widths: tuple[int, int]
    scene: np.ndarray
    later: np.ndarray
    train: np.ndarray
    validation: np.ndarray
    metadata: dict[str, Any]
    contexts: int = 0


Batch = tuple[GraphBatch, GraphBatch, Tensor | None, Tensor]


class SceneTrainer:
    """A `Trainable`: encoder and objective, their optimiser, and the graphs."""

    def __init__(self, problem: Problem, model: ModelOptions, training: TrainingOptions) -> None:
        self._problem, self._model, self._options = problem, model, training
        self._contexts = problem.contexts if training.objective.context_weight else 0
        encoder = make_encoder(*problem.widths, model, model.seed, self._contexts)
        self.objective = make_objective(encoder, training.objective, problem.widths, model.seed)
        self._fabric = make_fabric(training)
        self._wrapped = self._fabric.setup_module(self.objective)
        self._optimizer = self._make_optimizer()
        self._stepper: Any = self._fabric.setup_optimizers(self._optimizer)
        self._fixed = self._validation_batches()

    def epoch(self, epoch: int) -> dict[str, float]:
        """Train and validate."""
        loop, within = loop_of(self._options.schedule, epoch)
        if self._options.schedule.warm_restarts and within == 1:
            self._optimizer.state.clear()
        with deterministic_algorithms(), torch.random.fork_rng():
            torch.manual_seed(int(generator(self._options.seed, "dropout", epoch).integers(2**62)))
            numbers = self._train(epoch)
            numbers |= self._validate()
        numbers |= {"loop": float(loop), "warmup_factor": warmup_factor(self._options.schedule, epoch)}
        return numbers

    def state(self) -> State:
        """Model, optimiser and gradient scaler; all else follows from the number of the epoch."""
        return pack({name: part.state_dict() for name, part in self._parts().items()})

    def load(self, state: State) -> None:
        """Become what `state` gave."""
        content = unpack(state)
        for name, part in self._parts().items():
            part.load_state_dict(content[name])

    def weights(self) -> State:
        """The encoder with what is needed to use it: its options, the statistics, and the graphs it belongs to."""
        tensors = {k: v.detach().cpu().numpy().copy() for k, v in self.objective.encoder.state_dict().items()}
        model = self._model.model_dump(mode="json")
        metadata = {"model": model, "contexts": self._contexts, **self._problem.metadata}
        return State(tensors, metadata)

    def _parts(self) -> dict[str, Any]:
        return {
            "model": self.objective,
            "optimizer": self._optimizer,
            "precision": self._fabric.strategy.precision,
        }

    def _make_optimizer(self) -> torch.optim.Optimizer:
        kinds = {"adamw": torch.optim.AdamW, "adam": torch.optim.Adam}
        trained = [p for p in self.objective.parameters() if p.requires_grad]
        options = self._options
        return kinds[options.optimizer](trained, lr=options.schedule.learning_rate, weight_decay=options.weight_decay)

    def _train(self, epoch: int) -> dict[str, float]:
        rng = generator(self._options.seed, "epoch", epoch)
        rows = _chunks(rng.permutation(self._problem.train), self._options.batch_size)
        total, norms, rate = 0.0, [], 0.0
        self._wrapped.train()
        for number, chosen in enumerate(rows):
            rate = self._set_rate(epoch, (number + 1) / len(rows))
            self._stepper.zero_grad()
            first, second, same, masked = self._fabric.to_device(self._batch(chosen, rng))
            with self._fabric.autocast():
                loss = self._wrapped(first, second, same, masked)
            self._fabric.backward(loss)
            norms.append(self._clip())
            self._stepper.step()
            self.objective.after_step((epoch - 1 + (number + 1) / len(rows)) / max(self._options.max_epochs, 1))
            total += loss.item() * len(chosen)
        items = sum(len(chosen) for chosen in rows)
        return {
            "loss": total / items,
            "items": float(items),
            "learning_rate": rate,
            "gradient_norm": float(np.mean(norms)),
        }

    def _clip(self) -> float:
        limit = self._options.clip_norm or float("inf")
        return clip_gradients(self._fabric, self.objective, self._stepper, limit)

    def _set_rate(self, epoch: int, share: float) -> float:
        rate = rate_at(self._options.schedule, epoch, share, self._options.max_epochs)
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        return rate

    @torch.no_grad()
    def _validate(self) -> dict[str, float]:
        """Loss and cross-view top-1 on the same views in each epoch, without dropout."""
        self._wrapped.eval()
        total, hits, items = 0.0, 0.0, 0
        for batch in self._fixed:
            first, second, same, masked = self._fabric.to_device(batch)
            with self._fabric.autocast():
                total += self._wrapped(first, second, same, masked).item() * first.graphs
                hits += top_1(self.objective.encoder(first), self.objective.encoder(second)) * first.graphs
            items += first.graphs
        return {"validation_loss": total / items, "validation_top_1": hits / items} if items else {}

    def _validation_batches(self) -> list[Batch]:
        rng = generator(self._options.seed, "validation")
        rows = _chunks(rng.permutation(self._problem.validation), self._options.batch_size)
        return [self._batch(chosen, rng) for chosen in rows]

    def _batch(self, chosen: np.ndarray, rng: np.random.Generator) -> Batch:
        """Two views of some graphs, who is no negative of whom, and which nodes may be hidden."""
        problem, options = self._problem, self._options.augmentation
        later = problem.later[chosen]
        moved = (later >= 0) & (rng.random(len(chosen)) < options.temporal_positive_prob)
        first, second = problem.view(chosen), problem.view(np.where(moved, later, chosen))
        if options.apply_to == "both":
            first = changed_view(first, options, rng)
        second = changed_view(second, options, rng)
        same = None
        if self._options.objective.mask_same_scene:
            scene = torch.from_numpy(problem.scene[chosen])
            same = scene[:, None] == scene[None, :]
        masked = rng.random(len(first.x)) < self._options.objective.mask_fraction
        masked[rng.integers(len(masked))] = True
        return batch_of(first), batch_of(second), same, torch.from_numpy(masked)


def top_1(a: Tensor, b: Tensor) -> float:
    """Share of rows of `a` whose nearest row of `b`, by cosine, is their own partner."""
    scores = torch.nn.functional.normalize(a.float(), dim=1) @ torch.nn.functional.normalize(b.float(), dim=1).T
    return float((scores.argmax(dim=1) == torch.arange(len(a), device=a.device)).float().mean())


def _chunks(rows: np.ndarray, size: int) -> list[np.ndarray]:
    """Batches of `size`; a last one of a single graph, which cannot be told from anything, joins the one before."""
    cuts = list(range(size, len(rows), size))
    if cuts and len(rows) - cuts[-1] < 2:
        cuts.pop()
    return np.split(rows, cuts) if len(rows) else []
