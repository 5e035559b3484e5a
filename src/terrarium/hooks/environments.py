"""An environment that does not exist stops a run with the name of the one to use."""

from __future__ import annotations

import difflib
from pathlib import Path

from click import ClickException

RENAMED = {
    "hyperbolic_fine_tune": "hyperbolic/float64",
    "hyperbolic_old": "hyperbolic/v0",
    "hyperbolic_v1": "hyperbolic/v1",
    "hyperbolic_v1_clip": "hyperbolic/v1_clip",
    "hyperbolic_v1_lambda": "hyperbolic/v1_lambda",
    "hyperbolic_v1_lr": "hyperbolic/v1_lr",
    "hyperbolic_v2": "hyperbolic/v2",
    "hyperbolic_v2_lambda": "hyperbolic/v2_lambda",
    "hyperbolic_v2_lr": "hyperbolic/v2_lr",
    "hyperbolic_v2_project_all": "hyperbolic/v2_project_all",
    "hyperbolic_v2_riemannian": "hyperbolic/v2_riemannian",
    "hyperbolic_v2_schedule_corrected": "hyperbolic/v2_schedule_corrected",
    "hyperbolic_v2_schedule_written": "hyperbolic/v2_schedule_written",
    "hyperbolic_wordnet": "hyperbolic/wordnet_mammals",
    "hyperbolic_nouns": "hyperbolic/wordnet_nouns",
    "influence_documented": "influence/reference_tracin",
    "influence_small": "influence/small_graphs",
    "complex_dropout": "knowledge_graph/complex_dropout",
    "complex_fb15k237": "knowledge_graph/complex_fb15k237",
    "complex_wn18rr": "knowledge_graph/complex_wn18rr",
    "conve_baseline": "knowledge_graph/conve_baseline",
    "conve_fast": "knowledge_graph/conve_fast",
    "conve_max_memory_savings": "knowledge_graph/conve_max_memory_savings",
    "conve_documented": "knowledge_graph/reference_conve",
    "scenes_carla": "scenes/carla",
    "scenes_default": "scenes/graph_embedding_default",
    "scenes_large": "scenes/graph_embedding_large",
    "scenes_optimized": "scenes/graph_embedding_v2",
    "scenes_tuned": "scenes/graph_embedding_tuned",
    "scenes_v1": "scenes/graph_embedding_v1",
    "senses_aggressive": "senses/aggressive",
    "senses_before": "senses/naomi2_v1",
    "senses_conservative": "senses/conservative",
    "senses_fixed": "senses/fixed",
    "senses_documented": "senses/naomi2",
    "senses_nested": "senses/matryoshka",
}
"""Recipe of each environment that had another name before recipes had folders."""


class EnvironmentNameError(ClickException):
    """An environment without a folder in `conf/`."""


def require_environment(conf: Path, environment: str | None) -> None:
    """Raise EnvironmentNameError, naming the environment to use, unless `conf/<environment>` exists."""
    if environment is not None and conf.is_dir() and not (conf / environment).is_dir():
        raise EnvironmentNameError(f"There is no environment {environment}: {_advice(environment, conf)}")


def list_recipes(conf: Path) -> list[str]:
    """Return the environments below `conf/recipes`, as `--env` takes them."""
    return sorted(path.relative_to(conf).as_posix() for path in conf.glob("recipes/*/*") if path.is_dir())


def _advice(name: str, conf: Path) -> str:
    if name in RENAMED:
        return f"use --env=recipes/{RENAMED[name]}"
    folders = [path.name for path in conf.iterdir() if path.is_dir() and path.name != "recipes"]
    by_last_part = {recipe.rpartition("/")[2]: recipe for recipe in list_recipes(conf)}
    by_name = (
        {folder: folder for folder in folders} | by_last_part | {recipe: recipe for recipe in by_last_part.values()}
    )
    close = difflib.get_close_matches(name, by_name, n=1)
    return f"did you mean --env={by_name[close[0]]}?" if close else "see the folders of conf/ and conf/recipes/"
