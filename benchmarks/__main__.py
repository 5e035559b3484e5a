"""Run the short benchmarks or those named: python -m benchmarks [NAME ...]; `list` prints the names."""

import sys

from benchmarks import (
    associations,
    commands,
    evaluation,
    faults,
    fuzz,
    hyperbolic_layouts,
    influence,
    ingestion,
    knowledge_graph,
    knowledge_graph_memory,
    knowledge_graph_peers,
    new_entities,
    objectives,
    optimisations,
    peers,
    placement,
    radii,
    recipes,
    same_bits,
    scale,
    scenes,
    scenes_gaps,
    scenes_graphlets,
    scenes_path_limits,
    senses,
    senses_growth,
    senses_quality,
    throughput,
)

BENCHMARKS = {
    "associations": associations.main,
    "associations_all": associations.everything,
    "commands": commands.main,
    "evaluation": evaluation.main,
    "faults_bits": faults.bits,
    "faults_kills": faults.kills,
    "frontier": objectives.frontier,
    "hyperbolic_clades": hyperbolic_layouts.clades,
    "hyperbolic_trees": hyperbolic_layouts.trees,
    "hyperbolic_whole": hyperbolic_layouts.whole,
    "hyperbolic_wordnet_caps": hyperbolic_layouts.wordnet,
    "fuzz": fuzz.main,
    "influence": influence.main,
    "influence_large": influence.large,
    "influence_switches": influence.switches,
    "influence_validation": influence.validation,
    "ingestion": ingestion.main,
    "knowledge_graph": knowledge_graph.main,
    "knowledge_graph_memory": knowledge_graph_memory.main,
    "knowledge_graph_peers": knowledge_graph_peers.main,
    "new_entities": new_entities.main,
    "objectives": objectives.main,
    "optimisations": optimisations.main,
    "optimisations_projection": optimisations.projection_spread,
    "peers": peers.main,
    "peers_quality": peers.equal_time,
    "peers_rates": peers.search_rates,
    "placement": placement.main,
    "radii": radii.main,
    "radii_dimensions": radii.dimensions,
    "recipes": recipes.main,
    "recipes_lowest_taxids": recipes.lowest_taxids,
    "same_bits": same_bits.main,
    "scale": scale.main,
    "scaling": throughput.scaling,
    "scenes_ablation": scenes.ablation,
    "scenes_gaps": scenes_gaps.gaps,
    "scenes_gaps_choice": scenes_gaps.choice,
    "scenes_graphlets": scenes_graphlets.graphlets,
    "scenes_path_limits": scenes_path_limits.path_limits,
    "scenes_loading": scenes.loading,
    "scenes_quality": scenes.quality,
    "scenes_recipes": scenes.recipes,
    "scenes_sweep": scenes.sweep,
    "senses_growth": senses_growth.main,
    "senses_quality": senses_quality.main,
    "senses_recipes": senses.recipes,
    "separation_advice": objectives.advice,
    "throughput": throughput.main,
}


SHORT = ("commands", "evaluation", "ingestion", "throughput")


def main(names: list[str]) -> int:
    """Run the named benchmarks, by default those that take minutes; return 2 for an unknown name."""
    if names == ["list"]:
        print("\n".join(BENCHMARKS))
        return 0
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        print(f"there is no benchmark {unknown[0]}: choose from {', '.join(BENCHMARKS)}")
        return 2
    for name in names or SHORT:
        print(f"## {name}", flush=True)
        BENCHMARKS[name]()
    return 0


sys.exit(main(sys.argv[1:]))
