"""The steps of the pipeline, called as the pipeline calls them."""

import io
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from terrarium.influence.data.checkpoints import WrongCheckpointsError, files_of, rate_of, read_best, read_snapshots
from terrarium.influence.data.predictions import standings
from terrarium.influence.data.provenance import WrongVersionsError
from terrarium.influence.data.queries import NothingAskedError, numbered
from terrarium.influence.options import CheckpointOptions
from terrarium.influence.reporting.figures import graph_figure, score_figure
from terrarium.influence.reporting.messages import warn_of_late
from terrarium.influence.scoring.scoring import TooManyWantedError
from terrarium.influence.scoring.streaming import UnknownLayerError
from terrarium.kge.data.graph import Graph
from terrarium.kge.evaluation.baselines import UnknownRelationError
from terrarium.kge.evaluation.predictions import UnknownEntityError
from terrarium.kge.models.scorer import load_scorer, score_entities
from terrarium.pipelines.influence import nodes
from terrarium.pipelines.influence import reporting_nodes as presentation
from terrarium.pipelines.knowledge_graph import nodes as graph_nodes
from terrarium.sources.errors import SourceError
from terrarium.training.checkpointing.state import State
from terrarium.training.checkpointing.store import TrainingStore, read_checkpoint
from tests.kge.graphs import options, tables

from .test_streaming import influence_options


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Tables, weights and the folder of checkpoints of the committed family."""
    chosen, own = options(), tables()
    store = TrainingStore(tmp_path_factory.mktemp("store"))
    config = graph_nodes.write_config(*own, chosen.model, chosen.training, chosen.evaluation)
    weights, folder, *_ = graph_nodes.train(*own, config, store, chosen.model, chosen.training, chosen.evaluation)
    return own, weights, folder


def asked(trained, **changes):
    own, weights, folder = trained
    return nodes.choose_triples(*own, weights, folder, influence_options(**changes).source)


def scored(trained, tests, **changes):
    own, _, folder = trained
    chosen = influence_options(**changes)
    return nodes.score(*own, folder, tests, chosen.model, chosen.features, chosen.evaluation)


def test_scores_hold_the_strongest_of_every_triple(trained):
    tests = asked(trained)
    scores, own, paths, metrics = scored(trained, tests, evaluation__self_influence=True)
    assert len(scores) == 3 * 2 * 4
    assert scores["self_influence"].gt(0).all()
    assert scores.loc[scores["side"] == "proponent", "score"].gt(0).all()
    assert scores.loc[scores["side"] == "opponent", "score"].lt(0).all()
    assert len(own) == 92
    assert set(paths["test"]) == {0, 1, 2}
    assert metrics["checkpoints"] == 2
    assert metrics["proponents_shared_entity"] > metrics["training_shared_entity"]
    listed, written = nodes.write_tables(scores)
    assert [len(test["influences"]) for test in listed] == [8, 8, 8]
    assert {one["self_influence"] for test in listed for one in test["influences"]} == set(scores["self_influence"])
    table = pd.read_csv(io.StringIO(written))
    assert len(table.columns) == 14
    assert table["TracInScore"].tolist() == pytest.approx(scores["score"].tolist())
    assert graph_figure(scores, 0, 3).data
    assert score_figure(scores, 0, 3).data


def test_a_training_triple_with_its_own_part_has_its_self_influence(trained, tmp_path):
    train = trained[0][0].query("split == 'train'").iloc[[0]]
    (tmp_path / "asked.txt").write_text("\t".join(train[["head", "relation", "tail"]].iloc[0]) + "\n")
    tests = asked(trained, source__kind="file", source__path=str(tmp_path / "asked.txt"))
    assert tests["known"].tolist() == ["train"]
    scores, *_ = scored(trained, tests, features__measure="part", evaluation__top=92)
    same = scores[(scores["place"] == 0) & (scores["side"] == "proponent")]
    assert same["score"].to_numpy() == pytest.approx(same["self_influence"].to_numpy(), rel=1e-4)
    assert same["score"].to_numpy() == pytest.approx(same["test_self_influence"].to_numpy(), rel=1e-4)


def test_no_triple_is_proponent_and_opponent(trained):
    scores, *_ = scored(trained, asked(trained), evaluation__top=92)
    listed, _ = nodes.write_tables(scores)
    for test in listed:
        triples = [(one["train_head"], one["train_relation"], one["train_tail"]) for one in test["influences"]]
        assert len(set(triples)) == len(triples) <= 92


def test_batches_of_tests_change_nothing(trained):
    tests = asked(trained)
    whole, apart = (scored(trained, tests, evaluation__batch_size=size)[0] for size in (128, 2))
    pd.testing.assert_frame_equal(whole, apart, rtol=1e-4)


def test_which_triples_are_asked_about(trained):
    assert asked(trained, source__kind="indices", source__indices=[2, 0], source__limit=0)["head"].tolist() == [
        "p04",
        "p16",
    ]
    best = asked(trained, source__kind="predictions", source__entity="p01", source__relation="parent_of")
    assert best["head"].tolist() == ["p01"] * 3
    assert "train" not in set(best["known"])
    assert best["rank"].tolist() == [1, 2, 3]
    assert best["probability"].is_monotonic_decreasing
    assert len(asked(trained, source__kind="predictions", source__predicted=5, source__limit=1)) == 5


def test_what_the_model_says_is_what_the_family_measures(trained):
    """Ranks and softmax by hand; a training triple's rank leaves the question's other answers out."""
    own, weights, _ = trained
    graph, scorer = Graph.from_tables(*own), load_scorer(weights)
    train = graph.splits["train"]
    ranks, probabilities = standings(scorer, graph, train[:20], "cross_entropy")
    with torch.no_grad():
        head, relation = (torch.from_numpy(train[:20, column].copy()) for column in (0, 1))
        values = score_entities(scorer(head, relation), scorer.entity.weight, scorer.bias)
    for place, (triple, row) in enumerate(zip(train[:20].tolist(), values.numpy(), strict=True)):
        others = {t for h, r, t in train.tolist() if [h, r] == triple[:2]}
        left = [entity for entity in range(graph.num_entities) if entity not in others]
        assert ranks[place] == 1 + (row[left] > row[triple[2]]).sum()
        assert probabilities[place] == pytest.approx(np.exp(row[triple[2]]) / np.exp(row).sum(), rel=1e-5)
    alone = torch.sigmoid(values[0, train[0, 2]]).item()
    assert standings(scorer, graph, train[:1], "bce")[1] == pytest.approx([alone], rel=1e-5)


def test_nothing_asked_gives_self_influences_alone(trained):
    tests = asked(trained, source__kind="none")
    assert tests.empty
    found, own, paths, metrics = scored(trained, tests, evaluation__top=93)
    assert found.empty
    assert paths.empty
    assert len(own) == 92
    assert own["self_influence"].is_monotonic_decreasing
    assert metrics["triples_asked"] == 0
    listed, written = nodes.write_tables(found)
    assert listed == []
    assert len(pd.read_csv(io.StringIO(written)).columns) == 14
    page = report(trained, tests, found, own, paths, metrics)
    assert "No triple was asked about" in page
    assert "Highest influence on themselves" in page


def report(trained, tests, found, own, paths, metrics):
    chosen, listed = influence_options(), pd.DataFrame({"epoch": [1], "learning_rate": [0.1]})
    figures = presentation.draw_influence(found, chosen.reporting)
    shared = (listed, metrics, tests, found, own, paths, chosen.features, chosen.reporting)
    return presentation.write_report(*shared, *figures)


def test_the_report_pictures_every_triple_that_it_shows(trained):
    tests = asked(trained)
    page = report(trained, tests, *scored(trained, tests))
    assert "proponents-2" in page
    assert "proponents-3" not in page
    assert "The model ranks this tail" in page
    assert "stands out" in page


def test_without_shuffles_no_path_is_judged(trained):
    tests = asked(trained)
    found = scored(trained, tests, evaluation__paths__permutations=0)
    assert found[2]["p_value"].isna().all()
    assert "paths_tried" not in found[3]
    assert "stands out" not in report(trained, tests, *found)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"source__kind": "indices", "source__indices": [16]}, NothingAskedError, "no test triple 16"),
        ({"source__kind": "predictions", "source__entity": "nobody"}, UnknownEntityError, "no entity 'nobody'"),
        ({"source__kind": "predictions", "source__relation": "likes"}, UnknownRelationError, "no relation 'likes'"),
        ({"source__kind": "predictions", "source__entity": "town_0"}, NothingAskedError, "set both"),
        ({"source__kind": "file", "source__path": "/nowhere"}, SourceError, "is not a file"),
    ],
)
def test_triples_that_cannot_be_asked_about(trained, changes, error, message):
    with pytest.raises(error, match=message):
        asked(trained, **changes)


@pytest.mark.parametrize("line", ["p01\tparent_of", "p01\tparent_of\tnobody", "p01\tlikes\tp02"])
def test_faulty_lines_are_named(trained, tmp_path, line):
    path = tmp_path / "asked.txt"
    path.write_text(f"p01\tparent_of\tp10\n{line}\n")
    with pytest.raises(SourceError, match="line 2"):
        asked(trained, source__kind="file", source__path=str(path))


def test_an_unknown_relation_of_a_file_is_told_with_those_there_are(trained, tmp_path):
    path = tmp_path / "asked.txt"
    path.write_text("p01\tlikes\tp02\n")
    with pytest.raises(SourceError, match=r"line 1: the graph has no relation 'likes'; it has .*parent_of") as error:
        asked(trained, source__kind="file", source__path=str(path))
    assert "null" not in str(error.value)


def test_blank_lines_say_nothing(trained, tmp_path):
    path = tmp_path / "asked.txt"
    path.write_text("\np01\tparent_of\tp10\n\n")
    assert len(asked(trained, source__kind="file", source__path=str(path))) == 1


def test_weights_of_another_training_are_refused(trained, tmp_path):
    """Same data, same model, another seed: what is predicted must be what is explained."""
    own, weights, folder = trained
    chosen = options(training__seed=5)
    config = graph_nodes.write_config(*own, chosen.model, chosen.training, chosen.evaluation)
    store = TrainingStore(tmp_path / "store")
    other, other_folder, *_ = graph_nodes.train(*own, config, store, chosen.model, chosen.training, chosen.evaluation)
    source = influence_options(source__kind="predictions").source
    for one, another in ((weights, other_folder), (other, folder)):
        with pytest.raises(WrongCheckpointsError, match="--load-versions"):
            nodes.choose_triples(*own, one, another, source)
    assert len(nodes.choose_triples(*own, other, other_folder, source)) == 3
    other_model = State(weights.tensors, {**weights.metadata, "model": {**weights.metadata["model"], "seed": 9}})
    with pytest.raises(WrongCheckpointsError, match="--load-versions"):
        nodes.choose_triples(*own, other_model, folder, source)


def test_tables_of_different_runs_are_refused(trained):
    own, weights, folder = trained
    tables_of_two = (own[0], own[1].iloc[1:], own[2])
    with pytest.raises(WrongVersionsError, match="--load-versions"):
        nodes.choose_triples(*tables_of_two, weights, folder, influence_options().source)


def test_a_checkpoint_without_history_has_no_learning_rate(trained):
    checkpoint = read_checkpoint(trained[2] / "best.safetensors")
    with pytest.raises(WrongCheckpointsError, match="no history"):
        rate_of(replace(checkpoint, history=[]))


@pytest.mark.parametrize(("epochs", "warned"), [([12, 13, 14], True), ([3, 6, 13, 14], False), ([14], False)])
def test_only_late_checkpoints_are_warned_of(epochs, warned, caplog):
    warn_of_late(epochs)
    assert ("keep_every" in caplog.text) == warned


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model__checkpoints__use": "best", "model__checkpoints__epochs": [1]}, "one checkpoint"),
        ({"training__removed": [-5]}, "greater than 0"),
        ({"training__removed": []}, "at least 1 item"),
        ({"training__removed": [5, 5]}, "twice"),
        ({"training__subsets": 5, "training__seeds": [0, 1]}, "5 subsets for 2 seeds"),
    ],
)
def test_options_that_cannot_be_are_errors(changes, message):
    with pytest.raises(ValueError, match=message):
        influence_options(**changes)


def test_names_of_another_graph_are_refused(trained):
    own, _, _ = trained
    with pytest.raises(NothingAskedError, match="nobody"):
        numbered(pd.DataFrame({"head": ["nobody"], "relation": ["lives_in"], "tail": ["p01"]}), own[1], own[2])


def test_more_than_there_is_and_unknown_layers_stop(trained):
    tests = asked(trained)
    with pytest.raises(TooManyWantedError, match="top is 93 and there are 92"):
        scored(trained, tests, evaluation__top=93)
    with pytest.raises(UnknownLayerError, match="no layer 'fc'"):
        scored(trained, tests, features__layers=["fc"])


def test_checkpoints_are_chosen_by_epoch_and_fit_the_graph(trained, tmp_path):
    own, _, folder = trained
    graph = Graph.from_tables(*own)
    every = CheckpointOptions(use="all", epochs=[])
    snapshots, _ = read_snapshots(folder, graph, every, optimiser=True)
    assert [(one.epoch, one.rate) for one in snapshots] == [(1, 0.003), (2, 0.0015)]
    assert set(snapshots[0].scale) == {name for name, _ in snapshots[0].scorer.named_parameters()}
    assert read_best(folder, graph)[0] in {1, 2}
    assert [path.stem for path in files_of(folder, CheckpointOptions(use="all", epochs=[2]))] == ["epoch_000002"]
    with pytest.raises(WrongCheckpointsError, match=r"epochs 1, 2, not of \[9\]"):
        files_of(folder, CheckpointOptions(use="all", epochs=[9]))
    with pytest.raises(WrongCheckpointsError, match="no final"):
        files_of(tmp_path, CheckpointOptions(use="last", epochs=[]))
    with pytest.raises(WrongCheckpointsError, match="epochs none"):
        files_of(tmp_path, every)
    parts = {**graph.splits, "train": graph.splits["train"][1:]}
    with pytest.raises(WrongCheckpointsError, match="another graph or another split"):
        read_snapshots(folder, Graph(graph.num_entities, graph.num_relations, parts), every, optimiser=False)
    shutil.copytree(folder, tmp_path / "damaged")
    (tmp_path / "damaged" / "final.safetensors").unlink()
    (tmp_path / "damaged" / "final.safetensors").write_bytes(b"nothing")
    with pytest.raises(WrongCheckpointsError, match="cannot be read"):
        read_snapshots(tmp_path / "damaged", graph, CheckpointOptions(use="last", epochs=[]), optimiser=False)


def test_the_optimisers_weights_are_those_of_its_next_step(trained):
    """Adam's step is rate * m / D^-1: with D from the state, D * m is what the parameters would move by."""
    from terrarium.influence.similarity.exact_preconditioner import scales
    from terrarium.kge.models.scorer import build_scorer

    chosen = options()
    scorer = build_scorer(chosen.model, 5, 2)
    for kind in (torch.optim.Adam, torch.optim.Adagrad):
        optimiser = kind(scorer.parameters(), lr=0.1)
        for step in range(3):
            optimiser.zero_grad()
            sum((p * (step + 1)).square().sum() for p in scorer.parameters()).backward()
            before = scorer.entity.weight.detach().clone()
            optimiser.step()
        held = optimiser.state_dict()
        place = [name for name, _ in scorer.named_parameters()].index("entity.weight")
        state = held["state"][place]
        mean = state["exp_avg"] / (1 - 0.9 ** float(state["step"])) if "exp_avg" in state else scorer.entity.weight.grad
        moved = before - scorer.entity.weight.detach()
        assert torch.allclose(moved, 0.1 * scales(scorer, held)["entity.weight"] * mean, atol=1e-6)
        assert np.isfinite(moved.numpy()).all()


def test_what_batch_norm_takes_off_has_no_weight():
    """Its gradients are rounding errors in training, and one over those would drown everything else."""
    from terrarium.influence.similarity.exact_preconditioner import SHIFTS, scales
    from terrarium.kge.models.scorer import build_scorer

    scorer = build_scorer(options(model__name="conve").model, 5, 2)
    optimiser = torch.optim.Adam(scorer.parameters())
    places = torch.tensor([0, 1, 2])
    scorer(places, places % 2).square().sum().backward()
    assert scorer.encoder.convolution.bias.grad.abs().max() < 1e-4
    for parameter in scorer.parameters():
        parameter.grad = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
    optimiser.step()
    found = scales(scorer, optimiser.state_dict())
    assert {name for name, scale in found.items() if not scale.any()} == set(SHIFTS)
