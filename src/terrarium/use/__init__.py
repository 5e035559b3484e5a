"""Open the result of a run: `terrarium.load("hyperbolic")`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

from terrarium.use.artifacts import Artifacts, MissingArtifactError

if TYPE_CHECKING:
    from terrarium.hyperbolic.use.embedding import HyperbolicEmbedding
    from terrarium.kge.evaluation.calibration import Calibration
    from terrarium.kge.use.embedding import GraphEmbedding
    from terrarium.scenes.use.embedding import SceneEmbedding
    from terrarium.senses.use.embedding import SenseEmbedding

__all__ = ["Artifacts", "MissingArtifactError", "load"]


@overload
def load(
    family: Literal["hyperbolic"],
    version: str | None = ...,
    *,
    data_root: str | Path | None = ...,
    env: str | None = ...,
    project: Path | None = ...,
) -> HyperbolicEmbedding: ...


@overload
def load(
    family: Literal["senses"],
    version: str | None = ...,
    *,
    data_root: str | Path | None = ...,
    env: str | None = ...,
    project: Path | None = ...,
) -> SenseEmbedding: ...


@overload
def load(
    family: Literal["knowledge_graph"],
    version: str | None = ...,
    *,
    data_root: str | Path | None = ...,
    env: str | None = ...,
    project: Path | None = ...,
) -> GraphEmbedding: ...


@overload
def load(
    family: Literal["scenes"],
    version: str | None = ...,
    *,
    data_root: str | Path | None = ...,
    env: str | None = ...,
    project: Path | None = ...,
) -> SceneEmbedding: ...


def load(
    family: str,
    version: str | None = None,
    *,
    data_root: str | Path | None = None,
    env: str | None = None,
    project: Path | None = None,
) -> Any:
    """Open the result of a family's run.

    Args:
        family: hyperbolic, senses, knowledge_graph or scenes.
        version: version of the vectors; None for the newest.
        data_root: folder of the artifacts; None for the project's.
        env: configuration environment.
        project: folder of the project; None for the one around the working directory.

    Raises:
        ValueError: no such family.
        MissingArtifactError: there is no project, no such version, or nothing was made yet.
    """
    if family not in _OPENERS:
        raise ValueError(f"no family {family!r}: use one of {', '.join(_OPENERS)}")
    return _OPENERS[family](Artifacts(data_root, env, project), version)


def _hyperbolic(artifacts: Artifacts, version: str | None) -> HyperbolicEmbedding:
    from terrarium.hyperbolic.data.build import hierarchy_of
    from terrarium.hyperbolic.training.weights import unpack_weights
    from terrarium.hyperbolic.use.embedding import HyperbolicEmbedding

    parts = artifacts.load("hyperbolic.weights", version, ["hyperbolic.taxa", "hyperbolic.edges"])
    tree = hierarchy_of(parts["hyperbolic.edges"])
    return HyperbolicEmbedding(parts["hyperbolic.taxa"], tree, unpack_weights(parts["hyperbolic.weights"]))


def _senses(artifacts: Artifacts, version: str | None) -> SenseEmbedding:
    from terrarium.senses.use.embedding import SenseEmbedding

    parts = artifacts.load("senses.vectors", version, ["senses.synsets"])
    return SenseEmbedding(parts["senses.vectors"], parts["senses.synsets"])


def _scenes(artifacts: Artifacts, version: str | None) -> SceneEmbedding:
    import pandas as pd

    from terrarium.scenes.use.embedding import SceneEmbedding

    parts = artifacts.load("scenes.embeddings", version, ["scenes.archetypes", "scenes.tags", "scenes.weights"])
    labels = pd.concat([parts["scenes.archetypes"], parts["scenes.tags"]], axis=1)
    return SceneEmbedding(parts["scenes.embeddings"], labels, parts["scenes.weights"])


def _knowledge_graph(artifacts: Artifacts, version: str | None) -> GraphEmbedding:
    from terrarium.kge.use.embedding import GraphEmbedding
    from terrarium.kge.use.trained import TrainedGraph
    from terrarium.use.explanations import explainer

    tables = ["triples", "entities", "relations", "checkpoints"]
    parts = artifacts.load("knowledge_graph.weights", version, [f"knowledge_graph.{name}" for name in tables])
    weights, triples, entities, relations, checkpoints = parts.values()
    calibration = _calibration(artifacts, version)
    trained = TrainedGraph.from_tables(weights, triples, entities, relations, calibration)
    influence, graph = (artifacts.parameters[name] for name in ("influence", "knowledge_graph"))
    explain = explainer(trained, checkpoints, influence, graph["evaluation"])
    return GraphEmbedding(trained, explain)


def _calibration(artifacts: Artifacts, version: str | None) -> Calibration | None:
    """Return the calibration that was made with the weights; None if their run stopped before it."""
    from terrarium.kge.evaluation.calibration import Calibration

    name = "knowledge_graph.calibration"
    try:
        return Calibration.from_metrics(artifacts.load("knowledge_graph.weights", version, [name])[name])
    except MissingArtifactError:
        return None


_OPENERS: dict[str, Callable[[Artifacts, str | None], Any]] = {
    "hyperbolic": _hyperbolic,
    "senses": _senses,
    "knowledge_graph": _knowledge_graph,
    "scenes": _scenes,
}
