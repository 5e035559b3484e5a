"""Wrong parameters stop a run before its first node."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from click import ClickException
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from pydantic import BaseModel, ValidationError

from terrarium.common.options import expand_path
from terrarium.hooks.environments import require_environment


class ParameterError(ClickException, ValueError):
    """Parameters that do not exist or have a wrong value, one line for each."""


class ValidateParameters:
    """Check the whole tree of parameters, with every runtime parameter, against the families' option models.

    Kedro validates the branches that the nodes of the requested pipelines take; this covers the rest: a family, a
    branch, a global or an environment that does not exist.
    """

    @hook_impl(tryfirst=True)
    def after_context_created(self, context: KedroContext) -> None:
        """Raise ParameterError or EnvironmentNameError, before anything is loaded or run."""
        require_environment(Path(context.config_loader.conf_source), context.env)
        _expand_data_root(context)
        faults = check(context.config_loader["parameters"], family_models(), _globals(context))
        if faults:
            raise ParameterError("\n".join(faults))


FAMILIES = {
    "hyperbolic": "hyperbolic",
    "senses": "senses",
    "knowledge_graph": "kge",
    "influence": "influence",
    "scenes": "scenes",
    "claims": "claims",
}
"""Library package of each family of pipelines."""


def family_models() -> dict[str, type[BaseModel]]:
    """Return the model of each family's tree: the class `Options` of its library package."""
    return {name: import_module(f"terrarium.{package}.options").Options for name, package in FAMILIES.items()}


def check(
    parameters: Mapping[str, Any], models: Mapping[str, type[BaseModel]], globals_: Iterable[str] = ()
) -> list[str]:
    """Return one line for each fault of a tree of parameters: what, where, and the nearest name that exists.

    Args:
        parameters: the tree; Kedro puts globals that were given at run time next to the families.
        models: the option model of each family.
        globals_: names that are legal next to the families.
    """
    known = sorted([*models, *globals_])
    faults = [f"{name} does not exist: {_nearest(str(name), known)}" for name in parameters if name not in known]
    for family, model in models.items():
        try:
            model.model_validate(parameters.get(family, {}))
        except ValidationError as error:
            lines = [line for fault in error.errors() for line in _lines(family, model, fault)]
            faults += dict.fromkeys(lines)
    return faults


def _expand_data_root(context: KedroContext) -> None:
    """Replace ~ and environment variables in `data_root`."""
    loader = context.config_loader
    try:
        given = loader.runtime_params.get("data_root", loader["globals"].get("data_root"))
    except KeyError:
        return
    if isinstance(given, str) and expand_path(given) != given:
        loader.runtime_params["data_root"] = expand_path(given)


def _globals(context: KedroContext) -> Iterable[str]:
    try:
        return list(context.config_loader["globals"])
    except KeyError:
        return ()


def _lines(family: str, model: type[BaseModel], fault: Any) -> list[str]:
    """Return one line for each option of a renamed branch, otherwise the one line of the fault."""
    if fault["type"] == "extra_forbidden" and isinstance(fault["input"], Mapping):
        options = [[*map(str, fault["loc"]), *option] for option in _option_paths(fault["input"])]
        current = [_current_path(model, option) for option in options]
        if options and all(new != old for old, new in zip(options, current, strict=True)):
            return [
                f"{family}.{'.'.join(old)} was renamed: use {family}.{'.'.join(new)}"
                for old, new in zip(options, current, strict=True)
            ]
    return [_line(family, model, fault)]


def _option_paths(tree: Mapping[str, Any]) -> Iterable[list[str]]:
    for name, value in tree.items():
        if isinstance(value, Mapping) and value:
            yield from ([str(name), *path] for path in _option_paths(value))
        else:
            yield [str(name)]


def _current_path(model: Any, path: list[str]) -> list[str]:
    """Return the path of an option below a model with all renamed branches and options replaced; advice is no path."""
    renamed = getattr(model, "renamed", {})
    for length in range(len(path), 0, -1):
        old = ".".join(path[:length])
        if " " not in renamed.get(old, " "):
            return _current_path(model, [*renamed[old].split("."), *path[length:]])
    return path if len(path) < 2 else [path[0], *_current_path(_model_at(model, path[:1]), path[1:])]


def _line(family: str, model: type[BaseModel], fault: Any) -> str:
    place = _joined(family, *_path(model, fault["loc"]))
    if fault["type"] == "extra_forbidden":
        *branch, name = fault["loc"]
        advice = _advice(model, fault["loc"])
        if advice is not None:
            above, text = advice
            is_sentence = text.startswith("was ")
            return f"{place} {text if is_sentence else f'was renamed: use {_joined(family, *above, text)}'}"
        owner = _model_at(model, branch)
        return f"{place} does not exist: {_nearest(str(name), sorted(owner.model_fields) if owner else [])}"
    if fault["type"] == "literal_error":
        *branch, name = fault["loc"]
        values = getattr(_model_at(model, branch), "renamed_values", {}).get(name, {})
        new = values.get(fault["input"]) if isinstance(fault["input"], str) else None
        if new is not None:
            return f"{place}: {fault['input']} was renamed: use {new}"
    block = _model_at(model, fault["loc"]) if fault["type"] == "model_type" else None
    if block is not None and "name" in block.model_fields and isinstance(fault["input"], str):
        new = getattr(block, "renamed_values", {}).get("name", {}).get(fault["input"], fault["input"])
        return f"{place} is a block of options: use {place}.name={new}"
    if fault["type"] == "missing":
        return f"{place} is missing: give it a value in conf/base/parameters/{family}.yml"
    text = fault["msg"].removeprefix("Value error, ")
    if fault["type"] == "list_type":
        text += " (--params takes no lists: write it to conf/local/parameters.yml)"
    return f"{place}: {text[:1].lower()}{text[1:]}, not {fault['input']!r}" if fault["loc"][1:] else f"{place}: {text}"


def _advice(model: type[BaseModel], place: tuple[Any, ...]) -> tuple[tuple[Any, ...], str] | None:
    """What became of an option, and the branch that the advice is relative to: the option's own or one above it."""
    for length in range(len(place) - 1, -1, -1):
        text = getattr(_model_at(model, place[:length]), "renamed", {}).get(_joined(*place[length:]))
        if text is not None:
            return place[:length], text
    return None


def _path(model: type[BaseModel], place: Iterable[Any]) -> list[str]:
    """Return the parameter's name, without what pydantic adds for a member of a union."""
    path: list[str] = []
    here: Any = model
    for name in place:
        path.append(str(name))
        here = _type_at(here, name)
        if here is None or get_origin(here) in (UnionType, Union):
            break
    return path


def _model_at(model: type[BaseModel], branch: Iterable[Any]) -> type[BaseModel] | None:
    """Return the option model of a branch, or None where the branch is not a model."""
    here: Any = model
    for name in branch:
        here = _type_at(here, name)
    return here if isinstance(here, type) and issubclass(here, BaseModel) else None


def _type_at(outer: Any, name: Any) -> Any:
    """Return the type of an option of a model or of a value of a mapping, without null; None for anything else."""
    if get_origin(outer) is dict:
        return _without_null(get_args(outer)[1])
    if isinstance(outer, type) and issubclass(outer, BaseModel) and str(name) in outer.model_fields:
        return _without_null(outer.model_fields[str(name)].annotation)
    return None


def _without_null(annotation: Any) -> Any:
    """Return the type of `X | None`, without None; any other type as it is."""
    members = [part for part in get_args(annotation) if part is not NoneType]
    return members[0] if get_origin(annotation) in (UnionType, Union) and len(members) == 1 else annotation


def _joined(*names: Any) -> str:
    return ".".join(map(str, names))


def _nearest(name: str, known: Iterable[str]) -> str:
    known = list(known)
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}"
