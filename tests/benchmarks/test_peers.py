"""The peers train what they are said to train, and a program that hangs, fails or is missing does not stop the rest."""

import json

import numpy as np
import pandas as pd
import pytest
import torch

from benchmarks import peer_drivers, peers
from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.geometry.ball import from_ball, pairwise

pytestmark = pytest.mark.usefixtures("results_folder")


@pytest.fixture(scope="module")
def table():
    parents = np.random.default_rng(0).integers(0, np.maximum(np.arange(40), 1))
    parents[0] = -1
    return pd.DataFrame({"id": np.arange(40), "parent": parents})


@pytest.fixture(scope="module")
def tree(table):
    return Hierarchy.from_parents(table["id"], table["parent"])


def spec(**given):
    return peer_drivers.Spec(**({"program": "torch", "data": "", "out": "", "seconds": 0.2, "rate": 0.05} | given))


def test_distance_is_the_projects():
    points = np.random.default_rng(1).uniform(-0.3, 0.3, size=(20, 5))
    found = peer_drivers.distance(torch.from_numpy(points[:10]), torch.from_numpy(points[10:]))
    np.testing.assert_allclose(found, pairwise(from_ball(points), np.arange(10), np.arange(10, 20)), rtol=1e-9)


def test_loss_leaves_related_negatives_out():
    distances = torch.tensor([[1.0, 2.0, 0.5]])
    alone = peer_drivers.softmax_loss(distances[:, :2], torch.tensor([[False]]))
    torch.testing.assert_close(peer_drivers.softmax_loss(distances, torch.tensor([[False, True]])), alone)
    torch.testing.assert_close(alone, -torch.log_softmax(-distances[0, :2], 0)[0])


def test_batches_are_the_closure_once_an_epoch(tree):
    source, seen = peer_drivers.batches(spec(batch=16, negatives=30), tree), []
    while len(seen) < tree.pair_count:
        rows, related = next(source)
        seen += list(map(tuple, rows[:, :2].tolist()))
        anchor, negatives = rows[:, :1].numpy(), rows[:, 2:].numpy()
        expected = tree.is_ancestor(negatives, anchor) | (negatives == anchor)
        np.testing.assert_array_equal(related.numpy(), expected)
    ancestor, descendant, _ = tree.closure()
    assert sorted(seen) == sorted(zip(descendant.tolist(), ancestor.tolist(), strict=True))


@pytest.mark.parametrize(
    ("program", "needs"),
    [("torch", "torch"), ("geoopt_rsgd", "geoopt"), ("geoopt_radam", "geoopt"), ("gensim", "gensim")],
)
def test_peers_bring_ancestors_nearer(program, needs, tree):
    pytest.importorskip(needs)
    negatives = 3 if program == "gensim" else 10
    done = peer_drivers.PROGRAMS[program](spec(program=program, negatives=negatives, batch=16, seconds=0.4), tree)
    ancestor, descendant, _ = tree.closure()
    everywhere = pairwise(done.layout, np.arange(40)[:, None], np.arange(40)[None]).sum() / (40 * 39)
    assert done.pairs > 0
    assert done.cpu >= 0.4
    assert done.layout.direction.shape == (40, 10)
    assert pairwise(done.layout, ancestor, descendant).mean() < everywhere


def test_ours_trains_whole_epochs_as_long_as_asked(tree):
    done = peer_drivers.terrarium(spec(program="terrarium", options=peers.DETOUR, seconds=0.1), tree)
    assert done.pairs % tree.pair_count == 0
    assert done.pairs > 0
    start = peer_drivers.our_problem(spec(), tree, 1).initial
    assert not np.array_equal(done.layout.direction, start.direction)


@pytest.mark.parametrize("contender", [*peers.ours(50), *peers.ours(10, "random")])
def test_settings_of_ours_are_valid(contender, tree):
    given = peer_drivers.Spec(data="", out="", seconds=1.0, **contender.settings)
    problem = peer_drivers.our_problem(given, tree, 7)
    assert problem.options.loss.name in contender.name
    assert f"{problem.options.sampler.num_negatives} negatives" in contender.name
    assert problem.options.max_epochs == 7


def test_a_run_comes_back_from_its_process(table):
    done = peers.run(peers.Contender("x", "torch", {"program": "torch", "rate": 0.1}), table, 0.1)
    assert done.pairs > 0
    assert len(done.layout) == len(table)


def test_a_hang_ends_and_a_failure_is_named(table):
    contender = peers.Contender("x", "torch", {"program": "torch", "rate": 0.1})
    assert "killed" in peers.run(contender, table, 1e9, limit=0.5)
    assert "KeyError" in peers.run(peers.Contender("x", "torch", {"program": "nothing"}), table, 0.1)
    assert "pip install" in peers.run(peers.Contender("x", "no_such_module", {}), table, 0.1)


def test_a_broken_layout_is_named(tree):
    layout = from_ball(np.zeros((len(tree), 3)))
    layout.radius[4] = np.nan
    assert "not finite" in peers.measures(tree, layout)[0]


def test_tables_have_a_line_a_program(table, monkeypatch, capsys):
    layout = from_ball(np.random.default_rng(0).uniform(-0.1, 0.1, size=(40, 3)))
    monkeypatch.setattr(peers, "run", lambda *_, **__: peer_drivers.Trained(4280, 1.0, layout))
    peers.throughput({"Mammalia": table})
    assert capsys.readouterr().out.count("| 2.0x |") == len(peers.peers()) + 7
    peers.quality({"tiny": table}, 1.0)
    lines = capsys.readouterr().out.splitlines()
    assert len({line.count("|") for line in lines if line.startswith("|")}) == 1
    assert sum(line.startswith("| Terrarium") for line in lines) == 8


def test_ratios_are_to_ours_with_as_many_negatives(table, monkeypatch, capsys):
    layout = from_ball(np.zeros((40, 3)))
    pairs = {"Terrarium, distance_softmax, 50 negatives": 600, "Terrarium, distance_softmax, 10 negatives": 900}
    monkeypatch.setattr(
        peers, "run", lambda contender, *_: peer_drivers.Trained(pairs.get(contender.name, 300), 1.0, layout)
    )
    peers.throughput({"Mammalia": table})
    lines = {line.split(" | ")[0]: line for line in capsys.readouterr().out.splitlines()}
    assert lines["| torch autograd, batch 64"].endswith("| 1.0x | 2.0x | 1.0x |")
    assert lines["| gensim, 10 negatives, batch 10"].endswith("| 1.0x | 3.0x | 1.0x |")


def test_a_missing_peer_leaves_the_others(table, monkeypatch, capsys):
    monkeypatch.setattr(peers, "find_spec", lambda _: None)
    peers.quality({"tiny": table}, 1.0)
    lines = [line for line in capsys.readouterr().out.splitlines() if "is not installed" in line]
    assert len(lines) == len(peers.peers()) + 6
    assert lines[-1].startswith("| torch autograd, batch 64 | torch is not installed: pip install")


def test_a_spec_goes_through_json():
    given = spec(options=peers.DISTANCE_SOFTMAX)
    assert peer_drivers.Spec(**json.loads(json.dumps(vars(given)))) == given
