"""Options of a source that the tests share."""

from typing import Any

from terrarium.hyperbolic.options import SourceOptions

DEFAULTS = {
    "kind": "auto",
    "path": None,
    "select": "all",
    "clade": "x",
    "count": 10,
    "max_depth": None,
    "clean": False,
    "extra_noise": [],
    "allow_multiple_parents": False,
    "virtual_root": None,
    "associations": None,
    "legacy": {"max_tax_id": None},
}


def source_options(**chosen: Any) -> SourceOptions:
    """The options of a user's own table, with changes."""
    return SourceOptions.model_validate(DEFAULTS | chosen)
