"""Quality of the default sense vectors: three seeds, with and without glosses, next to their start and to formulas."""

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.measuring import KEDRO, artifact, cost_of
from benchmarks.results import Row, report_table
from benchmarks.senses import similarity_files
from terrarium.common.statistics import spearman
from terrarium.senses.data.relations import Lexicon
from terrarium.senses.data.taxonomy import build_taxonomy, lin_similarity
from terrarium.senses.evaluation.similarity import find_senses

SEEDS = "TERRARIUM_SENSES_SEEDS"
"""Environment variable: the seeds, by default 0,1,2."""
RUNS = "TERRARIUM_SENSES_RUNS"
"""Environment variable: a folder where finished runs are kept and found again; without it they are temporary."""
MEASURES = {
    "SimLex-999": "simlex999_spearman",
    "SimLex-999, nouns": "simlex999_n_spearman",
    "SimLex-999, verbs": "simlex999_v_spearman",
    "SimLex-999, adjectives": "simlex999_a_spearman",
    "SimLex-999, pairs without a training link": "simlex999_unlinked_spearman",
    "WordSim-353, similarity": "wordsim353_sim_spearman",
    "WordSim-353, relatedness": "wordsim353_rel_spearman",
    "held-out antonyms against near synonyms, AUC": "antonym_auc_near_synonym",
    "the same, text alone": "antonym_text_auc_near_synonym",
    "the same, cosine with the better sign": "antonym_cosine_auc_near_synonym",
    "held-out antonyms against random adjectives, AUC": "antonym_auc_random",
    "against random adjectives, text alone": "antonym_text_auc_random",
    "against random adjectives, cosine with the better sign": "antonym_cosine_auc_random",
    "indirect antonyms of trained heads, AUC of opposition": "antonym_opposition_auc_indirect",
    "indirect antonyms of held-out heads, AUC of opposition": "antonym_opposition_auc_indirect_held_out",
    "is-a direction, held-out links": "is_a_direction",
    "is-a direction, distant ancestors": "is_a_direction_transitive",
    "held-out relations, filtered MRR": "test_mrr",
    "axes": "axes",
    "axes above random directions, other half of the trained antonyms": "axes_beyond_null",
    "axes tested on held-out antonyms": "axes_held_out",
    "axes above random directions, held-out antonyms": "axes_held_out_beyond_null",
    "exact zeros": "exact_zeros",
}
CUTS = ("trained", "untrained", "70% zeros", "80% zeros", "90% zeros", "PCA to 64", "PCA to 32", "random")
FORMULAS = {"path": "path similarity", "lin": "Lin similarity"}


def main() -> None:
    """Measure the default vectors and their cuts; the files of word pairs are in the folder TERRARIUM_WORDSIM."""
    folders = _runs("true")
    report_table("senses_quality", _quality(folders), seed=", ".join(_seeds()))
    report_table("senses_variants", _variants(folders), seed=f"median of {', '.join(_seeds())}")
    report_table("senses_formulas", _formulas(folders[0]))


def without_glosses() -> None:
    """Measure the vectors whose start uses no glosses: a gloss often names the hypernym."""
    report_table("senses_quality_no_glosses", _quality(_runs("false")), seed=", ".join(_seeds()))


def _seeds() -> list[str]:
    return os.environ.get(SEEDS, "0,1,2").split(",")


def _runs(glosses: str) -> list[str]:
    return [_run(glosses, seed) for seed in _seeds()]


def _run(glosses: str, seed: str) -> str:
    """Return the folder of a finished run."""
    kept = os.environ.get(RUNS)
    folder = str(Path(kept) / f"glosses-{glosses}-{seed}") if kept else tempfile.mkdtemp()
    if not list(Path(folder).rglob("metrics.json")):
        files = [f"senses.source.similarity.{name}={path}" for name, path in similarity_files().items()]
        given = [f"data_root={folder}", f"seed={seed}", f"senses.features.glosses={glosses}", *files]
        cost_of([KEDRO, "run", "--pipelines=senses", f"--params={','.join(given)}"])
    return folder


def _quality(folders: list[str]) -> Iterator[Row]:
    runs = [_metrics(folder) for folder in folders]
    for label, column in MEASURES.items():
        trained, untrained, random = ([run[kind].get(column, np.nan) for run in runs] for kind in range(3))
        yield {
            "metric": label,
            "median": _median(trained),
            "by seed": ", ".join(f"{value:.3f}" for value in trained),
            "untrained": _median(untrained),
            "random vectors": _median(random),
        }


def _variants(folders: list[str]) -> Iterator[Row]:
    tables = [pd.read_parquet(artifact(folder, "variant_metrics.parquet")).set_index("variant") for folder in folders]
    columns = {"exact zeros": "exact_zeros", **{name: MEASURES[name] for name in list(MEASURES)[:7]}}
    columns["is-a direction"] = "is_a_direction"
    for cut in CUTS:
        cells = {name: _median([table.loc[cut, column] for table in tables]) for name, column in columns.items()}
        yield {"vectors": cut, "dimensions": int(tables[0].loc[cut, "dim"]), **cells}


def _metrics(folder: str) -> tuple[dict[str, float], dict[str, float], dict[str, float]]:
    """Return the metrics of the trained, the untrained and random vectors."""
    trained = json.loads(artifact(folder, "metrics.json").read_text(encoding="utf-8"))
    variants = pd.read_parquet(artifact(folder, "variant_metrics.parquet")).set_index("variant")
    relations = pd.read_parquet(artifact(folder, "relation_metrics.parquet"))
    others = []
    for kind in ("untrained", "random"):
        mrr = float(np.average(relations[f"{kind}_mrr"], weights=relations["queries"]))
        others.append({**variants.loc[kind].to_dict(), "test_mrr": mrr})
    return trained, *others


def _formulas(folder: str) -> Iterator[Row]:
    """Return the rank correlations of similarities that need no vectors, on the training pairs."""
    names = ("synsets", "senses", "pairs", "ancestors", "information_content", "word_pairs")
    synsets, senses, pairs, ancestors, content, words = (
        pd.read_parquet(artifact(folder, f"{name}.parquet")) for name in names
    )
    found = find_senses(words, Lexicon(synsets, senses, pairs, pd.DataFrame()))
    taxonomy = build_taxonomy(ancestors, content["information_content"].to_numpy(np.float32), synsets["pos"])
    row, up = senses["synset_row"].to_numpy(), dict(tuple(ancestors.groupby("descendant")))
    depths = {end: dict(zip(own["ancestor"], own["depth_diff"], strict=True)) | {end: 0} for end, own in up.items()}

    def path(a: int, b: int) -> float:
        first, second = depths.get(a, {a: 0}), depths.get(b, {b: 0})
        common = first.keys() & second.keys()
        if common:
            return 1 / (1 + min(first[c] + second[c] for c in common))
        if synsets["pos"].iloc[a] == synsets["pos"].iloc[b] == "v":
            return 1 / (3 + max(first.values()) + max(second.values()))
        return 0.0

    for kind, label in FORMULAS.items():
        cells: dict[str, object] = {"similarity": label}
        scores = []
        for pair in found:
            ends = [(a, b) for a in row[pair.first] for b in row[pair.second]]
            if kind == "lin" and ends:
                first, second = np.array(ends, np.int32).T
                scores.append(float(lin_similarity(taxonomy, first, second).max()))
            else:
                scores.append(max((path(a, b) for a, b in ends), default=np.nan))
        table = pd.DataFrame(
            {"dataset": [p.dataset for p in found], "pos": [p.pos for p in found], "human": [p.score for p in found]}
        ).assign(score=scores)
        for name in list(MEASURES)[:7]:
            dataset, _, part = MEASURES[name].removesuffix("_spearman").partition("simlex999_")
            if part == "unlinked":
                continue
            own = table[table["dataset"] == ("simlex999" if part else dataset)].dropna(subset="score")
            own = own[own["pos"] == part] if part else own
            cells[name] = f"{spearman(own['score'], own['human']):.3f}"
        yield cells


def _median(values: list[float]) -> str:
    return f"{np.nanmedian(values):.3f}" if np.isfinite(values).any() else ""
