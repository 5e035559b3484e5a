"""The base of all option models. Defaults are in `conf/base/parameters` only; the models have none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import BaseModel, ConfigDict


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
