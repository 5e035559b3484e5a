"""Kedro hooks: valid parameters, consistent versions, a record of every run, and where its results lie.

The hooks keep no state between runs and do not depend on the order in which they are registered.
"""

from terrarium.hooks.inputs import ChooseInputs
from terrarium.hooks.parameters import ValidateParameters
from terrarium.hooks.pinning import OrderVersions, PinVersions
from terrarium.hooks.recording import RecordRuns
from terrarium.hooks.refusals import RefuseInOneLine
from terrarium.hooks.results import AnnounceResults
from terrarium.hooks.sources import CheckSources

__all__ = [
    "AnnounceResults",
    "CheckSources",
    "ChooseInputs",
    "OrderVersions",
    "PinVersions",
    "RecordRuns",
    "RefuseInOneLine",
    "ValidateParameters",
]
