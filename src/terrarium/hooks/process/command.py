"""The command that makes a run again."""

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

_OPTIONS = {
    "tags": "--tags",
    "from_nodes": "--from-nodes",
    "to_nodes": "--to-nodes",
    "node_names": "--nodes",
    "from_inputs": "--from-inputs",
    "to_outputs": "--to-outputs",
    "namespaces": "--namespaces",
}


def command_of(manifest: Mapping[str, Any]) -> str:
    """Return the command line of a run, from its manifest."""
    words = ["kedro", "run"]
    names = [name for name in manifest.get("pipelines", []) if name != "__default__"]
    if names:
        words.append(f"--pipelines={','.join(names)}")
    if manifest.get("environment"):
        words.append(f"--env={manifest['environment']}")
    words += [f"{_OPTIONS[name]}={','.join(values)}" for name, values in manifest.get("filters", {}).items()]
    versions = manifest.get("load_versions", {})
    if versions:
        words.append("--load-versions=" + ",".join(f"{name}:{version}" for name, version in versions.items()))
    if manifest.get("only_missing_outputs"):
        words.append("--only-missing-outputs")
    params = ",".join(f"{name}={value}" for name, value in _flatten(manifest.get("runtime_params", {})))
    if params:
        words.append(f"--params={params}")
    return shlex.join(words)


def _flatten(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", "null" if value is None else value
