"""Read the artifacts of finished runs outside a Kedro session, in versions that belong together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from kedro.config import MissingConfigException, OmegaConfigLoader
from kedro.io import DataCatalog
from kedro.utils import find_kedro_project

from terrarium.common.options import expand_path
from terrarium.datasets.base import copy_at
from terrarium.hooks.catalogs import saved_versions, versioned_dataset
from terrarium.hooks.lineage import Lineage
from terrarium.hooks.manifests import manifest_reader

CONF = "conf"


class MissingArtifactError(LookupError):
    """No run has made what is asked for."""

    def __str__(self) -> str:
        return str(self.args[0])


class Artifacts:
    """The artifacts below a data root.

    Attributes:
        project: folder of the project.
        catalog: the datasets.
        parameters: the options of all families, as a run would get them.

    Args:
        data_root: folder or address of the artifacts; None for the project's.
        env: configuration environment, such as `recipes/hyperbolic/closure`.
        project: folder of the project; None for the one around the working directory.

    Raises:
        MissingArtifactError: there is no project.
    """

    def __init__(
        self, data_root: str | Path | None = None, env: str | None = None, project: Path | None = None
    ) -> None:
        root = project or find_kedro_project(Path.cwd())
        if root is None:
            raise MissingArtifactError(
                f"no Terrarium project in or above {Path.cwd()}: change to its folder, or give `project=`"
            )
        self.project = Path(root)
        loader = _loader(self.project, env, data_root)
        self.catalog = DataCatalog.from_config(_below(self.project, dict(loader["catalog"])), _credentials(loader))
        self.parameters: Mapping[str, Any] = loader["parameters"]
        self._lineage = Lineage(manifest_reader(self.catalog))

    def versions(self, name: str) -> list[str]:
        """Return the versions of a dataset, the newest first."""
        dataset = versioned_dataset(self.catalog, name)
        return [] if dataset is None else saved_versions(dataset)

    def load(self, name: str, version: str | None = None, with_: Iterable[str] = ()) -> dict[str, Any]:
        """Return a dataset and others that it was made from or with.

        Args:
            name: dataset whose version decides, such as `hyperbolic.vectors`.
            version: its version; None for the newest.
            with_: further datasets.

        Returns:
            The content by name.

        Raises:
            MissingArtifactError: there is no such version; the message names those that there are.
        """
        saved = self.versions(name)
        chosen = version or next(iter(saved), None)
        if chosen not in saved:
            raise MissingArtifactError(_no_version(name, version, saved))
        line = self._lineage.of(name, chosen)
        return {
            name: self._read(name, chosen),
            **{other: self._read(other, line.get(other, chosen)) for other in with_},
        }

    def manifests(self) -> list[Mapping[str, Any]]:
        """Return the manifests of all runs that can be read, the newest first."""
        read = manifest_reader(self.catalog)
        return [manifest for version in self.versions("runs.manifest") if (manifest := read(version)) is not None]

    def parameters_of(
        self, env: str | None, given: Mapping[str, Any], data_root: str | Path | None = None
    ) -> Mapping[str, Any]:
        """Return the options of an environment, with some given at run time as by `--params`.

        Raises:
            MissingArtifactError: there is no such environment.
        """
        loader = _loader(self.project, env, data_root)
        if env and not (self.project / CONF / env).is_dir():
            raise MissingArtifactError(f"the environment {env} is not there any more")
        loader.runtime_params = {**given, **loader.runtime_params}
        parameters: Mapping[str, Any] = loader["parameters"]
        return parameters

    def _read(self, name: str, version: str) -> Any:
        dataset = versioned_dataset(self.catalog, name)
        if dataset is None or version not in saved_versions(dataset):
            raise MissingArtifactError(f"{name}:{version} is not there any more; run its pipeline again")
        return copy_at(dataset, version).load()


def _loader(project: Path, env: str | None, data_root: str | Path | None) -> OmegaConfigLoader:
    return OmegaConfigLoader(
        str(project / CONF),
        env=env,
        base_env="base",
        default_run_env="local",
        merge_strategy={"parameters": "soft"},
        runtime_params={} if data_root is None else {"data_root": expand_path(str(data_root))},
    )


def _credentials(loader: OmegaConfigLoader) -> dict[str, Any] | None:
    try:
        return loader["credentials"]
    except MissingConfigException:
        return None


def _below(project: Path, entries: dict[str, Any]) -> dict[str, Any]:
    """Return the entries with relative local paths made absolute, as Kedro's context does."""
    for entry in entries.values():
        path = entry.get("filepath") if isinstance(entry, dict) else None
        if path and "://" not in path and not Path(path).is_absolute():
            entry["filepath"] = str(project / path)
    return entries


def _no_version(name: str, version: str | None, saved: list[str]) -> str:
    family = name.partition(".")[0]
    if not saved:
        return f"{name} was never made: first run `kedro run --pipelines={family}`"
    return f"{name} has no version {version}; there are {', '.join(saved[:5])}{', …' if len(saved) > 5 else ''}"
