"""Packages that nodes import late are imported before threads begin."""

import subprocess
import sys

import pytest
from kedro.runner import ThreadRunner

SCRIPT = """
import sys
from terrarium.hooks.process.threads import ImportBeforeThreads
ImportBeforeThreads().before_pipeline_run({{"runner": {runner!r}}})
assert ("pandera.pandas" in sys.modules) is {imported}
assert ("torch" in sys.modules) is {imported}
"""


@pytest.mark.parametrize(
    ("runner", "imported"),
    [("ThreadRunner", True), (str(ThreadRunner()), True), (None, False)],
    ids=["class", "object", "no runner"],
)
def test_late_packages_are_imported_before_the_threads_of_a_run(runner, imported):
    subprocess.run([sys.executable, "-c", SCRIPT.format(runner=runner, imported=imported)], check=True)
