"""Wrong parameters stop a run before its first node."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from importlib import import_module
from types import UnionType
from typing import Any, Union, get_args, get_origin

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from pydantic import BaseModel, ValidationError


class ParameterError(ValueError):
    """Parameters that do not exist or have a wrong value, a line for each."""


class ValidateParameters:
    """Hold the whole tree of parameters, and every runtime parameter, against the families' option models.

    Kedro validates the branches that the nodes of the requested pipelines take; this covers what lies around them: a
    family, a branch or a global that does not exist.
    """

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Raises ParameterError, before anything is loaded or run."""
        faults = check(context.config_loader["parameters"], family_models(), _globals(context))
        if faults:
            raise ParameterError("\n".join(faults))


FAMILIES = {
    "hyperbolic": "hyperbolic",
    "senses": "senses",
    "knowledge_graph": "kge",
    "influence": "influence",
    "scenes": "scenes",
}
"""Library package of each family of pipelines."""


def family_models() -> dict[str, type[BaseModel]]:
    """The model of each family's tree: the class `Options` of its library package."""
    return {name: import_module(f"terrarium.{package}.options").Options for name, package in FAMILIES.items()}


def check(
    parameters: Mapping[str, Any], models: Mapping[str, type[BaseModel]], globals_: Iterable[str] = ()
) -> list[str]:
    """A line for each fault of a tree of parameters: what, where, and the nearest name there is.

    Args:
        parameters: the tree; Kedro puts globals that were given at run time beside the families.
        models: of each family's branch.
        globals_: names that may stand beside the families.
    """
    known = sorted([*models, *globals_])
    faults = [f"{name} does not exist: {_nearest(str(name), known)}" for name in parameters if name not in known]
    for family, model in models.items():
        try:
            model.model_validate(parameters.get(family, {}))
        except ValidationError as error:
            lines = [_line(family, model, fault) for fault in error.errors()]
            faults += dict.fromkeys(lines)
    return faults


def _globals(context: KedroContext) -> Iterable[str]:
    try:
        found: dict[str, Any] = context.config_loader["globals"]
    except KeyError:
        return ()
    return found


def _line(family: str, model: type[BaseModel], fault: Any) -> str:
    place = ".".join([family, *_path(model, fault["loc"])])
    if fault["type"] == "extra_forbidden":
        *branch, name = fault["loc"]
        owner = _model_at(model, branch)
        if owner is not None and name in getattr(owner, "renamed", {}):
            block = ".".join([family, *map(str, branch)])
            return f"{block}.{name} was renamed: use {block}.{owner.renamed[name]}"
        return f"{place} does not exist: {_nearest(str(name), sorted(owner.model_fields) if owner else [])}"
    if fault["type"] == "literal_error":
        *branch, name = fault["loc"]
        values = getattr(_model_at(model, branch), "renamed_values", {}).get(name, {})
        if fault["input"] in values:
            return f"{place}: {fault['input']} was renamed: use {values[fault['input']]}"
    if fault["type"] == "missing":
        return f"{place} is missing: give it a value in conf/base/parameters/{family}.yml"
    text = fault["msg"].removeprefix("Value error, ")
    return f"{place}: {text[:1].lower()}{text[1:]}, not {fault['input']!r}" if fault["loc"][1:] else f"{place}: {text}"


def _path(model: type[BaseModel], place: Iterable[Any]) -> list[str]:
    """The parameter's name, without what pydantic adds for a member of a union."""
    path: list[str] = []
    inner: Any = model
    for part in place:
        path.append(str(part))
        fields = getattr(inner, "model_fields", {})
        if part not in fields:
            break
        inner = fields[part].annotation
        if get_origin(inner) in (UnionType, Union):
            break
    return path


def _model_at(model: type[BaseModel], branch: Iterable[Any]) -> type[Any] | None:
    """The option model of a branch, or None where the branch is no model."""
    current: Any = model
    for name in branch:
        field = getattr(current, "model_fields", {}).get(str(name))
        if field is not None:
            current = field.annotation
        elif get_origin(current) is dict:  # a block per name, such as the variants of scenes
            current = next(iter(get_args(get_args(current)[1])), get_args(current)[1])
        else:
            return None
    return current if isinstance(current, type) and issubclass(current, BaseModel) else None


def _nearest(name: str, known: Iterable[str]) -> str:
    known = list(known)
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}"
