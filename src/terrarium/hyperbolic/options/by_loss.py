"""What options of the training mean that are set to `auto`: the values that suit the loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

AUTO = "auto"
_SETTINGS = (
    "loss.temperature",
    "loss.positive_weight",
    "loss.radius_penalty",
    "sampler.hard_negatives",
    "sampler.negative_sampler",
    "optimizer.name",
    "optimizer.learning_rate",
    "optimizer.train_radius",
    "schedule.final_learning_rate",
    "batch_size",
    "max_epochs",
)
_JOINT = (0.1, 0.0, 5.0, 16, "true_negatives", "riemannian_adam", 0.05, True, 0.001, 512, 15)
_BY_LOSS: dict[str, tuple[Any, ...]] = {
    "joint": _JOINT,
    "detour": (0.2, 1.0, 0.3, 16, "true_negatives", "riemannian_adam", 0.02, False, 0.002, 256, 20),
    "distance_softmax": (1.0 / 3.0, 0.0, 0.0, 0, "non_ancestors", "riemannian_sgd", 0.1, True, 0.003, 64, 8),
    "margin_ranking": (0.2, 0.0, 0.3, 16, "true_negatives", "riemannian_adam", 0.1, False, 0.003, 256, 40),
    "construct": _JOINT,
}


def settings_of(loss: str) -> dict[str, Any]:
    """Return the values of `auto` by dotted name of the option, for a loss; those of joint for an unknown one."""
    return dict(zip(_SETTINGS, _BY_LOSS.get(loss, _JOINT), strict=True))


def with_settings(training: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tree of training options with every `auto` replaced by the value that suits its loss.

    Args:
        training: the options by name, branches as mappings.
    """
    tree = {name: dict(value) if isinstance(value, Mapping) else value for name, value in training.items()}
    loss = tree.get("loss")
    name = loss.get("name") if isinstance(loss, Mapping) else None
    for path, value in settings_of(str(name)).items():
        *branch, last = path.split(".")
        block: Any = tree
        for part in branch:
            block = block.get(part)
            if not isinstance(block, dict):
                break
        if isinstance(block, dict) and block.get(last) == AUTO:
            block[last] = _at_most(value, block.get("num_negatives")) if last == "hard_negatives" else value
    return tree


def _at_most(value: int, limit: Any) -> int:
    """Return the value, or the limit where that is a smaller number."""
    return min(value, limit) if isinstance(limit, int) else value
