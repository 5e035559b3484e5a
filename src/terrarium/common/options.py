"""The base of all option models. Defaults are in `conf/base/parameters` only; the models have none."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict


def expand_path(path: str) -> str:
    """Return a path or address with ~ and environment variables ($NAME) in it replaced."""
    expanded = os.path.expandvars(path)
    return str(Path(expanded).expanduser()) if expanded.startswith("~") else expanded


FilePath = Annotated[str, AfterValidator(expand_path)]
"""A path in an option; ~ and environment variables are replaced."""


class Options(BaseModel):
    """Refuse unknown keys and later changes.

    Attributes:
        renamed: old name of an option, or its path below this model -> what to write now, as a path below this model,
            if need be with further words behind it; or what became of the option, as words that follow the old name
            and begin with "was" ("was removed: ..."). A run with the old name stops and says so.
        renamed_values: option -> {old value: new value}, for options with a list of legal values.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    renamed: ClassVar[Mapping[str, str]] = {}
    renamed_values: ClassVar[Mapping[str, Mapping[str, str]]] = {}
