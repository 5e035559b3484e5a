"""Which versions were made from which, and a choice of versions that belong together.

The inputs of a partial run (say, `--tags=evaluation`) must fit each other: weights trained on mammals must not be
evaluated on birds because the birds were ingested later. So inputs that meet in a run come from one earlier run: they
are what it wrote, and what that was made from. The manifests of the runs say what each version was made from.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple


class Lineage:
    """The versions that a version was made from, by the manifests that `read_manifest` returns for a run's version."""

    def __init__(self, read_manifest: Callable[[str], Mapping[str, Any] | None]) -> None:
        self._read_manifest = read_manifest
        self._manifests: dict[str, Mapping[str, Any] | None] = {}
        self._lines: dict[tuple[str, str], dict[str, str]] = {}

    def is_known(self, name: str, version: str) -> bool:
        """Return whether a manifest says how `version` of `name` was made."""
        return self._producer(name, version) is not None

    def of(self, name: str, version: str) -> dict[str, str]:
        """Return the dataset names and versions that `version` of `name` was made from or with, itself first.

        Where several versions of one dataset are met, the nearest counts.
        """
        if (name, version) not in self._lines:
            self._lines[name, version] = self._walk(name, version)
        return self._lines[name, version]

    def _walk(self, name: str, version: str) -> dict[str, str]:
        line: dict[str, str] = {}
        queue = deque([(name, version)])
        while queue:
            current, made_in = queue.popleft()
            if current not in line:
                line[current] = made_in
                queue.extend(self._relatives(current, made_in))
        return line

    def _relatives(self, name: str, version: str) -> Iterator[tuple[str, str]]:
        """Return the inputs of the node that made `version` of `name`, and its other outputs."""
        manifest, node = self._manifest(version), self._producer(name, version)
        if manifest is None or node is None:
            return
        read = manifest.get("read", {})
        made = {output for other in manifest.get("nodes", {}).values() for output in other["outputs"]}
        for relative in [*node["outputs"], *node["inputs"]]:
            if relative in read:
                yield relative, read[relative]
            elif relative in made:
                yield relative, version

    def _producer(self, name: str, version: str) -> Mapping[str, Any] | None:
        nodes = (self._manifest(version) or {}).get("nodes", {}).values()
        return next((node for node in nodes if name in node["outputs"]), None)

    def _manifest(self, version: str) -> Mapping[str, Any] | None:
        if version not in self._manifests:
            self._manifests[version] = self._read_manifest(version)
        return self._manifests[version]


class Contradiction(NamedTuple):
    """`name`:`version` was made from `other`:`made_from`, but the run reads another version of `other`."""

    name: str
    version: str
    other: str
    made_from: str


def choose(saved: Mapping[str, Sequence[str]], named: Mapping[str, str], lineage: Lineage) -> dict[str, str]:
    """Return a version of each input of one group, so that all belong together as far as they can.

    Versions that the user named are kept. The others come from the run whose artifacts, with what those were made
    from, give the most of them without contradicting what is chosen; of equal runs from the newest. Inputs that no
    manifest knows do not count. What is left is chosen in the same way, and takes its newest version when no run fits.

    Args:
        saved: each input's versions, the newest first, at least one.
        named: versions that the user named, by input.
        lineage: what each version was made from.
    """
    chosen = {name: named[name] for name in saved if name in named}
    while left := [name for name in saved if name not in chosen]:
        runs = sorted({version for name in left for version in saved[name]}, reverse=True)
        settled: dict[str, str] = {}
        for name, version in chosen.items():
            settled = lineage.of(name, version) | settled
        gains = (_gain(_written_in(run, left, saved, lineage), left, saved, settled | chosen) for run in runs)
        target = {name for name in left if any(lineage.is_known(name, version) for version in saved[name])}
        best = _first_covering(gains, target)
        chosen |= best or {name: saved[name][0] for name in left}
    return chosen


def contradictions(chosen: Mapping[str, str], lineage: Lineage) -> Iterator[Contradiction]:
    """Yield where a chosen version was made from another version of a chosen input."""
    for name, version in chosen.items():
        for other, made_from in lineage.of(name, version).items():
            if chosen.get(other, made_from) != made_from:
                yield Contradiction(name, version, other, made_from)


def _written_in(run: str, names: Iterable[str], saved: Mapping[str, Sequence[str]], lineage: Lineage) -> dict[str, str]:
    """Return what `run` wrote of `names` and what that was made from; without a manifest, one dataset alone."""
    written = [name for name in names if run in saved[name]]
    known = [name for name in written if lineage.is_known(name, run)]
    line: dict[str, str] = {}
    for name in known or written[:1]:
        line = lineage.of(name, run) | line
    return line


def _gain(
    line: Mapping[str, str], left: Iterable[str], saved: Mapping[str, Sequence[str]], settled: Mapping[str, str]
) -> dict[str, str]:
    """Return the inputs without a version that `line` gives one; none when it contradicts what is settled."""
    if any(line.get(name, version) != version for name, version in settled.items()):
        return {}
    return {name: line[name] for name in left if line.get(name) in saved[name]}


def _first_covering(gains: Iterable[dict[str, str]], target: set[str]) -> dict[str, str]:
    """The first gain that has all of `target`, so that no older manifest is read; if there is none, the longest."""
    best: dict[str, str] = {}
    for gain in gains:
        if gain and target <= gain.keys():
            return gain
        if len(gain) > len(best):
            best = gain
    return best
