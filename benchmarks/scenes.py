"""The scenes family: the graph embedding recipes and an ablation on the same graphs, and five seeds of the default."""

import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from benchmarks.measuring import KEDRO, Cost, artifact, cost_of
from benchmarks.parameters import parameters_of
from benchmarks.results import Row, report_table
from benchmarks.scenes_curves import Curve, measure_curve
from terrarium.scenes.options import AugmentationOptions

RECIPES = {
    "recipes/scenes/graph_embedding_default": "0.06",
    "recipes/scenes/graph_embedding_large": "0.11",
    "recipes/scenes/graph_embedding_tuned": "0.055",
    "recipes/scenes/graph_embedding_v2": "0.045",
    "recipes/scenes/graph_embedding_v1": "",
}
"""Final loss reported for each recipe, on other data (Graph embedding V2)."""
ABLATION: dict[str, dict[str, str]] = {
    "graph_embedding_v2": {},
    "projection of half width": {"model.projection_dim": "96"},
    "no normalization": {"model.l2_normalize": "false"},
    "no dropped edges": {"training.augmentation.edge_drop_prob": "0.0"},
    "Adam without decay": {"training.optimizer.name": "adam", "training.optimizer.weight_decay": "0.0"},
    "no clipping": {"training.optimizer.clip_norm": "0.0"},
    "no warm-up": {"training.schedule.warmup_epochs": "0"},
    "no cosine": {"training.schedule.cosine": "false"},
    "mixed precision": {"training.precision": "bf16-mixed"},
}
"""Changes of graph_embedding_v2, one at a time; all but the last in float32, because a CPU emulates bf16."""
_A, _L = "training.augmentation", "training.loss"
_STILL = {f"{_A}.{name}": "0.0" for name in ("node_noise", "edge_noise", "temporal_positive_prob")}
SWEEP: dict[str, dict[str, str]] = {
    "default": {},
    "noise 0.2, edges and nodes dropped": {
        **_STILL,
        **{f"{_A}.{name}_noise": "0.2" for name in ("node", "edge")},
        **{f"{_A}.{name}_drop_prob": "0.1" for name in ("node", "edge")},
    },
    "no temporal positives": {f"{_A}.temporal_positive_prob": "0.0"},
    "noise 2": {f"{_A}.node_noise": "2.0", f"{_A}.edge_noise": "2.0"},
    "temperature 0.07": {f"{_L}.temperature": "0.07"},
    "temperature 0.2": {f"{_L}.temperature": "0.2"},
    "dimension 192, hidden channels 384": {"model.dim": "192", "model.hidden_channels": "384"},
    "batch 384": {"training.batch_size": "384"},
    "rate 0.0015": {"training.optimizer.learning_rate": "0.0015"},
    "weight decay 5e-6": {"training.optimizer.weight_decay": "0.000005"},
}
"""Changes of the training, compared by the readout of the encoder on validation scenes."""
SEEDS = (0, 1, 2, 3, 4)
EPOCHS, SCENES = "TERRARIUM_SCENES_EPOCHS", "TERRARIUM_SCENES"
"""Environment variables: epochs of every recipe, such as `6` or `6,graph_embedding_large=1`; scenes of each variant.

By default each recipe has its own number of epochs, and the scenes are those of the defaults.
"""
CURVE = 12
"""About how many epochs of a recipe are measured."""
BRIEF = {"evaluation.coverage.num_permutations": "1", "evaluation.num_random_encoders": "1"}
"""Options that skip measures which the tables do not show."""
MEASURES = ("probe_macro_f1", "knn_macro_f1", "retrieval_map")
LABELS = ("linear probe, macro F1", "nearest neighbours, macro F1", "retrieval, mean average precision")


@dataclass(frozen=True)
class Outcome:
    """Results of a run."""

    history: pd.DataFrame
    metrics: dict[str, float]
    coverage: dict[str, float]
    cost: Cost
    curve: Curve | None = None


def recipes() -> None:
    """Compare the graph embedding recipes on the same graphs, next to their claimed losses; all in float32."""
    variants = {recipe_name(name): ({}, name) for name in RECIPES}
    report_table("scenes_recipes", _variants(variants, {recipe_name(name): loss for name, loss in RECIPES.items()}))


def ablation() -> None:
    """Compare graph_embedding_v2 with one change at a time."""
    variants = {name: (given, "recipes/scenes/graph_embedding_v2") for name, given in ABLATION.items()}
    report_table("scenes_ablation", _variants(variants, {}))


def quality() -> None:
    """Measure five seeds on the default graphs, next to the baselines: means with 95 % intervals."""
    with tempfile.TemporaryDirectory() as data:
        prepare(data)
        found = [
            run({"training.seed": str(s), "model.seed": str(s), "evaluation.seed": str(s)}, None, data) for s in SEEDS
        ]
    report_table("scenes_quality", _quality(found), seed="0 to 4")


def _quality(found: list[Outcome]) -> Iterator[Row]:
    columns = {
        "graphlets": "",
        "trained encoder": "_trained_encoder",
        "untrained encoder": "_random_encoder",
        "ten statistics": "_ten_statistics",
        "WL kernel": "_wl_kernel",
    }
    for measure, label in zip(MEASURES, LABELS, strict=True):
        cells = {name: interval([done.metrics[measure + ending] for done in found]) for name, ending in columns.items()}
        yield {"metric": label, **cells}
    for measure in sorted({*found[0].metrics} - {key for key in found[0].metrics if key.startswith(MEASURES)}):
        yield {"metric": measure, "graphlets": interval([done.metrics[measure] for done in found])}
    for measure in found[0].coverage:
        yield {"metric": measure, "graphlets": interval([done.coverage[measure] for done in found])}
    minutes = interval([done.history["seconds"].sum() / 60 for done in found])
    yield {"metric": "training, minutes", "trained encoder": minutes}


def sweep() -> None:
    """Compare changes of the defaults on validation scenes, which no reported number uses."""
    report_table("scenes_sweep", _sweep())


def _sweep() -> Iterator[Row]:
    columns = ("cross-view top-1", "probe F1", "neighbours F1", "retrieval MAP", "deletion test recall")
    with tempfile.TemporaryDirectory() as data:
        prepare(data)
        for name, given in SWEEP.items():
            done = run(given | {"model.output": "readout", "evaluation.split": "validation"} | BRIEF, None, data)
            numbers = [done.metrics[measure] for measure in ("cross_view_top_1", *MEASURES)]
            cells = [f"{value:.3f}" for value in (*numbers, done.coverage["deletion_recall"])]
            seconds = f"{done.history.seconds.median():.1f}"
            yield {"change": name, **dict(zip(columns, cells, strict=True)), "seconds per epoch": seconds}


def loading() -> None:
    """Measure CPU time per graph, in microseconds, from the file to a batch of 384 graphs as tensors."""
    from terrarium.scenes.graphs.columns import from_state
    from terrarium.scenes.graphs.features import fit_encoding
    from terrarium.scenes.graphs.views import encode_graphs
    from terrarium.scenes.models.encoder import batch_of
    from terrarium.training.checkpointing.state import read_state

    with tempfile.TemporaryDirectory() as data:
        prepare(data)
        times, file = [], artifact(data, "graphs.safetensors")
        for _ in range(5):
            start = time.process_time()
            graphs = from_state(read_state(file))
            rows = np.arange(len(graphs))
            encoded = encode_graphs(graphs, fit_encoding(graphs, rows, standardize=True, relation_encoding="one_hot"))
            for chosen in np.split(rows, range(384, len(rows), 384)):
                batch_of(encoded.view(chosen))
            times.append((time.process_time() - start) / len(graphs) * 1e6)
    row = {
        "what": f"from the file to a batch of tensors, {len(graphs):,} graphs, batches of 384",
        "microseconds of CPU per graph": f"{pd.Series(times).median():.1f}",
        "repeats": len(times),
    }
    report_table("scenes_loading", [row])


def interval(values: list[float]) -> str:
    """Format the mean and half of its 95 % interval (Student's t); the mean alone of equal values or a single one."""
    from scipy.stats import t

    series = pd.Series(values, dtype="float64")
    half = float(t.ppf(0.975, len(series) - 1) * series.sem()) if len(series) > 1 else 0.0
    return f"{series.mean():.3f}" + (f" ± {half:.3f}" if half > 5e-4 else "")


def _variants(variants: dict[str, tuple[dict[str, str], str]], claimed: dict[str, str]) -> Iterator[Row]:
    """Run variants; the first one is what the others are compared with."""
    print(f"{_size()}, seed 0, float32 unless stated\n")
    columns = (
        *("epochs", "loss, last epoch (claimed)", "top-1 untrained", "top-1", "training's top-1 minus it"),
        *("epochs to equal quality (of the first)", "gradient norm", "seconds per epoch"),
        *("cross-view top-1, test", "probe F1", "neighbours F1", "retrieval MAP"),
    )
    first: Curve | None = None
    with tempfile.TemporaryDirectory() as data:
        prepare(data)
        for name, (given, environment) in variants.items():
            done = run({"training.precision": "32-true"} | given, environment, data)
            assert done.curve is not None
            first = first or done.curve
            cells = _cells(done, done.curve, first, claimed.get(name, ""))
            yield {"recipe": name, **dict(zip(columns, cells, strict=True))}


def _size() -> str:
    scenes = os.environ.get(SCENES)
    return f"{scenes} scenes per variant" if scenes else "the default scenes"


def _cells(done: Outcome, curve: Curve, first: Curve, reported: str) -> list[str]:
    """Format a row; equal quality is the lower final top-1 of the variant and the reference."""
    history, metrics = done.history, done.metrics
    equal = min(curve.validation[-1], first.validation[-1])
    return [
        f"{len(history)}",
        f"{history.iloc[-1]['loss']:.3f}" + (f" ({reported})" if reported else ""),
        f"{curve.validation[0]:.3f}",
        f"{curve.validation[-1]:.3f}",
        f"{curve.gap:+.3f}",
        f"{curve.reached(equal)} ({first.reached(equal)})",
        f"{history['gradient_norm'].median():.2f}",
        f"{history['seconds'].median():.1f}",
        *(f"{metrics[name]:.3f}" for name in ("cross_view_top_1", *MEASURES)),
    ]


def recipe_name(environment: str) -> str:
    """Return the name of a recipe without its folder."""
    return environment.rpartition("/")[2]


def epochs_of(environment: str) -> int:
    """Return the epochs of a recipe: those of the environment variable, or its own."""
    written = dict(part.rpartition("=")[::2] for part in os.environ.get(EPOCHS, "").split(",") if part)
    chosen = written.get(recipe_name(environment)) or written.get("")
    return int(chosen or parameters_of("scenes", environment)["training"]["max_epochs"])


def prepare(data: str) -> None:
    """Make tracks, graphs and labels of the defaults, which all runs share; recipes build their own graphs."""
    scenes = os.environ.get(SCENES)
    names = parameters_of("scenes", "local")["source"]["simulator"]["variants"] if scenes else ()
    written = [f"data_root={data}", *(f"scenes.source.simulator.variants.{name}.scenes={scenes}" for name in names)]
    cost_of([KEDRO, "run", "--pipelines=scenes", "--tags=ingestion,features", f"--params={','.join(written)}"])


def of_recipe(environment: str) -> dict[str, str]:
    """Return the parameters of a recipe's run: its epochs, and checkpoints for its curve."""
    epochs = epochs_of(environment)
    return {
        "training.max_epochs": str(epochs),
        "training.checkpoints.keep_every": str(max(1, epochs // CURVE)),
    } | BRIEF


def run(parameters: dict[str, str], environment: str | None, data: str) -> Outcome:
    """Train and evaluate in a copy of the shared folder; a recipe first builds its graphs from the shared tracks."""
    given = parameters | (of_recipe(environment) if environment else {})
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(data, folder, dirs_exist_ok=True)
        written = ",".join([f"data_root={folder}", *(f"scenes.{name}={value}" for name, value in given.items())])
        chosen = [] if environment is None else [f"--env={environment}"]
        stages = "--tags=training,evaluation" if environment is None else "--tags=features,training,evaluation"
        cost = cost_of([KEDRO, "run", *chosen, "--pipelines=scenes", stages, f"--params={written}"])
        return Outcome(
            pd.read_parquet(artifact(folder, "history.parquet")),
            json.loads(artifact(folder, "metrics.json").read_text(encoding="utf-8")),
            json.loads(artifact(folder, "coverage_metrics.json").read_text(encoding="utf-8")),
            cost,
            _curve(folder, environment) if environment else None,
        )


def _curve(folder: str, environment: str) -> Curve:
    views = AugmentationOptions.model_validate(parameters_of("scenes", environment)["evaluation"]["augmentation"])
    return measure_curve(folder, views, seed=0)
