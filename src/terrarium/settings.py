"""Settings of the Kedro project; see https://docs.kedro.org for what each of them means."""

from kedro.config import OmegaConfigLoader

from terrarium.hooks import AnnounceResults, ChooseInputs, PinVersions, RecordRuns, ValidateParameters

HOOKS = (ValidateParameters(), ChooseInputs(), PinVersions(), RecordRuns(), AnnounceResults())

CONFIG_LOADER_CLASS = OmegaConfigLoader
CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "local",
    "merge_strategy": {"parameters": "soft"},
}
