from itertools import combinations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrarium.scenes.graphs.columns import from_parts
from terrarium.scenes.graphs.scene_graph import DIRECTED
from terrarium.scenes.models.graphlets import STATISTICS_WEIGHT, fit_counter, graphlet_codes
from terrarium.scenes.models.statistics import hand_statistics
from tests.scenes.scenery import graph, graphs, graphs_of


def random_graph(seed):
    """A graph of up to six road users with random types, flags and relations, triangles among them."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, 7))
    columns = graph(" ".join(f"{user}>{user}" for user in "abcdef"[:count]))
    pairs = [pair for pair in combinations(range(count), 2) if rng.random() < 0.5]
    kinds = [list(DIRECTED.values())[rng.integers(len(DIRECTED))] for _ in pairs]
    edge = [way for first, second in pairs for way in ((first, second), (second, first))]
    return columns | {
        "actor_type": rng.integers(0, 2, count),
        "lane_change": rng.random(count) < 0.5,
        "edge": np.array(edge, np.int64).reshape(-1, 2),
        "relation": np.array([way for kind in kinds for way in kind], np.int64),
        "path_length": np.full(len(edge), 10.0),
    }


def subgraph(columns, users):
    """The induced subgraph as networkx has it."""
    found = nx.DiGraph()
    for user in users:
        found.add_node(user, label=(columns["actor_type"][user], columns["lane_change"][user]))
    for (source, target), relation in zip(columns["edge"].tolist(), columns["relation"].tolist(), strict=True):
        if source in users and target in users:
            found.add_edge(source, target, relation=relation)
    return found


def is_same(a, b):
    match = {"node_match": lambda x, y: x == y, "edge_match": lambda x, y: x == y}
    return nx.is_isomorphic(a, b, **match)


@given(st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_equal_codes_are_isomorphic_subgraphs(seed):
    """Two connected induced subgraphs of up to three road users share a code if and only if they are isomorphic."""
    columns = random_graph(seed)
    count = len(columns["speed"])
    connected = [
        (found, graphlet_codes(from_parts([part]))[0].max())
        for size in (1, 2, 3)
        for users in combinations(range(count), size)
        if nx.is_weakly_connected(found := subgraph(columns, users))
        for part in [only(columns, users)]
    ]
    for (a, code_a), (b, code_b) in combinations(connected, 2):
        if nx.density(a) < 1 or len(a) < 3:
            assert (code_a == code_b) == is_same(a, b)


def only(columns, users):
    """The columns of an induced subgraph, its road users in another order."""
    users = list(users)[::-1]
    inside = np.isin(columns["edge"], users).all(axis=1)
    place = {user: number for number, user in enumerate(users)}
    edge = np.array([[place[user] for user in pair] for pair in columns["edge"][inside].tolist()], np.int64)
    nodes = {"speed", "actor_type", "lane_change", "intersection", "position", "heading", "length", "width", "actor"}
    return {name: columns[name][users] for name in nodes} | {
        "edge": edge.reshape(-1, 2),
        "relation": columns["relation"][inside],
        "path_length": columns["path_length"][inside],
    }


@given(st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_the_number_of_graphlets(seed):
    """One per road user, two per relation, and one per pair of relations that meet."""
    columns = random_graph(seed)
    degree = np.bincount(columns["edge"][:, 0], minlength=len(columns["speed"]))
    codes, _ = graphlet_codes(from_parts([columns]))
    assert len(codes) == len(degree) + degree.sum() + (degree * (degree - 1) // 2).sum()


def test_relations_directions_and_flags_are_told_apart():
    texts = ["a>b b>c", "a>b c>b", "b>a b>c", "a=b b=c", "a~b b~c", "a>b b=c"]
    found = [frozenset(graphlet_codes(graphs_of(text))[0].tolist()) for text in texts]
    assert len(set(found)) == len(texts)
    assert frozenset(graphlet_codes(graphs_of("c>a a>b"))[0].tolist()) == found[0]
    changed = graphlet_codes(from_parts([graph("a>b b>c", lane_change="b")]))[0]
    assert frozenset(changed.tolist()) not in found


def test_vectors_are_counts_at_length_one_and_scaled_statistics():
    known = graphs()
    train = np.arange(len(known) // 2)
    counter = fit_counter(known, train)
    vectors = counter.vectors(known)
    counts, statistics = vectors[:, : len(counter.codes)], vectors[:, len(counter.codes) :]
    assert np.linalg.norm(counts, axis=1) == pytest.approx(1.0, abs=1e-5)
    table = hand_statistics(known).assign(road_users=np.log(known.nodes))
    scaled = STATISTICS_WEIGHT * (table - table.iloc[train].mean())
    assert statistics * counter.std == pytest.approx(scaled.to_numpy(), abs=1e-3)
    assert np.array_equal(counter.vectors(graphs_of("a>b")), counter.vectors(graphs_of("a>b", "a=b"))[:1])
