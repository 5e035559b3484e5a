"""Terrarium: a Kedro project that grows embeddings of structured knowledge and reports how good they are.

`terrarium.load("hyperbolic")` opens the result of a run, `terrarium.embed(edges)` embeds a hierarchy without one.
"""

from typing import Any

__version__ = "0.1.0"

_LAZY = {"load": "terrarium.use", "embed": "terrarium.hyperbolic.use.embed"}


def __getattr__(name: str) -> Any:
    """Import `load` and `embed` when they are first used, so that importing the package stays quick."""
    from importlib import import_module

    if name not in _LAZY:
        raise AttributeError(f"module 'terrarium' has no attribute {name!r}")
    return getattr(import_module(_LAZY[name]), name)
