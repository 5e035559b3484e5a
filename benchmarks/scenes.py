"""The scenes family: the document's recipes and their ablation on the same graphs, and five seeds of the default."""

import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt

import numpy as np
import pandas as pd

from benchmarks.measuring import KEDRO, Cost, artifact, cost_of
from benchmarks.parameters import parameters_of
from benchmarks.results import Row, report_table
from benchmarks.scenes_curves import Curve, measure_curve
from terrarium.scenes.options import AugmentationOptions

RECIPES = {
    "recipes/scenes/default_v2": "0.06",
    "recipes/scenes/large": "0.11",
    "recipes/scenes/tuned": "0.055",
    "recipes/scenes/optimized": "0.045",
    "recipes/scenes/v1": "",
}
"""The document's final loss of each environment, on its own data."""
ABLATION: dict[str, dict[str, str]] = {
    "optimized": {},
    "head of half width": {"model.head": "half"},
    "no normalisation": {"model.normalised": "false"},
    "no dropped edges": {"training.augmentation.drop_edge": "0.0"},
    "Adam without decay": {"training.optimizer": "adam", "training.weight_decay": "0.0"},
    "no clipping": {"training.clip_norm": "0.0"},
    "no warm-up": {"training.schedule.warmup_epochs": "0"},
    "no cosine": {"training.schedule.cosine": "false"},
    "mixed precision": {"training.precision": "bf16-mixed"},
}
"""One change of the improved settings taken back at a time; all but the last in float32, as a CPU emulates bf16."""
_A, _O = "training.augmentation", "training.objective"
_STILL = {f"{_A}.{name}": "0.0" for name in ("node_noise", "edge_noise", "temporal")}
SWEEP: dict[str, dict[str, str]] = {
    "default": {},
    "embedding handed out": {"model.export": "embedding"},
    "noise 0.2, edges and nodes dropped": {
        **_STILL,
        **{f"{_A}.{name}_noise": "0.2" for name in ("node", "edge")},
        **{f"{_A}.drop_{name}": "0.1" for name in ("node", "edge")},
    },
    "no positives a second later": {f"{_A}.temporal": "0.0"},
    "noise 2": {f"{_A}.node_noise": "2.0", f"{_A}.edge_noise": "2.0"},
    "temperature 0.07": {f"{_O}.temperature": "0.07"},
    "temperature 0.2": {f"{_O}.temperature": "0.2"},
    "VICReg": {f"{_O}.name": "vicreg"},
    "BGRL": {f"{_O}.name": "bgrl"},
    "masked features": {f"{_O}.name": "masked", **_STILL},
    "dimension 192, hidden 384": {"model.dim": "192", "model.hidden": "384"},
    "batch 384": {"training.batch_size": "384"},
    "rate 0.0015": {"training.schedule.learning_rate": "0.0015"},
    "weight decay 5e-6": {"training.weight_decay": "0.000005"},
}
"""Changes of the default, compared on validation scenes."""
SEEDS = (0, 1, 2, 3, 4)
T_95 = 2.776
"""Student's t of four degrees of freedom: the interval of a mean of five."""
EPOCHS, SCENES = "TERRARIUM_SCENES_EPOCHS", "TERRARIUM_SCENES"
"""Environment variables: epochs of every recipe, such as `6` or `6,recipes/scenes/large=1`, and scenes of each variant.

Without them each recipe has its own epochs, on the scenes of the default.
"""
CURVE = 12
"""Epochs at which a recipe is measured, about."""
BRIEF = {"evaluation.coverage.permutations": "1", "evaluation.random_encoders": "1"}
"""What spares a run measures that a row does not show."""
MEASURES = ("probe_macro_f1", "knn_macro_f1", "retrieval_map")
LABELS = ("linear probe, macro F1", "nearest neighbours, macro F1", "retrieval, mean average precision")


@dataclass(frozen=True)
class Outcome:
    """What a run left."""

    history: pd.DataFrame
    metrics: dict[str, float]
    coverage: dict[str, float]
    cost: Cost
    curve: Curve | None = None


def recipes() -> None:
    """The document's environments on the same graphs, by measures that compare, beside its losses; all in float32."""
    report_table("scenes_recipes", _variants({name: ({}, name) for name in RECIPES}, RECIPES))


def ablation() -> None:
    """The improved settings with one change taken back at a time."""
    variants = {name: (given, "recipes/scenes/optimized") for name, given in ABLATION.items()}
    report_table("scenes_ablation", _variants(variants, {}))


def quality() -> None:
    """Five seeds of encoder and training on the default's graphs: means with 95 % intervals, beside the baselines."""
    with tempfile.TemporaryDirectory() as data:
        prepare(data)
        found = [
            run({"training.seed": str(s), "model.seed": str(s), "evaluation.seed": str(s)}, None, data) for s in SEEDS
        ]
    report_table("scenes_quality", _quality(found), seed="0 to 4")


def _quality(found: list[Outcome]) -> Iterator[Row]:
    columns = {
        "trained": "",
        "untrained encoder": "_random_encoder",
        "ten statistics": "_ten_statistics",
        "WL kernel": "_wl_kernel",
    }
    for measure, label in zip(MEASURES, LABELS, strict=True):
        cells = {name: interval([done.metrics[measure + ending] for done in found]) for name, ending in columns.items()}
        yield {"metric": label, **cells}
    for measure in sorted({*found[0].metrics} - {key for key in found[0].metrics if key.startswith(MEASURES)}):
        yield {"metric": measure, "trained": interval([done.metrics[measure] for done in found])}
    for measure in found[0].coverage:
        yield {"metric": measure, "trained": interval([done.coverage[measure] for done in found])}
    yield {"metric": "training, minutes", "trained": interval([done.history["seconds"].sum() / 60 for done in found])}


def sweep() -> None:
    """Changes of the default on validation scenes, which nothing is reported on."""
    report_table("scenes_sweep", _sweep())


def _sweep() -> Iterator[Row]:
    columns = ("cross-view top-1", "probe F1", "neighbours F1", "retrieval MAP", "deletion test recall")
    with tempfile.TemporaryDirectory() as data:
        prepare(data)
        for name, given in SWEEP.items():
            done = run(given | {"evaluation.part": "validation"} | BRIEF, None, data)
            numbers = [done.metrics[measure] for measure in ("cross_view_top_1", *MEASURES)]
            cells = [f"{value:.3f}" for value in (*numbers, done.coverage["known_hole_recall"])]
            seconds = f"{done.history.seconds.median():.1f}"
            yield {"change": name, **dict(zip(columns, cells, strict=True)), "seconds per epoch": seconds}


def loading() -> None:
    """Microseconds of processor time a graph, from the file to a batch of tensors, in batches of 384."""
    from terrarium.scenes.graphs.columns import from_state
    from terrarium.scenes.graphs.features import encode, fit_encoding
    from terrarium.scenes.models.encoder import batch_of
    from terrarium.scenes.training.augmentations import plain_view
    from terrarium.training.checkpointing.state import read_state

    with tempfile.TemporaryDirectory() as data:
        prepare(data)
        times, file = [], artifact(data, "graphs.safetensors")
        for _ in range(5):
            start = time.process_time()
            graphs = from_state(read_state(file))
            rows = np.arange(len(graphs))
            numbers = encode(graphs, fit_encoding(graphs, rows, scaled=True, relations="strict"))
            for chosen in np.split(rows, range(384, len(rows), 384)):
                batch_of(plain_view(graphs, *numbers, chosen))
            times.append((time.process_time() - start) / len(graphs) * 1e6)
    row = {
        "what": f"from the file to a batch of tensors, {len(graphs):,} graphs, batches of 384",
        "microseconds of CPU per graph": f"{pd.Series(times).median():.1f}",
        "repeats": len(times),
    }
    report_table("scenes_loading", [row])


def interval(values: list[float]) -> str:
    """Mean and half the width of its 95 % interval; the mean alone when all are the same."""
    series = pd.Series(values, dtype="float64")
    half = T_95 * float(series.std()) / sqrt(len(series)) if len(series) > 1 else 0.0
    return f"{series.mean():.3f}" + (f" ± {half:.3f}" if half > 5e-4 else "")


def _variants(variants: dict[str, tuple[dict[str, str], str]], documented: dict[str, str]) -> Iterator[Row]:
    """Run variants; the first one is what the others are compared with."""
    print(f"{_size()}, seed 0, float32 where nothing else is said\n")
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
            cells = _cells(done, done.curve, first, documented.get(name, ""))
            yield {"recipe": name.rpartition("/")[2], **dict(zip(columns, cells, strict=True))}


def _size() -> str:
    scenes = os.environ.get(SCENES)
    return f"{scenes} scenes a variant" if scenes else "the default's scenes"


def _cells(done: Outcome, curve: Curve, first: Curve, documented: str) -> list[str]:
    """Equal quality is the top-1 at the end of whichever of the two ends lower."""
    history, metrics = done.history, done.metrics
    equal = min(curve.validation[-1], first.validation[-1])
    return [
        f"{len(history)}",
        f"{history.iloc[-1]['loss']:.3f}" + (f" ({documented})" if documented else ""),
        f"{curve.validation[0]:.3f}",
        f"{curve.validation[-1]:.3f}",
        f"{curve.gap:+.3f}",
        f"{curve.reached(equal)} ({first.reached(equal)})",
        f"{history['gradient_norm'].median():.2f}",
        f"{history['seconds'].median():.1f}",
        *(f"{metrics[name]:.3f}" for name in ("cross_view_top_1", *MEASURES)),
    ]


def epochs_of(environment: str) -> int:
    """Epochs of a recipe: as the environment variable says, or its own."""
    written = dict(part.rpartition("=")[::2] for part in os.environ.get(EPOCHS, "").split(",") if part)
    chosen = written.get(environment) or written.get("")
    return int(chosen or parameters_of("scenes", environment)["training"]["max_epochs"])


def prepare(data: str) -> None:
    """Tracks, graphs and labels of the default, which all runs share; recipes make graphs of their own."""
    scenes = os.environ.get(SCENES)
    names = parameters_of("scenes", "local")["source"]["simulator"]["variants"] if scenes else ()
    written = [f"data_root={data}", *(f"scenes.source.simulator.variants.{name}.scenes={scenes}" for name in names)]
    cost_of([KEDRO, "run", "--pipelines=scenes", "--tags=ingestion,features", f"--params={','.join(written)}"])


def of_recipe(environment: str) -> dict[str, str]:
    """What a recipe is given: its epochs, and checkpoints for its curve."""
    epochs = epochs_of(environment)
    return {
        "training.max_epochs": str(epochs),
        "training.checkpoints.keep_every": str(max(1, epochs // CURVE)),
    } | BRIEF


def run(parameters: dict[str, str], environment: str | None, data: str) -> Outcome:
    """Train and evaluate in a copy of the shared folder; a recipe builds its graphs from the shared tracks before."""
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
    views = AugmentationOptions.model_validate(parameters_of("scenes", environment)["evaluation"]["views"])
    return measure_curve(folder, views, seed=0)
