"""Fingerprints of what decides a training's result (data and options), and plain words for how two differ."""

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence

from pydantic import BaseModel

from terrarium.training.checkpointing.state import JSON
from terrarium.training.options import ScheduledFitOptions


class MismatchedArtifactsError(ValueError):
    """Artifacts of different runs: weights, for example, of other data than those at hand."""


_ABSENT = "(absent)"
_SHOWN = 8


def digest(fingerprint: Mapping[str, JSON]) -> str:
    """Return the sha256 of `fingerprint` as hex, whatever the order of keys. Raises TypeError unless it is JSON."""
    return hashlib.sha256(json.dumps(fingerprint, sort_keys=True).encode()).hexdigest()


def training_fingerprint(
    *, data: JSON, model: BaseModel, training: BaseModel, exclude: Collection[str] = (), **more: JSON
) -> dict[str, JSON]:
    """Return the fingerprint of a training: what decides its result, as `fit` wants it.

    The retention of checkpoints does not decide it and is left out.

    Args:
        data: the fingerprint of the data, or several by name.
        model, training: the option models of these branches.
        exclude: further options of `training` that do not decide the result, such as a limit of memory.
        more: further parts by name.
    """
    options = training.model_dump(mode="json", exclude={"checkpoints", *exclude})
    if isinstance(training, ScheduledFitOptions):
        options["schedule_epochs"] = training.schedule_length
    return {"data": data, "model": model.model_dump(mode="json"), "training": options, **more}


def require_fingerprint(made_from: JSON, at_hand: JSON, *, what: str, datasets: Sequence[str]) -> None:
    """Refuse an artifact that was made from other data than those at hand.

    Args:
        made_from: the fingerprint that the artifact carries.
        at_hand: the fingerprint of the data of this run.
        what: the artifact and its data in words, such as "the weights belong to other taxa".
        datasets: catalog entries to choose versions for.

    Raises:
        MismatchedArtifactsError: when they differ; it says how to choose versions that belong together.
    """
    if made_from != at_hand:
        names = ", ".join(datasets)
        raise MismatchedArtifactsError(
            f"{what}: load the versions of one run, --load-versions=NAME:VERSION,... for {names}; "
            "the warning at the start of this run names versions that belong together"
        )


def differences(old: Mapping[str, JSON], new: Mapping[str, JSON]) -> str:
    """Return what changed from `old` to `new`, such as `training.dim 5 -> 10, data.taxa ab12 -> cd34`."""
    before, after = dict(_leaves(old)), dict(_leaves(new))
    changes = [
        f"{key} {_text(before, key)} -> {_text(after, key)}"
        for key in dict.fromkeys([*before, *after])
        if _text(before, key) != _text(after, key)
    ]
    more = f" and {len(changes) - _SHOWN} more" if len(changes) > _SHOWN else ""
    return ", ".join(changes[:_SHOWN]) + more


def differs_in_length_only(left: Mapping[str, JSON], right: Mapping[str, JSON]) -> bool:
    """Return whether two fingerprints differ in `training.max_epochs` and in nothing else.

    Epochs of such trainings are equal, as schedules that depend on the length are a part of the fingerprint.
    """
    return left != right and _without_length(left) == _without_length(right)


def _without_length(fingerprint: Mapping[str, JSON]) -> dict[str, JSON]:
    training = fingerprint.get("training")
    if not isinstance(training, Mapping) or "max_epochs" not in training:
        return dict(fingerprint)
    return {**fingerprint, "training": {key: value for key, value in training.items() if key != "max_epochs"}}


def _leaves(tree: Mapping[str, JSON], prefix: str = "") -> Iterator[tuple[str, JSON]]:
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _text(leaves: Mapping[str, JSON], key: str) -> str:
    return json.dumps(leaves[key]) if key in leaves else _ABSENT
