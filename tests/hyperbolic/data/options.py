"""Options of a source and of a model that the tests share."""

from typing import Any

from terrarium.hyperbolic.options import ModelOptions, SourceOptions

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


def model_options(**changes: Any) -> ModelOptions:
    """Return model options with changes."""
    options = {
        "dim": 5,
        "init": "inherited",
        "init_noise": 0.3,
        "construction": "combinatorial",
        "max_radius": 34.0,
        "missed_weight": 1.0,
        "leaf_radius": "nested",
        "seed": 1,
    }
    return ModelOptions.model_validate(options | changes)
