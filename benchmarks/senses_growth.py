"""Growth against fixed widths: quality after each epoch next to the parameters updated so far."""

import os
import tempfile
from collections.abc import Iterator

import numpy as np
import pandas as pd
from kedro.config import OmegaConfigLoader

from benchmarks.measuring import KEDRO, artifact, cost_of
from benchmarks.results import ROOT, Row, report_table
from benchmarks.senses import similarity_files
from terrarium.senses.data.relations import Lexicon
from terrarium.senses.evaluation.ranking import filtered_ranks, ranking_metrics
from terrarium.senses.evaluation.similarity import WordPair, find_senses, similarity_metrics
from terrarium.senses.models.vectors import build_vectors
from terrarium.senses.options import Options
from terrarium.senses.training.problem import build_problem
from terrarium.senses.training.trainer import SenseTrainer

VARIANTS: dict[str, tuple[int, str | None]] = {
    "fixed 32": (32, None),
    "fixed 64": (64, None),
    "fixed 128": (128, None),
    "grown from 64 by need": (64, "need"),
    "grown from 64 by the timetable": (64, "timetable"),
}
"""Dimensions at the start, and the growth rule."""
EPOCHS, LARGEST, RANKED = 4, 128, 150
FEATURES = "TERRARIUM_SENSES_FEATURES"
"""Environment variable: the data root of a finished run, whose features are used; without it they are made."""


def main() -> None:
    """Train each variant on the same features and report its curve, and the relations' ranks at its end."""
    report_table("senses_growth", _curves())


def _curves() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as temporary:
        folder = os.environ.get(FEATURES, temporary)
        if folder == temporary:
            files = [f"senses.source.similarity.{name}={path}" for name, path in similarity_files().items()]
            given = ",".join([f"data_root={folder}", f"senses.model.dim={LARGEST}", *files])
            cost_of([KEDRO, "run", "--pipelines=senses", "--tags=ingestion,features", f"--params={given}"])
        names = ("synsets", "senses", "pairs", "ancestors", "information_content", "spectral", "word_pairs")
        tables = {name: pd.read_parquet(artifact(folder, f"{name}.parquet")) for name in names}
    words = find_senses(
        tables.pop("word_pairs"), Lexicon(tables["synsets"], tables["senses"], tables["pairs"], pd.DataFrame())
    )
    for name, (dim, rule) in VARIANTS.items():
        yield from _curve(name, tables, words, _options(dim, rule))


def _curve(name: str, tables: dict[str, pd.DataFrame], words: list[WordPair], options: Options) -> Iterator[Row]:
    problem = build_problem(**tables, named_axes=options.training.named_axes)
    trainer, updates = SenseTrainer(problem, options.model, options.training), 0.0
    for epoch in range(1, EPOCHS + 1):
        history = trainer.epoch(epoch)
        updates += history["parameters"]
        vectors = build_vectors(trainer.weights(), tables["senses"])
        similarity = similarity_metrics(words, vectors.senses).get("simlex999_spearman", float("nan"))
        mrr = ""
        if epoch == EPOCHS:
            table = ranking_metrics(filtered_ranks(vectors, tables["pairs"], RANKED, np.random.default_rng(0)))
            mrr = f"{np.average(table['mrr'], weights=table['queries']):.3f}"
        yield {
            "variant": name,
            "epoch": epoch,
            "dimensions": int(history["dim"]),
            "parameter updates (10^9)": f"{updates / 1e9:.3f}",
            "validation loss": f"{history['validation_loss']:.3f}",
            "SimLex-999": f"{similarity:.3f}",
            "test MRR": mrr,
        }


def _options(dim: int, rule: str | None) -> Options:
    loader = OmegaConfigLoader(str(ROOT / "conf"), env="base", base_env="base", default_run_env="base")
    tree = loader["parameters"]["senses"]
    tree["model"]["dim"], tree["training"]["max_epochs"] = dim, EPOCHS
    growth = tree["training"]["growth"]
    growth |= {"enabled": rule is not None, "rule": rule or "need", "max_dim": LARGEST, "expand_by": LARGEST - dim or 1}
    return Options.model_validate(tree)
