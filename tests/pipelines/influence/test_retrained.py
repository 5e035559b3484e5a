"""Influence beside retraining, in a world whose tests hang on one training triple each."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from terrarium.influence.data.checkpoints import Training
from terrarium.influence.validation.figures import datamodel_figure, deletion_figure
from terrarium.influence.validation.retraining import Retrainer
from terrarium.influence.validation.studies import (
    TooFewTriplesError,
    chosen_tests,
    datamodelling,
    deletion,
    planted,
    require_enough,
)
from terrarium.kge.data.graph import TEST, TRAIN, Graph
from terrarium.pipelines.influence.validation_nodes import _retrainer
from terrarium.pipelines.knowledge_graph import nodes as graph_nodes
from terrarium.training.checkpointing.store import TrainingStore
from tests.kge.graphs import options, tables

from .test_streaming import influence_options

PAIRS, TESTS = 12, 4
CHOSEN = influence_options(
    training__subsets=12, training__seeds=[0], training__removed=[2, 1], training__checkpoints=3, training__planted=0.2
)


@pytest.fixture(scope="module")
def retrainer():
    """Two relations hold of the same pairs; of some pairs the second is asked, and the first alone says who it is."""
    one = np.stack([np.arange(PAIRS), np.zeros(PAIRS, int), np.arange(PAIRS) + PAIRS], axis=1)
    two = one + np.array([0, 1, 0])
    none = one[:0]
    parts = {TRAIN: np.concatenate([one, two[TESTS:]]), "validation": none, TEST: two[:TESTS], "test_groups": none}
    chosen = options(
        **{"model__name": "complex", "model__dim": 16, "model__input_dropout": 0.0, "model__output_dropout": 0.0},
        **{
            "training__optimizer__name": "adagrad",
            "training__optimizer__learning_rate": 0.3,
            "training__batch_size": 16,
        },
    )
    return Retrainer(Graph(2 * PAIRS, 2, parts), Training(chosen.model, chosen.training), chosen.evaluation, 15)


def shared():
    return CHOSEN.training, CHOSEN.features, CHOSEN.evaluation


def test_what_influence_names_is_what_retraining_misses(retrainer):
    options, *others = shared()
    found = deletion(retrainer, retrainer.graph.splits[TEST][:1], options.model_copy(update={"removed": [1]}), *others)
    drops = found.set_index("method")["drop"]
    assert drops["influence"] > drops["random"] + 0.5
    assert drops["influence"] > 0.5


def test_curves_start_at_nothing_and_have_errors():
    rows = [("influence", count, drop) for count, drops in ((2, (3, 5)), (1, (1, 2))) for drop in drops]
    found = pd.DataFrame(rows, columns=["method", "removed", "drop"])
    (curve,) = deletion_figure(found).data
    assert list(curve.x) == [0, 1, 2]
    assert list(curve.y) == [0, 1.5, 4]
    assert list(curve.error_y.array) == pytest.approx([0, 0.5, 1])


def test_influence_foresees_retraining(retrainer):
    found = datamodelling(retrainer, retrainer.graph.splits[TEST], *shared()).set_index("method")
    assert found["lds"]["as configured"] > 0.3
    assert found["lds"]["as configured"] > found["lds"]["random"]
    (bars,) = datamodel_figure(found.reset_index()).data
    assert list(bars.error_x.array) == pytest.approx(found["lds_error"].tolist())


def test_wrong_triples_are_found_above_chance(retrainer):
    """Every triple but the wrong ones has its pair under the other relation."""
    graph = retrainer.graph
    every = np.concatenate([graph.splits[TRAIN], graph.splits[TEST]])
    supported = replace(retrainer, graph=Graph(graph.num_entities, 2, {**graph.splits, TRAIN: every}))
    found = planted(supported, *shared()).set_index("method")
    assert found["planted"].eq(5).all()
    assert found["auc"]["self-influence"] > 0.7
    assert found["precision"]["self-influence"] > 5 / 29


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"training__tested": 5}, r"influence\.training\.tested is 5 and there are 4 test triples"),
        ({"training__split": "validation"}, "there are 0 validation triples"),
        ({"training__removed": [20]}, "removed has 20 and there are 20 training triples"),
    ],
)
def test_a_study_larger_than_the_graph_is_an_error(retrainer, changes, message):
    with pytest.raises(TooFewTriplesError, match=message):
        require_enough(retrainer.graph, influence_options(**changes).training)


def test_tests_are_drawn_from_the_split(retrainer):
    drawn = chosen_tests(retrainer.graph, "test", 3, 0)
    assert len({tuple(triple) for triple in drawn} & {tuple(t) for t in retrainer.graph.splits[TEST]}) == 3


def test_retrainings_run_where_influence_does(tmp_path):
    own, chosen = tables(), options()
    config = graph_nodes.write_config(*own, chosen.model, chosen.training, chosen.evaluation)
    store = TrainingStore(tmp_path / "store")
    _, folder, *_ = graph_nodes.train(*own, config, store, chosen.model, chosen.training, chosen.evaluation)
    wanted = influence_options(evaluation__device="cuda:3")
    made = _retrainer(Graph.from_tables(*own), folder, wanted.training, wanted.evaluation, chosen.evaluation)
    assert made.training.training.device == made.evaluation.device == "cuda:3"
    assert made.epochs == 2
