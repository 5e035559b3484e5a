"""What all tests share: a quiet environment, what is optional, and the meaning of `slow`."""

import os
import resource

import pytest
from hypothesis import settings

from tests.project import find_optional

# Two tests at once with two threads each wait for each other at every small operation of torch.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# The machine may be shared and compiles on first use: a slow example is no fault.
settings.register_profile("terrarium", deadline=None)
settings.load_profile("terrarium")

SLOW_S = 30.0
"""Processor time of a test, in seconds, from which it must be marked `slow`."""
CPU_TIME = "cpu_s"


@pytest.fixture(autouse=True, scope="session")
def _quiet_environment():
    os.environ["KEDRO_DISABLE_TELEMETRY"] = "1"
    os.environ["DO_NOT_TRACK"] = "1"
    os.environ.setdefault("COLUMNS", "200")


def pytest_report_header():
    """Say what is skipped, and how to enable it."""
    missing = [(name, how) for name, is_there, how in find_optional() if not is_there]
    lines = [f"  {name:<28} {how}" for name, how in missing]
    return ["skipped on this machine, and how to enable it:", *lines] if missing else ["nothing optional is missing"]


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item):
    """Measure a test's processor time, its subprocesses included, which a busy machine does not change."""
    before = _cpu_time()
    yield
    item.user_properties.append((CPU_TIME, _cpu_time() - before))


def pytest_terminal_summary(terminalreporter):
    """Name the tests that are `slow` without the mark."""
    for report in _unmarked(terminalreporter):
        used = dict(report.user_properties)[CPU_TIME]
        terminalreporter.write_line(f"not marked slow, but took {used:.0f} s of processor time: {report.nodeid}")


def pytest_sessionfinish(session):
    """Fail in continuous integration when a test is `slow` without the mark."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") and reporter is not None and session.exitstatus == 0 and _unmarked(reporter):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _unmarked(reporter):
    passed = (report for report in reporter.stats.get("passed", []) if report.when == "call")
    return [r for r in passed if dict(r.user_properties).get(CPU_TIME, 0.0) > SLOW_S and "slow" not in r.keywords]


def _cpu_time():
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)
