import pandas as pd

from terrarium.kge.evaluation.baselines import COLUMNS
from terrarium.kge.evaluation.calibration import RELIABILITY
from terrarium.kge.evaluation.metrics import RANK_METRICS
from terrarium.kge.reporting import figures
from tests.kge.graphs import options


def test_figures_without_data_say_why():
    relations = pd.DataFrame(columns=["split", "relation", "name", "side", "triples", *RANK_METRICS])
    history = pd.DataFrame({"epoch": [], "loss": []})
    drawn = (
        figures.loss_figure(history),
        figures.validation_figure(history),
        figures.relation_figure(relations, options().reporting),
        figures.method_figure(pd.DataFrame(columns=COLUMNS)),
        figures.reliability_figure(pd.DataFrame(columns=RELIABILITY)),
    )
    assert all(figure.layout.annotations for figure in drawn)


def test_methods_are_drawn_split_by_split():
    methods = pd.DataFrame(
        {"split": ["test", "test_groups"] * 2, "method": ["a", "a", "b", "b"], "top_answer_accuracy": 0.5}
    )
    figure = figures.method_figure(methods)
    assert [trace.name for trace in figure.data] == ["a", "b"]
