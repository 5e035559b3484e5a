"""Tables of runs, from their manifests and metrics."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pandas as pd

from terrarium.use.artifacts import Artifacts, MissingArtifactError

_OF_A_RUN = ("run", "pipelines", "env", "status", "seconds", "seed", "commit")
_ABSENT = "-"


def list_runs(manifests: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Return one row per manifest.

    Returns:
        Columns run, pipelines, env (empty for the default), status, seconds (NaN if it did not end), seed,
        commit (with `+` where files were changed since).
    """
    return pd.DataFrame([_row(manifest) for manifest in manifests], columns=list(_OF_A_RUN))


def compare_runs(artifacts: Artifacts, first: str, second: str) -> pd.DataFrame:
    """Return where two runs differ.

    Args:
        artifacts: where the runs are.
        first, second: their versions.

    Returns:
        Columns kind (parameter, package, metric), name, first, second; `-` where a run has no such value. Paths of the
        data are left out.

    Raises:
        MissingArtifactError: there is no manifest of a run.
    """
    both = [_facts(artifacts, run) for run in (first, second)]
    rows = [
        {"kind": kind, "name": name, "first": _text(a), "second": _text(b)}
        for kind in ("parameter", "package", "metric")
        for name, a, b in _differences(*(facts[kind] for facts in both))
    ]
    return pd.DataFrame(rows, columns=["kind", "name", "first", "second"])


def metrics_of(artifacts: Artifacts, manifest: Mapping[str, Any]) -> dict[str, float]:
    """Return the metrics that a run wrote, such as `hyperbolic.edge_map`."""
    values: dict[str, float] = {}
    for name, version in sorted(manifest["written"].items()):
        if name.endswith(".metrics"):
            try:
                content = artifacts.load(name, version)[name]
            except MissingArtifactError:
                continue
            values |= dict(flatten(content, name.removesuffix(".metrics")))
    return values


def _row(manifest: Mapping[str, Any]) -> dict[str, Any]:
    started, ended = manifest["started"], manifest["ended"]
    git = manifest.get("git") or {}
    return {
        "run": manifest["run"],
        "status": manifest["status"],
        "pipelines": ", ".join(manifest["pipelines"]),
        "env": manifest["environment"] or "",
        "seconds": (pd.Timestamp(ended) - pd.Timestamp(started)).total_seconds() if ended else float("nan"),
        "seed": ", ".join(str(seed) for seed in sorted(set(manifest["seeds"].values()))),
        "commit": (git.get("commit") or "")[:7] + ("+" if git.get("dirty") else ""),
    }


def _facts(artifacts: Artifacts, run: str) -> dict[str, dict[str, Any]]:
    manifest = next((manifest for manifest in artifacts.manifests() if manifest["run"] == run), None)
    if manifest is None:
        versions = ", ".join(artifacts.versions("runs.manifest")[:5])
        raise MissingArtifactError(f"there is no run {run}; the newest are {versions or 'none'}")
    return {
        "parameter": dict(flatten(manifest["parameters"])),
        "package": dict(manifest["packages"]),
        "metric": metrics_of(artifacts, manifest),
    }


def flatten(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the leaves of a tree of options with their names, such as `training.max_epochs`."""
    for key, value in tree.items():
        name = f"{prefix}.{key}" if prefix else str(key)
        if isinstance(value, Mapping):
            yield from flatten(value, name)
        else:
            yield name, value


def _differences(first: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    for name in sorted(first.keys() | second.keys()):
        a, b = first.get(name, _ABSENT), second.get(name, _ABSENT)
        if a != b:
            yield name, a, b


def _text(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
