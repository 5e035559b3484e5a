"""Fingerprints of what decides a training's result (data and options), and plain words for how two differ."""

import hashlib
import json
from collections.abc import Iterator, Mapping

from terrarium.training.state import JSON

_ABSENT = "(absent)"
_SHOWN = 8


def digest(fingerprint: Mapping[str, JSON]) -> str:
    """The sha256 of `fingerprint` as hex; the order of keys does not matter. Raises TypeError unless it is JSON."""
    return hashlib.sha256(json.dumps(fingerprint, sort_keys=True).encode()).hexdigest()


def differences(old: Mapping[str, JSON], new: Mapping[str, JSON]) -> str:
    """What changed from `old` to `new`, such as `training.dim 5 -> 10, data.taxa ab12 -> cd34`."""
    before, after = dict(_leaves(old)), dict(_leaves(new))
    changes = [
        f"{key} {_text(before, key)} -> {_text(after, key)}"
        for key in dict.fromkeys([*before, *after])
        if _text(before, key) != _text(after, key)
    ]
    more = f" and {len(changes) - _SHOWN} more" if len(changes) > _SHOWN else ""
    return ", ".join(changes[:_SHOWN]) + more


def _leaves(tree: Mapping[str, JSON], prefix: str = "") -> Iterator[tuple[str, JSON]]:
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _text(leaves: Mapping[str, JSON], key: str) -> str:
    return json.dumps(leaves[key]) if key in leaves else _ABSENT
