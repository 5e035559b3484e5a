"""What influence is computed with: the checkpoints, their loss, the training triples and the options."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from torch import Tensor

from terrarium.common.arrays import BoolArray, Int64Array
from terrarium.influence.data.checkpoints import Snapshot, TrainingRun, read_snapshots
from terrarium.influence.data.retraining import Retrainer, add_trainings
from terrarium.influence.gradients.entity_sums import EntitySums
from terrarium.influence.gradients.factored import Gradients, compute_gradients
from terrarium.influence.gradients.loss_parts import (
    LossParts,
    LossSpec,
    loss_parts,
    query_parts,
    score_parts,
    training_parts,
)
from terrarium.influence.options import AttributionOptions, CheckpointOptions, ScoringOptions
from terrarium.influence.similarity.dot_products import (
    FactoredQueryGradients,
    QueryGradients,
    SummedQueryGradients,
    squared_norms,
)
from terrarium.influence.similarity.exact_preconditioner import PreconditionedQueryGradients
from terrarium.influence.similarity.factored_preconditioner import (
    PreconditionerRoots,
    precondition,
    preconditioner_roots,
)
from terrarium.influence.similarity.fisher import FisherInverse, uses_fisher
from terrarium.influence.similarity.projection import ProjectedQueryGradients, RandomProjection
from terrarium.kge.data.ancestors import is_trained
from terrarium.kge.data.graph import TRAIN, Graph, Triples
from terrarium.kge.data.queries import KnownAnswers
from terrarium.kge.models.scorer import Scorer
from terrarium.kge.options import EvaluationOptions
from terrarium.kge.training.precision import autocast_context, cast_model, resolve_precision
from terrarium.training.torch.device import resolve_device


class UnknownLayerError(ValueError):
    """A name of `influence.attribution.layers` that is no parameter of the scorer."""


@dataclass(frozen=True, eq=False)
class InfluenceContext:
    """Everything that influence is computed with. Make it with `InfluenceContext.of`.

    Attributes:
        snapshots: the checkpoints, their scorers on the device and in the precision of the options.
        training: the training that made them.
        loss_spec: the loss that was trained.
        train: (n, 3) training triples.
        is_trained: (n,) whether a training triple is in the loss; the influence of the others is 0.
        known: answers of the training triples.
        layers: names of the parameters that count.
        attribution, scoring: the options.
    """

    snapshots: Sequence[Snapshot]
    training: TrainingRun
    loss_spec: LossSpec
    train: Triples
    is_trained: BoolArray
    known: KnownAnswers
    layers: Sequence[str]
    attribution: AttributionOptions
    scoring: ScoringOptions

    @staticmethod
    def of(
        snapshots: Sequence[Snapshot],
        training: TrainingRun,
        graph: Graph,
        attribution: AttributionOptions,
        scoring: ScoringOptions,
    ) -> InfluenceContext:
        """Move the scorers to their device and collect what influence needs.

        Args:
            snapshots: scorers after some epochs of the training.
            training: options of their training.
            graph: the graph that was trained on.
            attribution: layers and gradients.
            scoring: device and precision.

        Raises:
            UnknownLayerError: a layer that the scorer does not have.
        """
        device = resolve_device(scoring.device)
        for snapshot in snapshots:
            cast_model(snapshot.scorer, scoring.precision).to(device)
        names = [name for name, _ in snapshots[0].scorer.named_parameters()]
        for name in attribution.layers:
            if name not in names:
                raise UnknownLayerError(f"the scorer has no layer {name!r}: choose from {', '.join(names)}")
        trained = is_trained(graph, training.model)
        return InfluenceContext(
            snapshots=snapshots,
            training=training,
            loss_spec=training.loss_spec(graph),
            train=graph.splits[TRAIN],
            is_trained=trained,
            known=KnownAnswers(graph.splits[TRAIN], graph.num_relations),
            layers=attribution.layers or names,
            attribution=attribution,
            scoring=scoring,
        )

    @property
    def scorer(self) -> Scorer:
        """The scorer of the last checkpoint."""
        return self.snapshots[-1].scorer

    @property
    def epochs(self) -> list[int]:
        """Distinct epochs of the checkpoints, rising."""
        return sorted({snapshot.epoch for snapshot in self.snapshots})

    @property
    def num_trainings(self) -> int:
        """Trainings that the checkpoints are of, each with the same epochs."""
        return len(self.snapshots) // len(self.epochs)

    @property
    def directions(self) -> int:
        """Parts per triple: 1, or 2 with inverse relations."""
        return self.loss_spec.directions

    @cached_property
    def projection(self) -> RandomProjection:
        """The random projection, the same at every checkpoint."""
        num_vectors = self.loss_spec.num_entities if self.sums is None else self.sums.num_vectors
        dim, seed = self.attribution.projection_dim, self.attribution.seed
        return RandomProjection(self.scorer, self.layers, dim, seed, num_vectors)

    @cached_property
    def sums(self) -> EntitySums | None:
        """What the entity embeddings are sums of, the same at every checkpoint; None for plain embeddings."""
        return EntitySums.of(self.snapshots[-1].parts, self.scorer.entity.weight)

    @cached_property
    def fisher(self) -> FisherInverse | None:
        """The inverse of the empirical Fisher matrix; None where it is not used."""
        if not uses_fisher(self.attribution, len(self.train)):
            return None
        return FisherInverse(self.attribution.damping)

    @cached_property
    def _roots(self) -> list[PreconditionerRoots | None]:
        """Of each checkpoint, the factored root of its preconditioner; None where it is not factored."""
        if self.attribution.preconditioner != "factored":
            return [None for _ in self.snapshots]
        weight = self.scorer.entity.weight
        return [
            preconditioner_roots(
                {name: d.to(weight) for name, d in snapshot.preconditioner.items()}, has_sums=self.sums is not None
            )
            for snapshot in self.snapshots
        ]

    def query_parts(self, queries: Triples) -> LossParts:
        """Return what is differentiated for query triples (T, 3), the model output function."""
        if self.attribution.output_fn == "score":
            return score_parts(queries, self.loss_spec)
        if self.attribution.output_fn == "loss":
            return loss_parts(queries, self.loss_spec)
        return query_parts(queries, self.known, self.loss_spec, self.attribution.attribution_unit)

    def training_parts(self, index: Int64Array) -> LossParts:
        """Return the parts of the loss that belong to the training triples at `index` (B,)."""
        return training_parts(self.train[index], self.known, self.loss_spec, self.attribution.attribution_unit)

    def gradients(self, checkpoint: int, parts: LossParts) -> Gradients:
        """Return gradients at a checkpoint, given by its index; preconditioned if the preconditioner is factored."""
        encoding = self._autocast() if self._encodes_in_half() else None
        gradients = compute_gradients(self.snapshots[checkpoint].scorer, parts, self.loss_spec, encoding)
        gradients = replace(gradients, sums=self.sums)
        roots = self._roots[checkpoint]
        return gradients if roots is None else precondition(gradients, roots)

    def query_gradients(self, checkpoint: int, parts: LossParts) -> QueryGradients:
        """Return the gradients of query triples in the form that the options compare them in."""
        gradients = self.gradients(checkpoint, parts)
        if self.attribution.projection_dim:
            return ProjectedQueryGradients(gradients, parts.directions, self.projection)
        if self.attribution.preconditioner == "exact":
            preconditioner = self.snapshots[checkpoint].preconditioner
            return PreconditionedQueryGradients(gradients, parts.directions, self.layers, preconditioner)
        if gradients.sums is not None:
            return SummedQueryGradients(gradients, gradients.sums, self.loss_spec.num_entities, self.layers)
        return FactoredQueryGradients(gradients, self.loss_spec.num_entities, self.layers)

    @property
    def floats_per_norm(self) -> int:
        """Approximate number of floats that the squared norm of a part's gradient needs."""
        of_embeddings = 3 * self.loss_spec.num_entities
        return of_embeddings if self.sums is None else 2 * of_embeddings + 3 * self.sums.num_vectors

    def squared_norms(self, gradients: Gradients) -> Tensor:
        """Return the squared norms (B,) of the gradients of B triples, of their projections if they are projected."""
        if self.attribution.projection_dim:
            return self.projection.project(gradients, self.directions).square().sum(1)
        return squared_norms(gradients, self.directions, self.loss_spec.num_entities, self.layers)

    def autocast(self) -> AbstractContextManager[object]:
        """Return the context manager of the precision for all products; fp16 is for the encoding of queries alone.

        Sums over entities and the weights of a preconditioner leave the range of fp16.
        """
        return nullcontext() if self._encodes_in_half() else self._autocast()

    def _encodes_in_half(self) -> bool:
        device = str(self.scorer.entity.weight.device)
        return resolve_precision(self.scoring.precision, device) == "16-mixed"

    def _autocast(self) -> AbstractContextManager[object]:
        context: AbstractContextManager[object] = autocast_context(
            self.scoring.precision, str(self.scorer.entity.weight.device)
        )
        return context


def load_context(
    graph: Graph,
    folder: Path,
    checkpoints: CheckpointOptions,
    attribution: AttributionOptions,
    scoring: ScoringOptions,
    evaluation: EvaluationOptions,
) -> InfluenceContext:
    """Return the context of a folder of checkpoints, and of further trainings if influence is averaged.

    Args:
        graph: the graph that was trained on.
        folder: folder of the checkpoints.
        checkpoints: which checkpoints to read.
        attribution: layers, gradients and preconditioner.
        scoring: device, precision and memory.
        evaluation: evaluation options of the knowledge graph, for further trainings.

    Raises:
        CheckpointError: a checkpoint is missing or damaged.
        MismatchedArtifactsError: the checkpoints are of another graph.
        UnknownLayerError: a layer that the scorer does not have.
    """
    with_preconditioner = attribution.preconditioner != "none"
    snapshots, training = read_snapshots(folder, graph, checkpoints, with_preconditioner=with_preconditioner)
    if checkpoints.num_trainings > 1:
        run = TrainingRun(training.model, training.training.model_copy(update={"device": scoring.device}))
        retrainer = Retrainer(graph, run, evaluation, max(snapshot.epoch for snapshot in snapshots))
        snapshots = add_trainings(snapshots, retrainer, checkpoints.num_trainings)
    return InfluenceContext.of(snapshots, training, graph, attribution, scoring)
