"""Which versions were made from which, and a choice of versions that belong together.

The free inputs of a partial run (say, `--tags=evaluation`) must fit each other: weights trained on mammals must not be
measured on birds because the birds were ingested later. The manifests of the runs say what each version was made from.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from terrarium.hooks.catalogs import family_of

Reason = Literal["newest", "named", "followed", "agreeing", "conflict", "removed"]
"""Why a version was chosen: nothing spoke against the newest; the user named it; another input was made from it; the
newer ones were made from other versions; no version agrees, so the newest; the wanted one is gone, so the newest."""


@dataclass(frozen=True)
class Choice:
    """The version of an input, and what decided it (`because` is another input and its version, or empty)."""

    version: str
    reason: Reason
    because: str = ""


class Lineage:
    """The versions that a version was made from, by the manifests that `read_manifest` finds for a run's version."""

    def __init__(self, read_manifest: Callable[[str], Mapping[str, Any] | None]) -> None:
        self._read_manifest = read_manifest
        self._manifests: dict[str, Mapping[str, Any] | None] = {}
        self._lines: dict[tuple[str, str], dict[str, str]] = {}

    def is_known(self, name: str, version: str) -> bool:
        """Whether a manifest tells how `version` of `name` was made."""
        return self._producer(name, version) is not None

    def of(self, name: str, version: str) -> dict[str, str]:
        """Dataset names and versions that `version` of `name` was made from or together with, itself first.

        Where several versions of one dataset are met, the nearest counts.
        """
        if (name, version) not in self._lines:
            self._lines[name, version] = self._walk(name, version)
        return self._lines[name, version]

    def _walk(self, name: str, version: str) -> dict[str, str]:
        line: dict[str, str] = {}
        queue = deque([(name, version)])
        while queue:
            here, made_in = queue.popleft()
            if here not in line:
                line[here] = made_in
                queue.extend(self._relatives(here, made_in))
        return line

    def _relatives(self, name: str, version: str) -> Iterator[tuple[str, str]]:
        """Inputs of the node that made `version` of `name`, and its other outputs."""
        manifest, node = self._manifest(version), self._producer(name, version)
        if manifest is None or node is None:
            return
        read, made = manifest.get("read", {}), _made(manifest)
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


def choose(
    versions: Mapping[str, Sequence[str]],
    named: Mapping[str, str],
    running: set[str],
    lineage: Lineage,
) -> dict[str, Choice]:
    """Choose a version of each input so that all belong together.

    Versions that the user named come first and are kept. Then family by family, first the input whose newest version
    was made from most of the others (a tie goes to the newest), at its newest version that agrees with what is chosen
    by then; every input in its lineage takes the version found there.

    Args:
        versions: each input's versions on disk, the newest first, at least one.
        named: versions that the user named.
        running: families whose nodes run; inputs of others follow them.
        lineage: what each version was made from.
    """
    settled: dict[str, tuple[str, str]] = {}
    choices: dict[str, Choice] = {}
    for name in _ranked(versions, named, running, lineage):
        choice = _choose_one(name, versions[name], named.get(name), settled, lineage)
        choices[name] = choice
        for relative, version in lineage.of(name, choice.version).items():
            settled.setdefault(relative, (version, f"{name}:{choice.version}"))
    return choices


def _choose_one(
    name: str, on_disk: Sequence[str], wanted: str | None, settled: Mapping[str, tuple[str, str]], lineage: Lineage
) -> Choice:
    if wanted is not None:
        return Choice(wanted, "named")
    if name in settled:
        version, because = settled[name]
        return Choice(version, "followed", because) if version in on_disk else Choice(on_disk[0], "removed", because)
    against = ""
    for version in on_disk:
        conflict = _conflict(lineage.of(name, version), settled)
        if conflict is None:
            return Choice(version, "agreeing" if against else "newest", against)
        against = against or conflict
    return Choice(on_disk[0], "conflict", against)


def _conflict(line: Mapping[str, str], settled: Mapping[str, tuple[str, str]]) -> str | None:
    """The chosen input that speaks against `line`, or None."""
    return next((settled[name][1] for name, made in line.items() if settled.get(name, (made, ""))[0] != made), None)


def _ranked(
    versions: Mapping[str, Sequence[str]], named: Mapping[str, str], running: set[str], lineage: Lineage
) -> list[str]:
    """The inputs in the order in which they choose."""
    covers = {
        name: (lineage.of(name, on_disk[0]).keys() & versions.keys()) - {name} for name, on_disk in versions.items()
    }
    foreign = {
        family: {
            other
            for name in covers
            if family_of(name) == family
            for other in covers[name]
            if family_of(other) != family
        }
        for family in {family_of(name) for name in versions}
    }

    def key(name: str) -> tuple[bool, bool, int, str, int]:
        family = family_of(name)
        own = sum(family_of(other) == family for other in covers[name])
        return name not in named, family not in running, len(foreign[family]), family, -own

    newest_first = sorted(sorted(versions), key=lambda name: versions[name][0], reverse=True)
    return sorted(newest_first, key=key)


def _made(manifest: Mapping[str, Any]) -> set[str]:
    """All that a run's nodes made, in memory or on disk."""
    return {output for node in manifest.get("nodes", {}).values() for output in node["outputs"]}
