"""The runnable pipelines: one per family, its studies, and all families by default."""

from kedro.pipeline import Pipeline

from terrarium.pipelines.claims.pipeline import create_pipeline as claims
from terrarium.pipelines.hyperbolic.association_pipeline import create_association_pipeline
from terrarium.pipelines.hyperbolic.holdout_pipelines import create_links_pipeline, create_placement_pipeline
from terrarium.pipelines.hyperbolic.pipeline import create_pipeline as hyperbolic
from terrarium.pipelines.influence.pipeline import create_pipeline as influence
from terrarium.pipelines.influence.validation_pipeline import create_validation_pipeline
from terrarium.pipelines.knowledge_graph.pipeline import create_pipeline as knowledge_graph
from terrarium.pipelines.leaderboard.pipeline import create_pipeline as leaderboard
from terrarium.pipelines.scenes.embed_pipeline import create_embed_pipeline
from terrarium.pipelines.scenes.pipeline import create_pipeline as scenes
from terrarium.pipelines.scenes.tu_pipeline import create_tu_pipeline
from terrarium.pipelines.senses.pipeline import create_pipeline as senses
from terrarium.pipelines.senses.reference_pipeline import create_reference_pipeline


def register_pipelines() -> dict[str, Pipeline]:
    """Return the pipelines by the name that `kedro run --pipelines=NAME` takes."""
    families = {
        "hyperbolic": hyperbolic(),
        "senses": senses(),
        "knowledge_graph": knowledge_graph(),
        "influence": influence(),
        "scenes": scenes(),
    }
    studies = {
        "claims": claims(),
        "hyperbolic_associations": create_association_pipeline(),
        "hyperbolic_placement": create_placement_pipeline(),
        "hyperbolic_links": create_links_pipeline(),
        "influence_validation": create_validation_pipeline(),
        "scenes_embed": create_embed_pipeline(),
        "scenes_tu": create_tu_pipeline(),
        "senses_reference": create_reference_pipeline(),
    }
    return {**families, **studies, "leaderboard": leaderboard(), "__default__": sum(families.values(), Pipeline([]))}
