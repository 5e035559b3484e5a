"""The families' parameters in an environment of conf/."""

from pathlib import Path
from typing import Any

from kedro.config import OmegaConfigLoader

from terrarium.hyperbolic.options import Options, TrainingOptions

CONF = Path(__file__).parents[1] / "conf"


def parameters_of(family: str, environment: str) -> dict[str, Any]:
    """Return a family's tree of parameters, as `kedro run --env=...` has it."""
    loader = OmegaConfigLoader(
        str(CONF), env=environment, base_env="base", default_run_env="local", merge_strategy={"parameters": "soft"}
    )
    found: dict[str, Any] = loader["parameters"][family]
    return found


def options_of(environment: str) -> Options:
    """Return the hyperbolic family's validated options."""
    return Options.model_validate(parameters_of("hyperbolic", environment))


def with_options(training: TrainingOptions, **blocks: dict[str, Any]) -> TrainingOptions:
    """Return training options with some values of their blocks replaced, validated again."""
    tree = training.model_dump()
    return TrainingOptions.model_validate(tree | {name: tree[name] | given for name, given in blocks.items()})
