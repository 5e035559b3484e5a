"""New entities with all else frozen, against training again with their triples.

The graph is that of the folder in TERRARIUM_TRIPLES (train.txt, valid.txt, test.txt).
"""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.parameters import parameters_of
from benchmarks.results import Row, report_table

TRIPLES = "TERRARIUM_TRIPLES"
FRACTION, SEEDS = 0.1, (0,)
EPOCHS = 20
"""Of each training, at the weight of the N3 penalty that follows from the mean degree."""


def main() -> None:
    """Measure MRR of test triples of a tenth of the entities, which training did not see."""
    if not os.environ.get(TRIPLES):
        print(f"set {TRIPLES} to a folder with train.txt, valid.txt and test.txt")
        return
    report_table("new_entities", _rows(os.environ[TRIPLES]), seed=", ".join(map(str, SEEDS)))


def _rows(folder: str) -> Iterator[Row]:
    made = [_measure(folder, seed) for seed in SEEDS]
    for method in made[0]:
        values = [each[method] for each in made]
        yield {
            "graph": Path(folder).name,
            "method": method,
            "MRR of their test triples": f"{np.mean(values):.3f}",
        }


def _measure(folder: str, seed: int) -> dict[str, float]:
    from terrarium.kge.data.graph import HEAD, TAIL, TEST, TRAIN, VALIDATION, Graph
    from terrarium.kge.data.queries import KnownAnswers
    from terrarium.kge.evaluation.ranking import rank_triples
    from terrarium.kge.options import Options
    from terrarium.kge.use.new_entities import add_entities
    from terrarium.kge.use.trained import TrainedGraph
    from terrarium.pipelines.knowledge_graph import nodes

    chosen = parameters_of("knowledge_graph", "base")
    chosen["source"] |= {"path": folder}
    options = Options.model_validate(chosen)
    source = nodes.read_source(options.source)
    entities, relations = source["entities"], source["relations"]
    triples = nodes.split_triples(source["source_triples"], entities, relations, options.features)["triples"]
    # The new entities come last, so that numbers do not change when they are added.
    is_new = np.random.default_rng(seed).permutation(len(entities)) < round(FRACTION * len(entities))
    entities = pd.concat([entities[~is_new], entities[is_new]], ignore_index=True)
    whole = Graph.from_tables(triples, entities, relations)
    old = int((~is_new).sum())
    known = KnownAnswers(whole.known_triples, whole.num_relations)
    train, test = whole.splits[TRAIN], whole.splits[TEST]
    touches = [(part[:, [HEAD, TAIL]] >= old).any(axis=1) for part in (train, test)]
    later, queries = train[touches[0]], test[touches[1]]

    def ranked(scorer: Any) -> float:
        return float((1 / rank_triples(scorer, queries, known, options.evaluation)).mean())

    kept = {name: part[(part[:, [HEAD, TAIL]] < old).all(axis=1)] for name, part in whole.splits.items()}
    smaller = replace(whole, num_entities=old, splits=kept)
    trained = TrainedGraph(_train(smaller, options), smaller, entities.iloc[:old], relations)
    ids, names = entities["entity"].to_numpy(), relations["relation"].to_numpy()
    table = pd.DataFrame({"head": ids[later[:, 0]], "relation": names[later[:, 1]], "tail": ids[later[:, 2]]})
    grown, _ = add_entities(trained, table)
    place = pd.Series(np.arange(len(grown.entities)), index=grown.entities["entity"].to_numpy())
    order = place.reindex(ids).to_numpy()
    seen = ~np.isnan(order[queries[:, [HEAD, TAIL]]]).any(axis=1)
    queries = queries[seen]
    added = _reorder(grown.scorer, order, whole.num_entities)
    mean = _reorder(trained.scorer, np.arange(old), whole.num_entities)
    again = _train(replace(whole, splits={**whole.splits, VALIDATION: kept[VALIDATION]}), options)
    return {
        "embedding of the mean entity": ranked(mean),
        "added, all else frozen": ranked(added),
        "trained again with their triples": ranked(again),
    }


def _train(graph: Any, options: Any) -> Any:
    from terrarium.kge.models.scorer import load_scorer
    from terrarium.kge.training.trainer import ScorerTrainer

    trainer = ScorerTrainer(graph, options.model, options.training, options.evaluation)
    best, weights = -1.0, None
    for epoch in range(1, EPOCHS + 1):
        value = trainer.epoch(epoch)["validation_mrr"]
        if value > best:
            best, weights = value, trainer.weights()
    assert weights is not None
    return load_scorer(weights)


def _reorder(scorer: Any, order: np.ndarray, count: int) -> Any:
    """Return the scorer with its embeddings in another order; those that are missing are the mean."""
    import torch

    table = scorer.entity.weight.detach()
    weight = table.mean(0, keepdim=True).repeat(count, 1)
    places = np.flatnonzero(~np.isnan(order[:count]))
    weight[torch.from_numpy(places)] = table[torch.from_numpy(order[places].astype(np.int64))]
    scorer.entity = torch.nn.Embedding(count, table.shape[1], _weight=weight)
    scorer.num_entities = count
    return scorer
