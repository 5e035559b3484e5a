"""The hyperbolic family's options in an environment of conf/."""

from pathlib import Path

from kedro.config import OmegaConfigLoader

from terrarium.pipelines.hyperbolic.options import Options

CONF = Path(__file__).parents[1] / "conf"


def options_of(environment: str) -> Options:
    """The validated tree of options, as `kedro run --env=...` has it."""
    loader = OmegaConfigLoader(
        str(CONF), env=environment, base_env="base", default_run_env="local", merge_strategy={"parameters": "soft"}
    )
    return Options.model_validate(loader["parameters"]["hyperbolic"])
