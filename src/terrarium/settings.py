"""Settings of the Kedro project; see https://docs.kedro.org for what each of them means."""

import os

from kedro.config import OmegaConfigLoader

from terrarium.hooks.inputs import ChooseInputs
from terrarium.hooks.parameters import ValidateParameters
from terrarium.hooks.pinning import OrderVersions, PinVersions
from terrarium.hooks.process.joining import JoinProcesses
from terrarium.hooks.process.refusals import RefuseInOneLine
from terrarium.hooks.process.threads import ImportBeforeThreads
from terrarium.hooks.recording import RecordRuns
from terrarium.hooks.results import AnnounceResults, LogToMlflow, LogToTensorBoard
from terrarium.hooks.sources import CheckSources

HOOKS = (
    ValidateParameters(),
    ChooseInputs(),
    OrderVersions(),
    PinVersions(),
    CheckSources(),
    RecordRuns(),
    RefuseInOneLine(),
    AnnounceResults(),
    LogToTensorBoard(),
    LogToMlflow(),
    JoinProcesses(),
    ImportBeforeThreads(),
)

# Kedro-viz writes `.viz/` into the project on each run; TERRARIUM_VIZ_HOOKS=0 turns that off.
_VIZ = ("kedro-viz",) if os.environ.get("TERRARIUM_VIZ_HOOKS") == "0" else ()
DISABLE_HOOKS_FOR_PLUGINS = ("kedro-telemetry", *_VIZ)

CONFIG_LOADER_CLASS = OmegaConfigLoader
CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "local",
    "merge_strategy": {"parameters": "soft"},
}
