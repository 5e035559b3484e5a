"""Which outputs are older than their code, their parameters or their inputs."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import ValidationError

from terrarium.hooks.parameters import FAMILIES, family_models
from terrarium.use.artifacts import Artifacts, MissingArtifactError
from terrarium.use.runs import flatten

COLUMNS = ("dataset", "version", "family", "reason", "what")
_SOURCE = "src/terrarium"
_SHARED = ("common", "hierarchy", "sources", "training", "reporting")
_NOT_OF_RESULTS = ("use/",)
"""What only reads results."""
_SHOWN = 3


def list_stale(data_root: str | Path | None = None, project: Path | None = None) -> pd.DataFrame:
    """Compare the newest version of each dataset with what its command would use today.

    Code counts by family: the files of its library package, of its pipeline and of the shared packages, changed since
    the commit of the run; those of reporting count for figures and reports. Parameters are those of the run's
    environment and of its own `--params`. An input is newer if a later version was saved than the run read or wrote.

    Args:
        data_root: folder of the artifacts; None for the project's.
        project: folder of the project; None for the one around the working directory.

    Returns:
        One row per dataset and reason, datasets in order: dataset, version, family, reason (code, parameters, input),
        what (some of the files, options or datasets). Empty if all is up to date.
    """
    artifacts = Artifacts(data_root, None, project)
    manifests = {str(manifest["run"]): manifest for manifest in artifacts.manifests()}
    newest: dict[str, str] = {}
    for manifest in manifests.values():
        for name, version in manifest["written"].items():
            newest[name] = max(version, newest.get(name, ""))
    rows = []
    for name, version in sorted(newest.items()):
        if version in manifests:
            rows += [
                (name, version, name.partition(".")[0], *reason)
                for reason in _reasons(artifacts, manifests[version], name, newest, data_root)
            ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _reasons(
    artifacts: Artifacts,
    manifest: Mapping[str, Any],
    name: str,
    newest: Mapping[str, str],
    data_root: str | Path | None,
) -> Iterator[tuple[str, str]]:
    family = name.partition(".")[0]
    files = _changed_code(artifacts.project, (manifest.get("git") or {}).get("commit"), family)
    if own := [file for file in files if "reporting/" not in file or _is_shown(name)]:
        yield "code", _some(own)
    if options := _changed_options(artifacts, manifest, family, data_root):
        yield "parameters", _some(options)
    used = {**manifest["read"], **manifest["written"]}
    inputs = {entry for node in manifest["nodes"].values() if name in node["outputs"] for entry in node["inputs"]}
    if later := [entry for entry in sorted(inputs & used.keys()) if newest.get(entry, "") > used[entry]]:
        yield "input", _some(later)


def _changed_options(
    artifacts: Artifacts, manifest: Mapping[str, Any], family: str, data_root: str | Path | None
) -> list[str]:
    """Return the options of a family that differ between a run and the same command today."""
    try:
        today = artifacts.parameters_of(manifest["environment"], manifest["runtime_params"], data_root)
    except MissingArtifactError as error:
        return [str(error)]
    then, now = (_settled(family, tree.get(family, {})) for tree in (manifest["parameters"], today))
    return [f"{family}.{key}" for key in sorted(then.keys() | now.keys()) if then.get(key) != now.get(key)]


def _settled(family: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options by their path, automatic ones with the value that the family's model gives them."""
    try:
        return dict(flatten(family_models()[family].model_validate(options).model_dump(mode="json")))
    except (KeyError, ValidationError):
        return dict(flatten(options))


@cache
def _changed_code(project: Path, commit: str | None, family: str) -> tuple[str, ...]:
    """Return the files of a family's code that differ from a commit; nothing outside a repository."""
    if commit is None:
        return ()
    packages = [*_SHARED, FAMILIES.get(family, family), f"pipelines/{family}"]
    command = ["git", "diff", "--name-only", commit, "--", *(f"{_SOURCE}/{package}" for package in packages)]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    if done.returncode:
        return (f"commit {commit[:10]} is not in this repository",)
    files = (file.removeprefix(f"{_SOURCE}/") for file in done.stdout.split())
    return tuple(file for file in files if not any(part in file for part in _NOT_OF_RESULTS))


def _is_shown(name: str) -> bool:
    """Return whether a dataset is a figure or a report, which code of reporting makes."""
    last = name.rpartition(".")[2]
    return last.startswith("figure_") or last == "report"


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    more = f" and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else ""
    return ", ".join(listed[:_SHOWN]) + more
