"""The manifest of a run: what it read and wrote, with what parameters and programs, and how it ended."""

import logging
import platform
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

from kedro.io import CatalogProtocol
from kedro.io.core import DatasetError, is_parameter
from kedro.pipeline import Pipeline

from terrarium.datasets.base import copy_at, digest_of, has_version, location
from terrarium.hooks.catalogs import MANIFEST, versioned_dataset, versioned_datasets
from terrarium.hooks.process.identity import this_process
from terrarium.hooks.process.machine import describe_machine

logger = logging.getLogger(__name__)

FORMAT = 1
_FILTERS = ("tags", "from_nodes", "to_nodes", "node_names", "from_inputs", "to_outputs", "namespaces")
_GIT_TIMEOUT_S = 10
_REQUIREMENT = re.compile(r"[A-Za-z0-9._-]+")


def manifest_reader(catalog: CatalogProtocol) -> Callable[[str], Mapping[str, Any] | None]:
    """Return a function from a run's version to its manifest, or to None where there is none that can be read."""
    dataset = versioned_dataset(catalog, MANIFEST)

    @cache
    def read(stamp: str) -> Mapping[str, Any] | None:
        if dataset is None or not has_version(dataset, stamp):
            return None
        try:
            content = copy_at(dataset, stamp).load()
        except DatasetError as error:
            _warn_damaged(location(dataset, stamp), error)
            return None
        if not _is_manifest(content):
            _warn_damaged(location(dataset, stamp), "it is no manifest of this version")
            return None
        return content

    return read


def new_manifest(run_params: Mapping[str, Any], pipeline: Pipeline, catalog: CatalogProtocol) -> dict[str, Any]:
    """Return what is known of a run before its first node."""
    parameters = _parameters(catalog)
    return {
        "format": FORMAT,
        "run": run_params["run_id"],
        "status": "running",
        "node": None,
        "failed_at": None,
        "error": None,
        "started": now(),
        "ended": None,
        "pipelines": list(run_params.get("pipeline_names") or ["__default__"]),
        "filters": {name: _listed(run_params[name]) for name in _FILTERS if run_params.get(name)},
        "load_versions": dict(run_params.get("load_versions") or {}),
        "only_missing_outputs": bool(run_params.get("only_missing_outputs")),
        "environment": run_params.get("env"),
        "runner": str(run_params.get("runner")),
        "read": {},
        "written": {},
        "sha256": {},
        "nodes": {node.name: {"inputs": _data(node.inputs), "outputs": list(node.outputs)} for node in pipeline.nodes},
        "parameters": parameters,
        "runtime_params": to_plain(run_params.get("runtime_params") or {}),
        "seeds": dict(_seeds(parameters)),
        "packages": _packages(),
        "python": platform.python_version(),
        "process": this_process(),
        "machine": describe_machine(),
        "platform": platform.platform(),
        "git": _git(Path(run_params["project_path"])),
    }


def versions_touched(pipeline: Pipeline, catalog: CatalogProtocol) -> dict[str, Any]:
    """Return the versions that a run has written so far and reads from earlier runs, and its unversioned outputs.

    `sha256` has the digest of each version that was written.
    """
    read, written, digests = {}, {}, {}
    consumed = pipeline.all_inputs()
    datasets = versioned_datasets(catalog, pipeline.datasets())
    for name, dataset in datasets.items():
        own = dataset.resolve_save_version()
        if name in pipeline.all_outputs() and own is not None and has_version(dataset, own):
            written[name], digests[name] = own, digest_of(dataset, own)
        elif name in consumed and dataset.exists():
            read[name] = str(dataset.resolve_load_version())
    return {
        "read": read,
        "written": written,
        "sha256": digests,
        "unversioned": sorted(pipeline.all_outputs() - datasets.keys()),
    }


def now() -> str:
    """Return the time in UTC, to the millisecond."""
    return datetime.now(tz=UTC).isoformat(timespec="milliseconds")


def to_plain(value: Any) -> Any:
    """Return `value` with pydantic models turned into dicts and everything that JSON lacks into text."""
    if hasattr(value, "model_dump"):
        return to_plain(value.model_dump(mode="json"))
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [to_plain(item) for item in value]
    return value if value is None or isinstance(value, str | bool | int | float) else str(value)


def _is_manifest(content: Any) -> bool:
    """Return whether `content` has what the hooks look up in a manifest."""
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        return False
    nodes, versions = content.get("nodes"), content.get("read")
    if not isinstance(nodes, dict) or not isinstance(versions, dict) or not isinstance(content.get("status"), str):
        return False
    lists = (node.get(side) for node in nodes.values() if isinstance(node, dict) for side in ("inputs", "outputs"))
    names = [name for side in lists for name in (side if isinstance(side, list) else [None])]
    is_complete = all(isinstance(node, dict) for node in nodes.values())
    return is_complete and all(isinstance(name, str) for name in [*names, *versions.values()])


def _warn_damaged(path: str, fault: object) -> None:
    text = " ".join(str(fault).split())
    logger.warning("%s is damaged and ignored: %s", path, text, extra={"markup": False})


def _data(names: list[str]) -> list[str]:
    return [name for name in names if not is_parameter(name)]


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else [str(item) for item in value]


def _parameters(catalog: CatalogProtocol) -> dict[str, Any]:
    dataset = catalog.get("parameters") if "parameters" in catalog else None
    content: dict[str, Any] = to_plain(dataset.load()) if dataset is not None else {}
    return content


def _seeds(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from _seeds(value, f"{prefix}{key}.")
        elif key == "seed":
            yield f"{prefix}{key}", value


def _packages() -> dict[str, str]:
    """Return the installed versions of this package and of what it requires."""
    try:
        needed = [line for line in requires("terrarium") or [] if "extra ==" not in line]
    except PackageNotFoundError:
        needed = ["kedro", "kedro-datasets", "numpy", "pandas", "torch"]
    names = ["terrarium", *(match[0] for line in needed if (match := _REQUIREMENT.match(line)))]
    found = ((name, _version(name)) for name in sorted(set(names)))
    return {name: number for name, number in found if number is not None}


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _git(project: Path) -> dict[str, Any] | None:
    """Return the commit of the project and whether files differ from it; None outside a repository."""
    try:
        commit = _run_git(project, "rev-parse", "HEAD")
        return {"commit": commit, "dirty": bool(_run_git(project, "status", "--porcelain"))}
    except (OSError, subprocess.SubprocessError):
        return None


def _run_git(project: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=project, capture_output=True, text=True, check=True, timeout=_GIT_TIMEOUT_S
    )
    return done.stdout.strip()
