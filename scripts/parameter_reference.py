"""Write what the option models say about each option into the parameter files and `docs/reference/parameters.md`.

The models' `Field(description=...)`, types and bounds are the one source. Values and order of the YAML files stay as
they are; only comments change. Run it with `make reference`; `--check` writes nothing and fails when a file is behind.
"""

from __future__ import annotations

import argparse
import re
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types
import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from terrarium.hooks.parameters import family_models

ROOT = Path(__file__).parents[1]
PARAMETERS = ROOT / "conf/base/parameters"
REFERENCE = ROOT / "docs/reference/parameters.md"
WIDTH = 120
_PAGE_WIDTH = 100
SEED = "${runtime_params:seed, ${globals:seed}}"

_KEY = re.compile(r"""^(?P<indent>\s*)(?P<key>[\w.-]+|"[^"]*"|'[^']*'):(?=\s|$)(?P<value>.*)$""")
_BOUNDS = {"gt": ">", "ge": ">=", "lt": "<", "le": "<="}
_TYPES = {bool: "true or false", int: "integer", float: "number", str: "text", NoneType: "null", Any: "anything"}


@dataclass(frozen=True)
class Option:
    """An option or a block of options.

    Attributes:
        path: names from the family down; `NAME` where the user chooses the name.
        description: what it does.
        type: its type in words.
        legal: legal values: names, bounds, `null`; empty where the type says all.
        names: the legal values that are names.
        is_block: whether it holds options of its own.
    """

    path: tuple[str, ...]
    description: str
    type: str
    legal: tuple[str, ...]
    names: tuple[str, ...]
    is_block: bool

    @property
    def comment(self) -> str:
        """Description and legal values, as the parameter file has them; the type where null is the only one listed."""
        named = all(re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", self.description) for name in self.names)
        legal = [value for value in self.legal if value not in self.names or not named]
        if "null" in legal and re.search(r"\bnull\b", self.description):
            legal.remove("null")
        if legal == ["null"]:
            legal = [self.type.replace("`", "")]
        return " ".join([self.description, f"[{', '.join(legal)}]"] if legal else [self.description]).strip()


def walk(model: type[BaseModel], path: tuple[str, ...]) -> Iterator[Option]:
    """Yield every option below a model, blocks before what they hold."""
    for name, field in model.model_fields.items():
        annotation = _annotated(field)
        inner = list(_models(annotation))
        description = field.description or (_first_sentence(inner[0]) if len(inner) == 1 else "")
        names = tuple(dict.fromkeys(_names(annotation)))
        legal = (*names, *_bounds(annotation), *(["null"] if _takes_null(annotation) else []))
        here = (*path, name)
        yield Option(here, description.rstrip("."), _type_in_words(annotation), legal, names, bool(inner))
        for block in inner:
            yield from walk(block, here if _is_plain_block(annotation) else (*here, _placeholder(annotation)))


def render_yaml(text: str, options: Sequence[Option]) -> str:
    """Return a parameter file with its comments replaced by those of `options`; values and order stay.

    Comments above the first key are kept. A comment is put behind its value where the line stays within 120 columns,
    else above it. Options that have no line of their own are listed above the option that holds them.
    """
    by_path = {option.path: option for option in options}
    header, lines = _split_header(text)
    paths = list(_paths(lines))
    rendered = [*header]
    for position, (line, path) in enumerate(zip(lines, paths, strict=True)):
        option = by_path.get(path)
        if option is None:
            rendered.append(line)
            continue
        indent = len(line) - len(line.lstrip())
        column = _column(lines, paths, position)
        behind = f"{line.ljust(column)}  # {option.comment}"
        unseen = list(_unseen(path, paths, options))
        if len(behind) <= WIDTH and not unseen:
            rendered.append(behind if option.comment else line)
        else:
            texts = [option.comment, *(f"  {'.'.join(o.path[len(path) :])}: {o.comment}" for o in unseen)]
            rendered += [piece for text in texts for piece in _wrapped(text, indent)]
            rendered.append(line)
    return "\n".join(rendered) + "\n"


def render_reference(models: Mapping[str, type[BaseModel]], texts: Mapping[str, str]) -> str:
    """Return the Markdown page of all options; `texts` are the parameter files, for the defaults."""
    lines = [
        "# Parameters",
        "",
        "<!-- Written by `make reference` from the option models; do not edit. -->",
        "",
        textwrap.fill(
            "Every option of every family, with its default. Set one for a run with "
            "`--params=hyperbolic.model.dim=5,seed=1`, or for all your runs in `conf/local/parameters.yml`. "
            "Two globals apply to all families: `data_root`, the folder of all artifacts (default `data`), and `seed`, "
            "the default of every option named `seed` (default 0).",
            _PAGE_WIDTH,
        ),
    ]
    for family, model in models.items():
        defaults = yaml.safe_load(texts[family])
        options = list(walk(model, (family,)))
        lines += ["", f"## {family}"]
        for block, members in _blocks(options):
            lines += ["", f"### {'.'.join(block)}", ""]
            described = next((option.description for option in options if option.path == block), "")
            lines += [textwrap.fill(f"{described}.", _PAGE_WIDTH), ""] if described else []
            lines += ["| option | default | values | description |", "|---|---|---|---|"]
            lines += [_row(option, defaults) for option in members]
    return "\n".join(lines) + "\n"


def undescribed(models: Mapping[str, type[BaseModel]]) -> list[str]:
    """Return the names of the options whose model does not say what they do."""
    options = (option for family, model in models.items() for option in walk(model, (family,)))
    return [".".join(option.path) for option in options if not option.description]


def stale_files() -> dict[Path, str]:
    """Return the files that are behind the models, with what they should hold."""
    models = family_models()
    wanted: dict[Path, str] = {}
    for family, model in models.items():
        path = PARAMETERS / f"{family}.yml"
        wanted[path] = render_yaml(path.read_text(encoding="utf-8"), list(walk(model, (family,))))
    wanted[REFERENCE] = render_reference(models, {family: wanted[PARAMETERS / f"{family}.yml"] for family in models})
    return {
        path: text for path, text in wanted.items() if not path.is_file() or path.read_text(encoding="utf-8") != text
    }


def main() -> int:
    """Write the files, or with `--check` name those that are behind. Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a file is behind")
    check = parser.parse_args().check
    faults = [f"{name} has no description in its option model" for name in undescribed(family_models())]
    for path, text in stale_files().items():
        if check:
            faults.append(f"{path.relative_to(ROOT)} is behind the option models: run `make reference`")
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    sys.stderr.writelines(f"{fault}\n" for fault in faults)
    return int(bool(faults))


def _annotated(field: FieldInfo) -> Any:
    """Return the field's type together with its bounds, which pydantic keeps apart."""
    return Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation


def _members(annotation: Any) -> tuple[Any, ...]:
    """Return what a type is made of: members of a union, items of a list, values of a mapping."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return ()
    if origin is Annotated:
        return arguments[:1]
    return tuple(argument for argument in arguments if argument is not Ellipsis)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for member in _members(annotation):
        yield from _models(member)


def _names(annotation: Any) -> Iterator[str]:
    if get_origin(annotation) is Literal:
        yield from (str(value) for value in get_args(annotation))
    for member in _members(annotation):
        yield from _names(member)


def _bounds(annotation: Any) -> Iterator[str]:
    if get_origin(annotation) is Annotated:
        for constraint in get_args(annotation)[1:]:
            yield from _bounds_of(constraint)
    for member in _members(annotation):
        yield from _bounds(member)


def _bounds_of(constraint: Any) -> Iterator[str]:
    if isinstance(constraint, FieldInfo):
        for inner in constraint.metadata:
            yield from _bounds_of(inner)
    for name, sign in _BOUNDS.items():
        value = getattr(constraint, name, None)
        if value is not None:
            yield f"{sign} {value:g}" if isinstance(value, float) else f"{sign} {value}"
    if isinstance(constraint, annotated_types.MinLen) and constraint.min_length:
        yield "not empty" if constraint.min_length == 1 else f"at least {constraint.min_length}"


def _takes_null(annotation: Any) -> bool:
    if get_origin(annotation) is Annotated:
        return _takes_null(get_args(annotation)[0])
    return get_origin(annotation) in (Union, UnionType) and NoneType in get_args(annotation)


def _is_plain_block(annotation: Any) -> bool:
    """Return whether a type is a block, perhaps null: its options' names follow its own at once."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return True
    return get_origin(annotation) in (Union, UnionType) and any(_is_plain_block(part) for part in get_args(annotation))


def _placeholder(annotation: Any) -> str:
    return "NAME" if any(get_origin(part) is dict for part in (annotation, *_members(annotation))) else "[]"


def _type_in_words(annotation: Any) -> str:
    arguments = [part for part in get_args(annotation) if part is not Ellipsis]
    match get_origin(annotation):
        case origin if origin is Annotated:
            words = _type_in_words(arguments[0])
        case origin if origin is Literal:
            words = ", ".join(f"`{value}`" for value in arguments)
        case origin if origin in (Union, UnionType):
            words = " or ".join(map(_type_in_words, arguments))
        case origin if origin is list:
            words = f"list of {_type_in_words(arguments[0])}"
        case origin if origin is tuple:
            words = f"list ({', '.join(map(_type_in_words, arguments))})"
        case origin if origin is dict:
            words = f"mapping of names to {_type_in_words(arguments[1])}"
        case _:
            words = _TYPES.get(annotation, "block")
    return words


def _first_sentence(model: type[BaseModel]) -> str:
    text = (model.__doc__ or "").strip().partition("\n\n")[0]
    return " ".join(text.split()).partition(". ")[0].rstrip(".")


def _split_header(text: str) -> tuple[list[str], list[str]]:
    """Return the comments above the first key, and all other lines without comments and trailing blanks."""
    lines = text.splitlines()
    first = next(position for position, line in enumerate(lines) if _KEY.match(line))
    stripped = (_without_comment(line) for line in lines[first:])
    return lines[:first], [line for line in stripped if line]


def _without_comment(line: str) -> str:
    """Return a line of YAML without its comment: `#` at the start or after a blank, outside quotes."""
    quote = ""
    for position, character in enumerate(line):
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'" and (position == 0 or line[position - 1] in " [{,:"):
            quote = character
        elif character == "#" and (position == 0 or line[position - 1].isspace()):
            return line[:position].rstrip()
    return line.rstrip()


def _paths(lines: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Return the names that lead to each line's key; empty for a line that continues the one before."""
    stack: list[tuple[int, str]] = []
    open_brackets = 0
    for line in lines:
        match = None if open_brackets else _KEY.match(line)
        open_brackets += sum(line.count(sign) for sign in "[{") - sum(line.count(sign) for sign in "]}")
        if match is None:
            yield ()
            continue
        indent = len(match["indent"])
        while stack and stack[-1][0] >= indent:
            stack.pop()
        stack.append((indent, match["key"].strip("\"'")))
        yield tuple(key for _, key in stack)


def _column(lines: Sequence[str], paths: Sequence[tuple[str, ...]], position: int) -> int:
    """Return where the comments of a line's block start: behind its longest short line."""
    block = paths[position][:-1]
    lengths = [len(line) for line, path in zip(lines, paths, strict=True) if path and path[:-1] == block]
    return max((length for length in lengths if length <= WIDTH // 3), default=0)


def _unseen(path: tuple[str, ...], paths: Sequence[tuple[str, ...]], options: Sequence[Option]) -> Iterator[Option]:
    """Return the options below `path` that have no line of their own in the file."""
    if any(option.path[: len(path)] == path and option.path != path and option.path in paths for option in options):
        return
    yield from (o for o in options if len(o.path) > len(path) and o.path[: len(path)] == path)


def _wrapped(text: str, indent: int) -> list[str]:
    inner = len(text) - len(text.lstrip())
    margin = f"{' ' * indent}# "
    return textwrap.wrap(
        text.strip(),
        WIDTH,
        initial_indent=margin + " " * inner,
        subsequent_indent=margin + " " * (inner + 2 * bool(inner)),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _blocks(options: Sequence[Option]) -> Iterator[tuple[tuple[str, ...], list[Option]]]:
    """Return each block with the options that it holds itself, in the order of the models."""
    blocks: dict[tuple[str, ...], list[Option]] = {}
    for option in options:
        if not (option.is_block and option.type == "block"):
            blocks.setdefault(option.path[:-1], []).append(option)
    yield from blocks.items()


def _row(option: Option, defaults: Any) -> str:
    bounds = [value for value in option.legal if value not in option.names and value != "null"]
    values = option.type + (f", {', '.join(bounds)}" if bounds else "")
    cells = (f"`{option.path[-1]}`", _default(option.path, defaults), values, option.description)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _default(path: Sequence[str], defaults: Any) -> str:
    value = defaults
    for name in path:
        if not isinstance(value, Mapping) or name not in value:
            return ""
        value = value[name]
    if value == SEED:
        return "the global `seed`"
    text = yaml.safe_dump(value, default_flow_style=True, width=float("inf")).strip().removesuffix("\n...").strip()
    return f"`{text}`" if len(text) <= WIDTH // 2 else "see the file"


if __name__ == "__main__":
    raise SystemExit(main())
