"""Our measures and PyKEEN's evaluator on the same scores; with the extra `oracle`."""

import numpy as np
import pytest
import torch

from terrarium.kge.data.graph import RELATION
from terrarium.kge.data.queries import KnownAnswers
from terrarium.kge.evaluation.metrics import rank_metrics
from terrarium.kge.evaluation.ranking import rank_triples
from terrarium.kge.models.scorer import build_scorer, score_entities
from tests.kge.graphs import options, random_graph

pykeen = pytest.importorskip("pykeen.evaluation", reason="needs the extra oracle", exc_type=ImportError)


def as_peer(scorer, triples):
    """The scorer behind PyKEEN's interface of a model."""
    from pykeen.models import Model
    from pykeen.triples import CoreTriplesFactory

    class Peer(Model):
        def __init__(self):
            facts = CoreTriplesFactory(torch.from_numpy(triples), scorer.num_entities, scorer.num_relations)
            super().__init__(triples_factory=facts, loss="bcewithlogits", random_seed=0)
            self.scorer = scorer

        def _reset_parameters_(self):
            """The weights are given."""

        def _get_entity_len(self, *, mode):
            return scorer.num_entities

        def collect_regularization_term(self):
            return 0.0

        def score_hrt(self, hrt_batch, *, mode=None):
            return self.score_t(hrt_batch[:, :2]).gather(1, hrt_batch[:, 2:])

        def score_t(self, hr_batch, *, slice_size=None, mode=None, tails=None):
            return score_entities(scorer(hr_batch[:, 0], hr_batch[:, 1]), scorer.entity.weight, scorer.bias)

        def score_h(self, rt_batch, *, slice_size=None, mode=None, heads=None):
            relation, tail = rt_batch.T
            return score_entities(scorer(tail, relation + scorer.num_relations), scorer.entity.weight, scorer.bias)

        def score_r(self, ht_batch, *, slice_size=None, mode=None, relations=None):
            raise NotImplementedError

    return Peer()


@pytest.mark.parametrize(
    ("kind", "ties"), [("conve", False), ("complex", False), ("complex", True), ("distmult", True)]
)
def test_measures_equal_those_of_pykeens_evaluator(kind, ties):
    """Ties are of whole numbers, whose sums are exact in whatever order a batch is multiplied."""
    graph = random_graph()
    chosen = options(model__name=kind)
    scorer = build_scorer(chosen.model, graph.num_entities, graph.num_relations).eval()
    if ties:
        with torch.no_grad():
            for parameter in (scorer.entity.weight, scorer.relation.weight):
                parameter.copy_((10 * parameter).round())
    test = graph.splits["test"]
    ours = rank_metrics(
        rank_triples(scorer, test, KnownAnswers(graph.known_triples, graph.num_relations), chosen.evaluation)
    )
    found = pykeen.RankBasedEvaluator().evaluate(
        as_peer(scorer, graph.splits["train"]),
        torch.from_numpy(test),
        batch_size=8,
        use_tqdm=False,
        additional_filter_triples=[torch.from_numpy(graph.splits[name]) for name in ("train", "validation")],
    )
    theirs = {
        "mrr": "both.realistic.inverse_harmonic_mean_rank",
        "mean_rank": "both.realistic.arithmetic_mean_rank",
        "hits_at_1": "both.realistic.hits_at_1",
        "hits_at_3": "both.realistic.hits_at_3",
        "hits_at_10": "both.realistic.hits_at_10",
    }
    assert len(np.unique(test[:, RELATION])) > 1
    assert {name: ours[name] for name in theirs} == pytest.approx(
        {name: found.get_metric(key) for name, key in theirs.items()}, abs=1e-6
    )
