import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrarium.kge.data.graph import Graph
from terrarium.kge.data.queries import KnownAnswers
from terrarium.common.splits import SplitError
from terrarium.kge.data.splitting import require_no_leak, split_triples
from terrarium.sources.graphs.graph_source import SPLITS

from tests.kge.graphs import options


def table(rows, split="undivided"):
    frame = pd.DataFrame(rows, columns=["head", "relation", "tail"]).astype("str")
    names = pd.Index(sorted(set(frame["head"]) | set(frame["tail"])), dtype="str")
    given_split = [split] * len(frame) if isinstance(split, str) else split
    return frame.assign(
        head=pd.Categorical(frame["head"], categories=names),
        relation=frame["relation"].astype("category"),
        tail=pd.Categorical(frame["tail"], categories=names),
        split=pd.Categorical(given_split, categories=pd.Index(SPLITS)),
    )


def entities_of(triples, groups=None):
    names = list(triples["head"].cat.categories)
    return pd.DataFrame({"entity": names, "group": [(groups or {}).get(name, "") for name in names]}).astype("str")


def divide(triples, groups=None, held_out=("r", "s"), **changes):
    features = options(**{f"features__{k}": v for k, v in ({"split_by": "pair", "group_fraction": 0.0} | changes).items()})
    return split_triples(triples, entities_of(triples, groups), list(held_out), features.features)


def crowd(count=300, seed=0):
    rng = np.random.default_rng(seed)
    return table([(f"e{a}", "rs"[k], f"e{b}") for a, k, b in rng.integers([40, 2, 40], size=(count, 3))])


@settings(max_examples=20)
@given(st.integers(0, 10_000), st.sampled_from(["pair", "head"]))
def test_no_pair_is_in_two_splits_in_any_direction_or_relation(seed, by):
    triples, _ = divide(crowd(seed=seed), split_by=by, seed=seed)
    part = {}
    require_no_leak(triples)
    held = triples[triples["split"] != "left_out"].astype(str)
    for head, tail, split in held[["head", "tail", "split"]].itertuples(index=False):
        assert part.setdefault(frozenset((head, tail)), split) == split


def test_nothing_is_lost_by_pairs_but_repetitions():
    given_triples = crowd()
    triples, counts = divide(given_triples)
    distinct = given_triples.drop_duplicates(["head", "relation", "tail"])
    assert len(triples) == len(distinct)
    assert counts == {"repeated_triples": 300 - len(distinct), "triples_of_held_out_pairs_left_out": 0}


def test_shares_are_held_and_other_relations_train():
    triples, _ = divide(crowd(3000), held_out=("r",), val_fraction=0.2, test_fraction=0.1)
    of_r = triples[triples["relation"] == "r"]["split"].value_counts(normalize=True)
    assert of_r["validation"] == pytest.approx(0.2, abs=0.04)
    assert of_r["test"] == pytest.approx(0.1, abs=0.04)
    assert set(triples[triples["relation"] == "s"]["split"]) <= {"train", "left_out"}


def test_another_relation_of_a_held_out_pair_is_left_out_and_counted():
    rows = [(f"a{i}", relation, f"b{i}") for i in range(40) for relation in "rs"]
    triples, counts = divide(table(rows), held_out=("r",))
    held = triples["split"].isin(["validation", "test"]).sum()
    left_out = triples[triples["split"] == "left_out"]
    assert counts["triples_of_held_out_pairs_left_out"] == held == len(left_out) > 0
    assert set(left_out["relation"]) == {"s"}
    assert len(triples) == 80
    assert not triples["given"].any()


def test_what_is_left_out_is_known_and_not_trained_on():
    """It is true, so an answer of it is no wrong one."""
    triples, _ = divide(table([(f"a{i}", relation, f"b{i}") for i in range(40) for relation in "rs"]), held_out=("r",))
    names = pd.DataFrame({"entity": triples["head"].cat.categories})
    graph = Graph.from_tables(triples, names, pd.DataFrame({"relation": ["r", "s"]}))
    left_out = graph.splits["left_out"]
    assert len(left_out)
    assert len(graph.known_triples) == len(triples)
    assert np.isin(left_out[:, 2], KnownAnswers(graph.known_triples, 2).lookup(left_out[:, 0], left_out[:, 1])[1]).all()
    assert not graph.entities_in_training[left_out[:, [0, 2]]].any()


def test_all_answers_of_a_head_stay_together():
    rows = [(f"a{i}", "r", f"b{i}{j}") for i in range(60) for j in range(3)]
    triples, _ = divide(table(rows), held_out=("r",), split_by="head")
    assert (triples.groupby("head", observed=True)["split"].nunique() == 1).all()


def test_whole_groups_are_held_out():
    rows = [(f"a{i}", "r", f"b{i % 5}") for i in range(100)]
    groups = {f"a{i}": f"g{i // 10}" for i in range(100)}
    triples, _ = divide(table(rows), groups, held_out=("r",), group_fraction=0.2, split_by="head")
    part = triples.astype(str).assign(group=lambda t: t["head"].map(groups)).groupby("group")["split"].agg(set)
    held = [splits for splits in part if "test_groups" in splits]
    assert held == [{"test_groups"}] * 2


def test_given_splits_stay_and_what_crosses_them_is_counted():
    rows = [("a", "r", "b"), ("b", "s", "a"), ("c", "r", "d"), ("c", "r", "d")]
    given_triples = table(rows, ["train", "test", "validation", "validation"])
    triples, counts = divide(given_triples)
    assert triples["split"].tolist() == ["train", "test", "validation"]
    assert triples["given"].all()
    assert counts == {"repeated_triples": 1, "pairs_in_two_splits": 1, "held_out_triples_given_away": 0}
    with pytest.raises(SplitError, match="are in two splits, such as a and b"):
        require_no_leak(triples)


def test_a_split_without_triples_and_an_unknown_relation_are_refused():
    with pytest.raises(SplitError, match="leaves no triple for"):
        divide(table([("a", "r", "b"), ("c", "s", "d")]))
    with pytest.raises(SplitError, match="names 't': the relations are r, s"):
        divide(crowd(), held_out=("t",))


@pytest.mark.parametrize("drop", [False, True])
def test_held_out_triples_that_training_gives_away_are_counted_or_left_out(drop):
    rows = [("a", "r", "b"), ("b", "r", "a"), ("c", "r", "d"), ("d", "r", "c"), ("e", "r", "f"), ("f", "r", "e")]
    rows += [("g", "r", "h"), ("h", "r", "g"), ("c", "s", "a")]
    given_triples = table(rows, ["train"] * 7 + ["test", "validation"])
    triples, counts = divide(given_triples, drop_leaks=drop)
    assert counts["held_out_triples_given_away"] == 1
    assert triples["split"].tolist()[-2:] == ["left_out" if drop else "test", "validation"]
