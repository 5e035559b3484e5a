"""When training has nothing to add to the layout that it starts from."""

from __future__ import annotations

from terrarium.hyperbolic.evaluation.reconstruction import choose_queries, reconstruct
from terrarium.hyperbolic.layouts.initial import name_construction
from terrarium.hyperbolic.options import LossName, ModelOptions
from terrarium.hyperbolic.training.problem import Problem

_QUERIES = 1000
_MEASURES: dict[LossName, dict[str, str]] = {
    "joint": {"ancestor_map_detour": "ancestor MAP by detour", "edge_map": "edge MAP"},
    "distance_softmax": {"ancestor_map_distance": "ancestor MAP by distance"},
}
"""What each loss would improve."""


def reason_not_to_train(problem: Problem, model: ModelOptions) -> str | None:
    """Return a sentence that says why the start is the result, or None where training may improve it.

    That is so for the loss construct, and where a constructed start of a tree without link lengths already reaches
    `skip_above` in what the loss would improve, on a sample of taxa.
    """
    options = problem.options
    name = start_name(problem, model)
    if options.loss.name == "construct":
        return f"Nothing was trained: the layout is {name}, constructed from the tree."
    measures = _MEASURES.get(options.loss.name, {})
    if model.init != "constructed" or not problem.tree.is_tree or problem.root_distance is not None:
        return None
    if not measures or options.skip_above >= 1.0 or options.max_epochs == 0:
        return None
    sample = choose_queries(problem.tree, 0, _QUERIES, options.seed)
    found = reconstruct(problem.tree, problem.initial, sample).metrics()
    if any(found[measure] < options.skip_above for measure in measures):
        return None
    reached = " and ".join(f"{label} {found[measure]:.4f}" for measure, label in measures.items())
    return (
        f"Nothing was trained: the layout {name} already has {reached} on {len(sample.rows)} taxa; "
        "training.skip_above 1 trains all the same."
    )


def start_name(problem: Problem, model: ModelOptions) -> str:
    """Return the name of the layout that training starts from."""
    if model.init != "constructed":
        return model.init
    return name_construction(model, problem.options.loss.name, problem.root_distance).construction
