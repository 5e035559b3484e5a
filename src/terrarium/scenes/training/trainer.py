"""The training of the encoder: batches of two views, and a validation with views that never change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import torch

from terrarium.scenes.evaluation.probes import cross_view_top_1
from terrarium.scenes.graphs.views import select_graphs
from terrarium.scenes.models.encoder import batch_of, make_encoder
from terrarium.scenes.options import ModelOptions, TrainingOptions
from terrarium.scenes.training.augmentations import augment_view
from terrarium.scenes.training.objectives import Objective, TrainingBatch
from terrarium.scenes.training.problem import Problem
from terrarium.scenes.training.run_log import format_log
from terrarium.scenes.training.schedule import cycle_of, learning_rate, warmup_factor
from terrarium.training.batching import split_batches, split_part
from terrarium.training.checkpointing.state import State
from terrarium.training.options import TorchOptions
from terrarium.training.torch.fabric import TorchTrainable, deterministic_algorithms
from terrarium.training.torch.processes import ALONE, World
from terrarium.training.torch.seeding import generator

OPTIMIZERS = {"adamw": torch.optim.AdamW, "adam": torch.optim.Adam}


def mean_norm(norms: list[float]) -> float:
    """Return the mean of the finite gradient norms of an epoch's steps; NaN without one.

    In 16-mixed precision, the scaler tries steps whose gradients overflow and skips them; they do not count.
    """
    finite = [norm for norm in norms if np.isfinite(norm)]
    return float(np.mean(finite)) if finite else float("nan")


class SceneTrainer(TorchTrainable):
    """An encoder and its objective as something that `fit` can train.

    Args:
        problem: graphs to train on.
        model: options of the encoder.
        training: all other options.
        world: processes, each of which trains on its graphs of every batch.
    """

    def __init__(self, problem: Problem, model: ModelOptions, training: TrainingOptions, world: World = ALONE) -> None:
        self._problem, self._model_options, self._options = problem, model, training
        self._contexts = problem.contexts if training.loss.context_weight else 0
        encoder = make_encoder(*problem.widths, model, model.seed, self._contexts)
        encoder.is_shared = world.size > 1
        self.objective = Objective(encoder, training.loss)
        self._gradient_norms: list[float] = []
        super().__init__(
            self.objective,
            self._make_optimizer,
            self._training_batches,
            self._batch_loss,
            TorchOptions(device=training.device, precision=training.precision, clip_norm=0.0),
            seed=training.seed,
            world=world,
            export=self._export_encoder,
        )
        self._optimizer.register_step_pre_hook(self._clip_gradients)
        self._fixed_batches = self._validation_batches()

    def epoch(self, epoch: int) -> dict[str, float]:
        """Train one epoch and validate.

        Returns:
            loss, items, learning_rate (of the last step), gradient_norm (see `mean_norm`, before clipping),
            validation_loss and validation_top_1 (see `cross_view_top_1`), cycle and warmup_factor.
        """
        cycle, _ = cycle_of(self._options.schedule, epoch)
        with deterministic_algorithms():
            numbers = super().epoch(epoch)
            numbers |= {
                "learning_rate": float(self._optimizer.param_groups[0]["lr"]),
                "gradient_norm": mean_norm(self._gradient_norms),
                **self._validate(),
            }
        return numbers | {"cycle": float(cycle), "warmup_factor": warmup_factor(self._options.schedule, epoch)}

    def format_log(self, history: pd.DataFrame) -> str:
        """Return one line per epoch, see `format_log` of `training.run_log`."""
        return format_log(history, self._options)

    def train_epoch(self, epoch: int) -> dict[str, float]:
        """Train one epoch in this process; a cycle starts with an optimizer that remembers nothing."""
        _, within = cycle_of(self._options.schedule, epoch)
        if self._options.schedule.warm_restarts and within == 1:
            self._optimizer.state.clear()
        self._gradient_norms = []
        return super().train_epoch(epoch)

    def _make_optimizer(self, parameters: Iterable[torch.nn.Parameter]) -> torch.optim.Optimizer:
        options = self._options.optimizer
        trained = [parameter for parameter in parameters if parameter.requires_grad]
        return OPTIMIZERS[options.name](trained, lr=options.learning_rate, weight_decay=options.weight_decay)

    def _training_batches(self, epoch: int) -> Iterator[tuple[TrainingBatch, int]]:
        """Yield the batches of an epoch, with their numbers of graphs.

        Sets the learning rate before each step. All processes draw the same views of a whole
        batch, and each keeps its graphs of them.
        """
        options = self._options
        peak, rng = options.optimizer.learning_rate, generator(options.seed, "epoch", epoch)
        batches = split_batches(rng.permutation(self._problem.train), options.batch_size, max(2, self._world.size))
        for number, rows in enumerate(batches, start=1):
            done = number / len(batches)
            for group in self._optimizer.param_groups:
                group["lr"] = learning_rate(peak, options.schedule, epoch, done, options.schedule_length)
            yield self._batch(rows, rng, self._world), len(rows)

    def _validation_batches(self) -> list[TrainingBatch]:
        rng = generator(self._options.seed, "validation")
        batches = split_batches(rng.permutation(self._problem.validation), self._options.batch_size)
        return [self._batch(rows, rng) for rows in batches]

    def _batch(self, rows: np.ndarray, rng: np.random.Generator, world: World = ALONE) -> TrainingBatch:
        """Return two views of some graphs; of these, the graphs of this process."""
        problem, options = self._problem, self._options.augmentation
        next_row = problem.next_row[rows]
        is_later = (next_row >= 0) & (rng.random(len(rows)) < options.temporal_positive_prob)
        first, second = problem.graphs.view(rows), problem.graphs.view(np.where(is_later, next_row, rows))
        if options.apply_to == "both":
            first = augment_view(first, options, rng)
        second = augment_view(second, options, rng)
        same_scene = None
        if self._options.loss.mask_same_scene:
            scene = torch.from_numpy(problem.scene[rows])
            same_scene = scene[:, None] == scene[None, :]
        if world.size > 1:
            own = split_part(np.arange(len(rows)), world.rank, world.size)
            first, second = select_graphs(first, own), select_graphs(second, own)
        return TrainingBatch(batch_of(first), batch_of(second), same_scene)

    def _batch_loss(self, model: Any, batch: tuple[TrainingBatch, int]) -> tuple[torch.Tensor, int]:
        views, num_graphs = batch
        return model(*views), num_graphs

    def _clip_gradients(self, *_: Any) -> None:
        """Clip the gradients to a joint norm of `clip_norm` and remember the norm before."""
        limit = self._options.optimizer.clip_norm or float("inf")
        self._gradient_norms.append(float(torch.nn.utils.clip_grad_norm_(self.objective.parameters(), limit)))

    @torch.no_grad()
    def _validate(self) -> dict[str, float]:
        """Return loss and cross-view top-1 of the same views in each epoch, without dropout."""
        self._model.eval()
        loss, hits, items = 0.0, 0.0, 0
        for fixed in self._fixed_batches:
            batch = self._fabric.strategy.precision.convert_input(self._fabric.to_device(fixed))
            with self._fabric.autocast():
                loss += self._model(*batch).item() * batch.first.num_graphs
                vectors = [self.objective.encoder(view).float().cpu().numpy() for view in (batch.first, batch.second)]
            hits += cross_view_top_1(*vectors) * batch.first.num_graphs
            items += batch.first.num_graphs
        return {"validation_loss": loss / items, "validation_top_1": hits / items} if items else {}

    def _export_encoder(self, _: Any) -> State:
        """Return the encoder with what is needed to use it: options, encoding, and the fingerprint of its graphs."""
        tensors = {k: v.detach().cpu().numpy().copy() for k, v in self.objective.encoder.state_dict().items()}
        if self._model_options.output == "graphlets" and self._problem.counter is not None:
            tensors |= self._problem.counter.tensors()
        model = self._model_options.model_dump(mode="json")
        return State(tensors, {"model": model, "contexts": self._contexts, **self._problem.metadata})
