"""Caps and cones of WordNet, whose synsets have several hypernyms: reconstruction, links, recall by steps, HyperLex."""

import os
import time
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from benchmarks.hyperbolic_layouts import DIM, SEED, read_hierarchy, rounded
from benchmarks.parameters import parameters_of
from benchmarks.results import Row, chosen, report_table
from terrarium.common.arrays import Float64Array, Int32Array
from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.data.holdout import split_links
from terrarium.hyperbolic.evaluation.link_prediction import classify
from terrarium.hyperbolic.evaluation.reconstruction import choose_queries, reconstruct, reconstruct_undirected
from terrarium.hyperbolic.geometry.ball import Layout, cap_margin, detour
from terrarium.hyperbolic.layouts.caps import cap_layout
from terrarium.hyperbolic.layouts.cones import cone_layout
from terrarium.hyperbolic.layouts.graphs.nested import nested_layout
from terrarium.hyperbolic.layouts.graphs.spanning import in_rows_of, spanning_tree
from terrarium.hyperbolic.options import Options
from terrarium.sources.word_pairs import read_word_pairs
from terrarium.sources.wordnet import find_wordnet, read_wordnet

QUERIES, RADIUS = 4000, 34.0
KINDS: dict[str, tuple[dict[str, object], str, int]] = {
    "mammals": ({"clade": "mammal.n.01"}, "wordnet_nouns", 5),
    "nouns": ({"select": "all"}, "wordnet_nouns", DIM),
    "verbs": ({"select": "all", "virtual_root": 0}, "wordnet_verbs", DIM),
}
REFITTED = "caps refitted for second parents"
OUTER = "caps, missed_weight 5, leaf_radius largest"
WIDE = "caps, missed_weight 20, leaf_radius largest"
CONES = "cones refitted for second parents"
SETTINGS: dict[str, dict[str, object]] = {
    REFITTED: {},
    OUTER: {"missed_weight": 5.0, "leaf_radius": "largest"},
    WIDE: {"missed_weight": 20.0, "leaf_radius": "largest"},
    CONES: {"construction": "cones"},
}
FIRST, LONGEST = "of first parents", "of the longest paths"
UNFITTED = {f"{kind} {tree}": kind for tree in (FIRST, LONGEST) for kind in ("caps", "cones")}
RULE = "is an ancestor (no embedding)"
MAX_STEPS = 12
_TRUE, _FALSE = 100_000, 500_000


TABLES = ("reconstruction", "recall", "hyperlex")


def main() -> None:
    """Measure WordNet; TERRARIUM_HYPERLEX names HyperLex's nouns, TERRARIUM_ONLY the tables, by default all."""
    studies, tables = [_Study(data) for data in KINDS], chosen(TABLES)
    if "reconstruction" in tables:
        report_table("hyperbolic_wordnet_caps", (row for study in studies for row in study.rows()), seed=SEED)
    nouns = next(study for study in studies if study.data == "nouns")
    if "recall" in tables:
        report_table("wordnet_recall_by_steps", _recall_rows(nouns), seed=SEED)
    if "hyperlex" in tables:
        report_table("hyperlex", _hyperlex_rows(nouns, Path(os.environ["TERRARIUM_HYPERLEX"])), seed=SEED)


class _Study:
    """One part of WordNet and its layouts; each is constructed once."""

    def __init__(self, data: str) -> None:
        self.data = data
        part, kind, self.dim = KINDS[data]
        self._source = {"kind": kind, "allow_multiple_parents": True, **part}
        self._made: dict[str, tuple[Layout, float]] = {}

    @cached_property
    def tree(self) -> Hierarchy:
        return read_hierarchy(**self._source)

    def layout(self, name: str) -> tuple[Layout, float]:
        """Return a layout, with the CPU seconds that its refit took."""
        if name not in self._made:
            self._made[name] = self._unfitted(name) if name in UNFITTED else self._refitted(SETTINGS[name])
        return self._made[name]

    def _unfitted(self, name: str) -> tuple[Layout, float]:
        make = cap_layout if UNFITTED[name] == "caps" else cone_layout
        if name.endswith(FIRST):
            return make(self.tree, self.dim, RADIUS, SEED), 0.0
        spanning = spanning_tree(self.tree)
        return in_rows_of(self.tree, spanning, make(spanning, self.dim, RADIUS, SEED)), 0.0

    def _refitted(self, change: dict[str, object]) -> tuple[Layout, float]:
        model = Options.model_validate(parameters_of("hyperbolic", "base")).model
        given = {"construction": "caps", "dim": self.dim, "max_radius": RADIUS, **change}
        started = time.process_time()
        layout = nested_layout(self.tree, model.model_copy(update=given))
        return layout, time.process_time() - started

    def rows(self) -> Iterator[Row]:
        sample = choose_queries(self.tree, 0, QUERIES, SEED)
        for name in (*UNFITTED, *SETTINGS):
            points, seconds = self.layout(name)
            found = reconstruct(self.tree, points, sample).metrics()
            found |= reconstruct_undirected(self.tree, points, sample)
            links = link_quality(self.tree, points, "detour" if name.startswith("cones") else "cap")
            yield {
                "case": f"{self.data}, {name}",
                "data": self.data,
                "dimension": self.dim,
                "layout": name,
                "MAP": rounded(found["ancestor_map_distance"]),
                "mean rank": rounded(found["ancestor_mean_rank_distance"]),
                "undirected MAP": rounded(found["undirected_map_distance"]),
                "MAP by detour": rounded(found["ancestor_map_detour"]),
                "F1 of held-out links": rounded(links["f1"]),
                "precision": rounded(links["precision"]),
                "recall": rounded(links["recall"]),
                "CPU s": round(seconds, 1),
            }


def link_quality(tree: Hierarchy, points: Layout, score: str) -> dict[str, float]:
    """Return F1, precision and recall of test pairs by a threshold, where only the transitive reduction is known."""
    split = split_links(tree, link_fraction=0.05, train_fraction=0.0, num_corruptions=5, seed=SEED)
    scores = [score_pairs(points, pairs.descendant, pairs.ancestor, score) for pairs in (split.validation, split.test)]
    return classify(scores[0], split.validation.label, scores[1], split.test.label)


def score_pairs(points: Layout, descendant: Int32Array, ancestor: Int32Array, score: str) -> Float64Array:
    """Return the cap margins or the detours of pairs of rows."""
    measure = cap_margin if score == "cap" else detour
    return measure(
        points.radius[descendant], points.direction[descendant], points.radius[ancestor], points.direction[ancestor]
    )


def _recall_rows(study: _Study) -> Iterator[Row]:
    """Recall of true pairs by steps, with d(v, a) <= r_v and no threshold; false pairs are pairs of nodes at random."""
    tree, rng = study.tree, np.random.default_rng(SEED)
    ancestor, descendant, steps = tree.closure()
    true = rng.choice(len(ancestor), _TRUE, replace=False)
    pairs = rng.integers(1, len(tree), (2, _FALSE)).astype(np.int32)
    false = pairs[:, (pairs[0] != pairs[1]) & ~tree.is_ancestor(pairs[0], pairs[1])]
    columns = [str(step) for step in range(1, MAX_STEPS)] + [f"{MAX_STEPS} or more"]
    capped = np.minimum(steps[true], MAX_STEPS)
    for name in ("caps of first parents", REFITTED, WIDE):
        points, _ = study.layout(name)
        hit = score_pairs(points, descendant[true], ancestor[true], "cap") <= 0.0
        wrong = score_pairs(points, false[1], false[0], "cap") <= 0.0
        by_steps = {column: rounded(hit[capped == k].mean()) for k, column in enumerate(columns, start=1)}
        yield {
            "rule": f"d(v, a) <= r_v, {name}",
            **by_steps,
            "all": rounded(hit.mean()),
            "false pairs": rounded(wrong.mean()),
        }
    yield {"rule": RULE, **dict.fromkeys(columns, 1.0), "all": 1.0, "false pairs": 0.0}


def _hyperlex_rows(study: _Study, path: Path) -> Iterator[Row]:
    """Rank correlation with people's scores of "X is a type of Y", over pairs of which WordNet has both nouns."""
    pairs = read_word_pairs(path)
    synsets = _synsets_of_nouns(study.tree)
    known = pairs[pairs["word1"].isin(synsets.keys()) & pairs["word2"].isin(synsets.keys())]
    candidates = [
        np.array([(first, second) for first in synsets[one] for second in synsets[other]], np.int32).T
        for one, other in zip(known["word1"], known["word2"], strict=True)
    ]
    head = {"pairs": len(known), "of": len(pairs)}
    for name, score in (
        ("caps of first parents", "cap"),
        (REFITTED, "cap"),
        (WIDE, "cap"),
        (CONES, "detour"),
    ):
        points, _ = study.layout(name)
        best = [-score_pairs(points, rows[0], rows[1], score).min() for rows in candidates]
        yield {"score": f"{name}, by {score}", "Spearman": rounded(spearmanr(best, known["score"])[0]), **head}
    rule = [_is_below(study.tree, rows).max() for rows in candidates]
    yield {"score": RULE, "Spearman": rounded(spearmanr(rule, known["score"])[0]), **head}


def _is_below(tree: Hierarchy, rows: Int32Array) -> Float64Array:
    """Return 1 for pairs whose second row is an ancestor of the first, or the first itself, 0 for others."""
    return ((rows[0] == rows[1]) | tree.is_ancestor(rows[1], rows[0])).astype(np.float64)


def _synsets_of_nouns(tree: Hierarchy) -> dict[str, list[int]]:
    """Return the rows of the synsets of each noun."""
    senses = read_wordnet(find_wordnet(), "n").senses
    rows = tree.rows(senses["offset"])
    table = pd.DataFrame({"lemma": senses["lemma"].str.replace("_", " "), "row": rows})
    return table.groupby("lemma")["row"].apply(list).to_dict()
