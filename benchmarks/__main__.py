"""Run the short benchmarks or those named; `list` prints the names, `all --quick` measures docs/benchmarks.md again."""

import argparse
import sys

from benchmarks import (
    associations,
    claims,
    commands,
    evaluation,
    faults,
    fuzz,
    hyperbolic_bars,
    hyperbolic_graphs,
    hyperbolic_layouts,
    influence,
    influence_retraining,
    ingestion,
    knowledge_graph,
    knowledge_graph_large,
    knowledge_graph_memory,
    knowledge_graph_peers,
    knowledge_graph_precision,
    knowledge_graph_settings,
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
    scenes_readers,
    scenes_recipes,
    scenes_tu,
    screen,
    senses,
    senses_growth,
    senses_quality,
    throughput,
    use,
    virus_hosts,
)

BENCHMARKS = {
    "associations": associations.main,
    "associations_all": associations.everything,
    "claims": claims.main,
    "commands": commands.main,
    "commands_scenes": commands.scenes,
    "evaluation": evaluation.main,
    "faults_bits": faults.bits,
    "faults_kills": faults.kills,
    "frontier": objectives.frontier,
    "hyperbolic_bars": hyperbolic_bars.main,
    "hyperbolic_clades": hyperbolic_layouts.clades,
    "hyperbolic_trees": hyperbolic_layouts.trees,
    "hyperbolic_whole": hyperbolic_layouts.whole,
    "hyperbolic_wordnet_caps": hyperbolic_graphs.main,
    "fuzz": fuzz.main,
    "influence": influence.main,
    "influence_averaged": influence_retraining.datamodels,
    "influence_held_out": influence_retraining.mislabelled,
    "influence_large": influence.large,
    "influence_switches": influence.switches,
    "influence_validation": influence.validation,
    "ingestion": ingestion.main,
    "knowledge_graph": knowledge_graph.main,
    "knowledge_graph_large": knowledge_graph_large.main,
    "knowledge_graph_memory": knowledge_graph_memory.main,
    "knowledge_graph_peers": knowledge_graph_peers.main,
    "knowledge_graph_precision": knowledge_graph_precision.main,
    "knowledge_graph_settings": knowledge_graph_settings.main,
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
    "scenes_readers": scenes_readers.readers,
    "scenes_recipes": scenes.recipes,
    "scenes_recipes_seeds": scenes_recipes.recipes,
    "scenes_sweep": scenes.sweep,
    "scenes_tu_kernel": scenes_tu.kernel,
    "senses_growth": senses_growth.main,
    "senses_quality": senses_quality.main,
    "senses_quality_no_glosses": senses_quality.without_glosses,
    "senses_recipes": senses.recipes,
    "separation_advice": objectives.advice,
    "threads": throughput.threads,
    "throughput": throughput.main,
    "use": use.questions,
    "use_explorer": use.explorer,
    "use_indexes": use.indexes,
    "virus_hosts": virus_hosts.main,
}


SHORT = ("commands", "evaluation", "ingestion", "throughput")


def main() -> int:
    """Run the named benchmarks, by default those that take minutes, or all; with --quick the rows of the first page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="benchmarks, `all`, or `list` to see their names")
    parser.add_argument("--quick", action="store_true", help="with `all` or families: measure docs/benchmarks.md again")
    given = parser.parse_args()
    if given.names == ["list"]:
        print("\n".join(BENCHMARKS))
        return 0
    known = ["all", *(screen.QUICK if given.quick else BENCHMARKS)]
    unknown = [name for name in given.names if name not in known]
    if unknown:
        parser.error(f"there is no benchmark {unknown[0]}: choose from {', '.join(known)}")
    if given.quick:
        screen.main([] if "all" in given.names else given.names)
        return 0
    for name in BENCHMARKS if "all" in given.names else given.names or SHORT:
        print(f"## {name}", flush=True)
        BENCHMARKS[name]()
    return 0


sys.exit(main())
