"""Graph classification without training: the Weisfeiler-Lehman subtree kernel and label counts on TU data sets."""

import os
from collections.abc import Iterator

import numpy as np

from benchmarks.parameters import parameters_of
from benchmarks.results import Row, chosen, replace_rows
from terrarium.scenes.options import TUOptions
from terrarium.scenes.tu.benchmark import feature_sums, subtree_counts
from terrarium.scenes.tu.cross_validation import cross_validate
from terrarium.sources.tu import read_tu

FOLDER = "TERRARIUM_TU"
"""Environment variable: the folder of the data sets."""


def kernel() -> None:
    """Classify the data sets that TERRARIUM_ONLY lists, by default those of the pipeline, with its seeds and folds."""
    tu = TUOptions.model_validate(parameters_of("scenes", "local")["tu"])
    replace_rows("scenes_tu_kernel", _rows(tu), seed=f"{tu.seed} to {tu.seed + tu.num_seeds - 1}")


def _rows(tu: TUOptions) -> Iterator[Row]:
    for name in chosen(tu.datasets):
        graphs = read_tu(os.environ[FOLDER], name)
        cells = {}
        for kind, matrix in (
            ("WL subtree kernel", subtree_counts(graphs, tu.wl_iterations)),
            ("label counts", feature_sums(graphs)),
        ):
            seeds = range(tu.seed, tu.seed + tu.num_seeds)
            folds = [
                [
                    fold.accuracy
                    for fold in cross_validate(matrix, graphs.label, tu.n_splits, seed, scale=kind == "label counts")
                ]
                for seed in seeds
            ]
            cells[kind] = accuracy(folds)
        yield {"data": name, **cells}


def accuracy(folds: list[list[float]]) -> str:
    """Format accuracies of each seed and fold in percent: the mean, and the spread over seeds and over folds."""
    table = 100 * np.array(folds)
    return f"{table.mean():.1f} ({table.mean(axis=1).std():.1f}; {table.std(axis=1).mean():.1f})"
