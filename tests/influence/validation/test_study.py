import pytest

from terrarium.influence.validation.study import Study, TooFewTriplesError, prepare_study, require_enough_triples
from terrarium.kge.data.graph import TEST, Graph
from terrarium.training.checkpointing.store import TrainingStore
from tests.influence.contexts import influence_options
from tests.kge.graphs import options, tables, train_graph


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"validation__num_queries": 7}, r"influence\.validation\.num_queries is 7 and there are 6 test triples"),
        ({"validation__split": "validation", "validation__num_queries": 6}, "there are 5 validation triples"),
        ({"validation__removal_sizes": [60]}, "removal_sizes has 60 and there are 60 training triples"),
    ],
)
def test_a_study_larger_than_the_graph_is_an_error(retrainer, changes, message):
    with pytest.raises(TooFewTriplesError, match=message):
        require_enough_triples(retrainer.graph, influence_options(**changes).validation)


def test_queries_are_drawn_from_the_split(retrainer):
    chosen = influence_options()
    study = Study(retrainer, chosen.validation, chosen.attribution, chosen.scoring)
    queries = {tuple(triple) for triple in study.sample_queries(3)}
    assert len(queries & {tuple(triple) for triple in retrainer.graph.splits[TEST]}) == 3


def test_retrainings_run_where_influence_does(tmp_path):
    own, chosen = tables(), options()
    trained = train_graph(chosen, own, TrainingStore(tmp_path / "store"))
    on_gpu = influence_options(scoring__device="cuda:3")
    branches = on_gpu.validation, on_gpu.attribution, on_gpu.scoring
    folder = trained["checkpoints"].folder
    retrainer = prepare_study(Graph.from_tables(*own), folder, *branches, chosen.evaluation).retrainer
    assert retrainer.training.training.device == retrainer.evaluation.device == "cuda:3"
    assert retrainer.epochs == 2
