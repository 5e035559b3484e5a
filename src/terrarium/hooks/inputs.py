"""The versions that a partial run reads belong together, and exist."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from click import ClickException
from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.io.core import AbstractVersionedDataset, DatasetError, is_parameter
from kedro.pipeline import Pipeline

from terrarium.datasets.base import has_version, location, read_at
from terrarium.hooks.catalogs import family_of, saved_versions, versioned_datasets
from terrarium.hooks.lineage import Lineage, choose, contradictions
from terrarium.hooks.manifests import manifest_reader
from terrarium.hooks.process.command import command_of

logger = logging.getLogger(__name__)

_SHOWN = 5
_PLAIN = {"markup": False}


class MissingVersionError(ClickException, DatasetError):
    """An input of the run was never made, or not in the version that the user named."""


class ChooseInputs:
    """Choose the versions that a run reads and does not write itself, as `terrarium.hooks.lineage` describes."""

    @hook_impl(tryfirst=True)
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        """Set the versions to read. Raises MissingVersionError, one line for each input that does not exist."""
        inputs = versioned_datasets(catalog, _free_inputs(run_params, pipeline, catalog))
        saved = {name: saved_versions(dataset) for name, dataset in inputs.items()}
        named = {name: stamp for name, stamp in (run_params.get("load_versions") or {}).items() if name in inputs}
        _require(inputs, saved, named, run_params)
        lineage = Lineage(manifest_reader(catalog))
        for group in groups(pipeline, inputs):
            chosen = choose({name: saved[name] for name in group}, named, lineage)
            for name, version in chosen.items():
                read_at(inputs[name], version)
            _explain(chosen, saved, named, lineage)
            _warn(chosen, named, lineage)


def groups(pipeline: Pipeline, names: Iterable[str]) -> list[list[str]]:
    """Return `names` in groups of inputs that must belong together.

    These are inputs of one family, and inputs whose data meet in a node of the pipeline, at once or later.
    """
    wanted, families = set(names), defaultdict(set)
    for name in wanted:
        families[family_of(name) or name].add(name)
    nodes = [{name for name in [*node.inputs, *node.outputs] if not is_parameter(name)} for node in pipeline.nodes]
    merged = _merge_overlapping([*nodes, *families.values()])
    return sorted(sorted(group & wanted) for group in merged if group & wanted)


def _merge_overlapping(groups: Iterable[set[str]]) -> list[set[str]]:
    disjoint: list[set[str]] = []
    for group in groups:
        overlapping = [other for other in disjoint if other & group]
        disjoint = [other for other in disjoint if not other & group]
        disjoint.append(group.union(*overlapping))
    return disjoint


def _free_inputs(run_params: Mapping[str, Any], pipeline: Pipeline, catalog: CatalogProtocol) -> set[str]:
    """Return the datasets that the run reads from earlier runs."""
    free = pipeline.inputs()
    if run_params.get("only_missing_outputs"):
        outputs = versioned_datasets(catalog, pipeline.all_outputs() - free)
        free |= {name for name, dataset in outputs.items() if dataset.exists()}
    return free


def _require(
    inputs: Mapping[str, AbstractVersionedDataset],
    saved: Mapping[str, Sequence[str]],
    named: Mapping[str, str],
    run_params: Mapping[str, Any],
) -> None:
    faults = [_never_made(name, inputs[name], run_params) for name in inputs if not saved[name]]
    faults += [
        f"--load-versions={name}:{stamp}: there is no such version; {_list_versions(saved[name])}"
        for name, stamp in named.items()
        if saved[name] and not has_version(inputs[name], stamp)
    ]
    if faults:
        raise MissingVersionError("\n".join(faults))


def _never_made(name: str, dataset: AbstractVersionedDataset, run_params: Mapping[str, Any]) -> str:
    fault = f"{name} was never made (there is no version in {location(dataset)})"
    requested = run_params.get("pipeline_names") or ["__default__"]
    for pipeline_name, node in _producers(name, requested):
        option = "" if pipeline_name == "__default__" else f" --pipelines={pipeline_name}"
        tags = f", tags {', '.join(sorted(node.tags))}" if node.tags else ""
        command = f"kedro run{option} --to-outputs={name}{_same(run_params)}"
        return f"{fault}; it is made by {node.name}{tags}: first run `{command}`"
    family = family_of(name)
    return f"{fault}; first run `kedro run --pipelines={family}{_same(run_params)}`" if family else fault


def _same(run_params: Mapping[str, Any]) -> str:
    """Return the environment and parameters of a run as options of a command."""
    given = {"environment": run_params.get("env"), "runtime_params": run_params.get("runtime_params") or {}}
    return command_of(given).removeprefix("kedro run")


def _producers(name: str, pipeline_names: Iterable[str]) -> Iterable[tuple[str, Any]]:
    from kedro.framework.project import pipelines

    registered = {key: pipelines[key] for key in pipeline_names if key in pipelines}
    return ((key, node) for key, pipeline in registered.items() for node in pipeline.nodes if name in node.outputs)


def _list_versions(versions: Sequence[str]) -> str:
    more = f" and {len(versions) - _SHOWN} older ones" if len(versions) > _SHOWN else ""
    return f"the versions are {', '.join(versions[:_SHOWN])}{more}"


def _explain(
    chosen: Mapping[str, str], saved: Mapping[str, Sequence[str]], named: Mapping[str, str], lineage: Lineage
) -> None:
    """Log why an older version than the newest is read: an input that the user named or that has no newer one."""
    deciding = [name for name, version in chosen.items() if name in named or version == saved[name][0]]
    for name, version in chosen.items():
        newest = saved[name][0]
        if name in named or version == newest:
            continue
        logger.info(
            "%s: reading version %s, not the newest %s, because %s; for another, --load-versions=%s:%s",
            name,
            version,
            newest,
            _reason(name, deciding, chosen, lineage),
            name,
            newest,
            extra=_PLAIN,
        )


def _reason(name: str, deciding: Iterable[str], chosen: Mapping[str, str], lineage: Lineage) -> str:
    partner = next((other for other in deciding if _belong_together(name, other, chosen, lineage)), None)
    if partner is not None:
        return f"{partner}:{chosen[partner]} goes with it"
    runs = [version for other, version in chosen.items() if lineage.of(other, version).get(name) == chosen[name]]
    return f"run {max(runs)} has most of the inputs"


def _belong_together(name: str, other: str, chosen: Mapping[str, str], lineage: Lineage) -> bool:
    return name in lineage.of(other, chosen[other]) or other in lineage.of(name, chosen[name])


def _warn(chosen: Mapping[str, str], named: Mapping[str, str], lineage: Lineage) -> None:
    """Warn of versions that do not belong together, and of versions that no manifest knows."""
    for name, version, other, made_from in contradictions(chosen, lineage):
        logger.warning(
            "%s:%s %s, but %s:%s was made from %s:%s",
            other,
            chosen[other],
            "was named" if other in named else "is read",
            name,
            version,
            other,
            made_from,
            extra=_PLAIN,
        )
    unknown = [f"{name}:{version}" for name, version in chosen.items() if not lineage.is_known(name, version)]
    if unknown and len(set(chosen.values())) > 1:
        logger.warning(
            "No run manifest says what %s was made from, so the inputs of this run may not belong together; "
            "name the versions with --load-versions if they do not",
            ", ".join(unknown),
            extra=_PLAIN,
        )
