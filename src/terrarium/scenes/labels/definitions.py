"""Archetypes and tags as YAML: a pattern of related road users, ranges of criticality, or both.

A file maps names to definitions. A graph has a label if its pattern is an induced subgraph and the worst pair of the
graph is within every range of criticality.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from terrarium.scenes.criticality.tables import WORST
from terrarium.sources.errors import SourceError, one_line
from terrarium.sources.traffic.tables import ACTOR_TYPES

User = Annotated[str, Field(pattern="^[a-z]$")]
Relation = Annotated[str, Field(pattern=r"^[a-z] ?[>=~] ?[a-z]$")]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Range = Annotated[list[float], Field(min_length=2, max_length=2)]
Kind = Literal["archetypes", "tags"]


class Definition(BaseModel):
    """What a graph must have.

    Attributes:
        definition: one sentence for people.
        relations: such as a>b (a follows b), a=b (on adjacent lanes), a~b (on opposite lanes).
        lane_change, intersection: road users for whom the flag is true.
        types: of road users that are no vehicles.
        exact: flags of other road users of the pattern must be false; otherwise they may be anything.
        criticality: measure -> lowest and highest value of the graph's worst pair.
        formerly: an earlier name, which an error answers with the new one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    definition: str = Field(min_length=1)
    relations: list[Relation] = Field(default=[])
    lane_change: list[User] = Field(default=[])
    intersection: list[User] = Field(default=[])
    types: dict[User, Literal[ACTOR_TYPES]] = Field(default={})  # type: ignore[valid-type]
    exact: bool = True
    criticality: dict[Literal[tuple(WORST)], Range] = Field(default={})  # type: ignore[valid-type]
    formerly: Name | None = None

    @property
    def road_users(self) -> list[str]:
        """Letters of the road users, in order."""
        related = {letter for relation in self.relations for letter in relation if letter.isalpha()}
        return sorted({*related, *self.lane_change, *self.intersection, *self.types})

    @model_validator(mode="after")
    def _is_one_pattern(self) -> Definition:
        users = self.road_users
        if not users and not self.criticality:
            raise ValueError("it has neither road users nor criticality")
        joined = {letter for relation in self.relations for letter in relation if letter.isalpha()}
        if len(users) > 1 and set(users) != joined:
            raise ValueError(f"no relation has the road user {min(set(users) - joined)}")
        if any(relation[0] == relation[-1] for relation in self.relations):
            raise ValueError("a relation joins a road user to itself")
        if any(low > high for low, high in self.criticality.values()):
            raise ValueError("a range of criticality has its larger number first")
        return self


def read_definitions(path: str | Path | None, kind: Kind) -> dict[str, Definition]:
    """Read a file of labels.

    Args:
        path: the file; None reads the one of the project.
        kind: which of the project's files.

    Raises:
        SourceError: the file does not exist, is not a YAML mapping, or a definition has a fault.
    """
    where = path or f"the project's {kind}.yml"
    try:
        own = files(__package__).joinpath(f"{kind}.yml")
        content = yaml.safe_load(Path(path).read_text("utf-8") if path else own.read_text("utf-8"))
    except OSError as error:
        raise SourceError(f"{where} cannot be read ({error.strerror}): name a file of {kind}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise SourceError(f"{where} is not YAML ({one_line(error)}): correct it") from error
    if not isinstance(content, dict) or not content:
        raise SourceError(f"{where} is not a mapping of names to definitions: follow the project's {kind}.yml")
    return {_name(name, where): _definition(name, given, where) for name, given in content.items()}


def require_distinct(archetypes: Mapping[str, Definition], tags: Mapping[str, Definition]) -> None:
    """Refuse a tag with the name of an archetype, since tables have a column for each.

    Raises:
        SourceError: a name is both.
    """
    both = sorted(set(archetypes) & set(tags))
    if both:
        raise SourceError(f"{both[0]!r} is an archetype and a tag: rename it in scenes.features.tags_path")


def former_names(definitions: Mapping[str, Definition]) -> dict[str, str]:
    """Return earlier name -> name today."""
    return {given.formerly: name for name, given in definitions.items() if given.formerly}


def _name(name: Any, where: object) -> str:
    if not isinstance(name, str) or not name.replace("_", "a").isalnum() or not name[:1].isalpha():
        raise SourceError(f"{where} has the name {str(name)[:40]!r}: use letters, digits and underscores")
    return name


def _definition(name: str, given: Any, where: object) -> Definition:
    try:
        return Definition.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        message = " ".join(first["msg"].split())
        raise SourceError(f"{where}: {name}{f'.{place}' if place else ''}: {message}") from error
