"""The versions that a partial run reads belong together, and are there."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.io.core import AbstractVersionedDataset, DatasetError
from kedro.pipeline import Pipeline

from terrarium.hooks.catalogs import all_versioned, family_of, has_version, read_at, versions_of
from terrarium.hooks.lineage import Choice, Lineage, choose
from terrarium.hooks.manifests import manifest_reader

logger = logging.getLogger(__name__)

_SHOWN = 5
_PLAIN = {"markup": False}
_OLDER = {
    "followed": "%s: reading version %s, not the newest %s, because %s was made from it",
    "agreeing": "%s: reading version %s, not the newest %s, because that was made from other data than %s",
}
_DOUBTFUL = {
    "conflict": "%s: reading the newest version %s, though it was made from other data than %s",
    "removed": "%s: reading the newest version %s, as the one that %s was made from is gone",
}


class MissingVersionError(DatasetError):
    """An input of the run was never made, or not in the version that the user named."""


class ChooseInputs:
    """Choose the versions that a run reads and does not write itself, as `terrarium.hooks.lineage` describes."""

    @hook_impl(tryfirst=True)
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        """Set the versions to read. Raises MissingVersionError, one line for each input that is not there."""
        inputs = all_versioned(catalog, _free_inputs(run_params, pipeline, catalog))
        versions = {name: versions_of(dataset) for name, dataset in inputs.items()}
        named = {name: stamp for name, stamp in (run_params.get("load_versions") or {}).items() if name in inputs}
        _require(inputs, versions, named, run_params)
        if not inputs:
            return
        lineage = Lineage(manifest_reader(catalog))
        running = {family_of(name) for name in pipeline.all_outputs()}
        choices = choose(versions, named, running, lineage)
        for name, choice in choices.items():
            read_at(inputs[name], choice.version)
            _explain(name, choice, versions[name][0])
        _warn_unknown(choices, lineage)
        _warn_mismatch(choices, named, lineage)


def _free_inputs(run_params: Mapping[str, Any], pipeline: Pipeline, catalog: CatalogProtocol) -> set[str]:
    """Datasets that the run reads from earlier runs."""
    free = pipeline.inputs()
    if run_params.get("only_missing_outputs"):
        outputs = all_versioned(catalog, pipeline.all_outputs() - free)
        free |= {name for name, dataset in outputs.items() if dataset.exists()}
    return free


def _require(
    inputs: Mapping[str, AbstractVersionedDataset],
    versions: Mapping[str, Sequence[str]],
    named: Mapping[str, str],
    run_params: Mapping[str, Any],
) -> None:
    faults = [_never_made(name, inputs[name], run_params) for name in inputs if not versions[name]]
    faults += [
        f"--load-versions={name}:{stamp}: there is no such version; {_on_disk(versions[name])}"
        for name, stamp in named.items()
        if versions[name] and not has_version(inputs[name], stamp)
    ]
    if faults:
        raise MissingVersionError("\n".join(faults))


def _never_made(name: str, dataset: AbstractVersionedDataset, run_params: Mapping[str, Any]) -> str:
    fault = f"{name} was never made (there is no version in {dataset._filepath})"
    requested = run_params.get("pipeline_names") or ["__default__"]
    for pipeline_name, node in _producers(name, requested):
        option = "" if pipeline_name == "__default__" else f" --pipelines={pipeline_name}"
        tags = f", tags {', '.join(sorted(node.tags))}" if node.tags else ""
        return f"{fault}; it is made by {node.name}{tags}: first run `kedro run{option} --to-outputs={name}`"
    family = family_of(name)
    return f"{fault}; first run `kedro run --pipelines={family}`" if family else fault


def _producers(name: str, pipeline_names: Iterable[str]) -> Iterable[tuple[str, Any]]:
    from kedro.framework.project import pipelines

    registered = {key: pipelines[key] for key in pipeline_names if key in pipelines}
    return ((key, node) for key, pipeline in registered.items() for node in pipeline.nodes if name in node.outputs)


def _on_disk(versions: Sequence[str]) -> str:
    more = f" and {len(versions) - _SHOWN} older" if len(versions) > _SHOWN else ""
    return f"on disk are {', '.join(versions[:_SHOWN])}{more}"


def _explain(name: str, choice: Choice, newest: str) -> None:
    if choice.reason in _DOUBTFUL:
        logger.warning(_DOUBTFUL[choice.reason], name, choice.version, choice.because, extra=_PLAIN)
    elif choice.reason in _OLDER and choice.version != newest:
        line = _OLDER[choice.reason] + "; for another, --load-versions=%s:%s"
        logger.info(line, name, choice.version, newest, choice.because, name, newest, extra=_PLAIN)


def _warn_unknown(choices: Mapping[str, Choice], lineage: Lineage) -> None:
    """Warn of versions that no manifest knows, where inputs of one family come from several runs."""
    for family in sorted({family_of(name) for name in choices}):
        chosen = {name: choice.version for name, choice in choices.items() if family_of(name) == family}
        unknown = [f"{name}:{version}" for name, version in chosen.items() if not lineage.is_known(name, version)]
        if unknown and len(set(chosen.values())) > 1:
            logger.warning(
                "No run manifest tells what %s was made from, so the inputs of this run may not belong together; "
                "name the versions with --load-versions if they do not",
                ", ".join(unknown),
                extra=_PLAIN,
            )


def _warn_mismatch(choices: Mapping[str, Choice], named: Mapping[str, str], lineage: Lineage) -> None:
    """Warn of versions that the user named although another input was made from other ones."""
    for name, choice in choices.items():
        for other, version in lineage.of(name, choice.version).items():
            if other != name and other in named and named[other] != version:
                logger.warning(
                    "%s:%s was named, but %s:%s was made from %s:%s",
                    *(other, named[other], name, choice.version, other, version),
                    extra=_PLAIN,
                )
