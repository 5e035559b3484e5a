import subprocess
import sys

import pytest

from terrarium.hooks.process.identity import is_dead, this_process


def test_this_process_is_alive():
    assert not is_dead(this_process())


def test_an_ended_process_is_dead_also_when_its_pid_is_used_again():
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    assert is_dead({**this_process(), "pid": ended.pid})
    assert is_dead({**this_process(), "started": this_process()["started"] - 60})


@pytest.mark.parametrize("process", [None, "text", {}, {"host": "elsewhere", "pid": 1, "started": 0.0}])
def test_what_cannot_be_known_is_not_dead(process):
    assert not is_dead(process)


@pytest.mark.parametrize("fault", [{"pid": "x"}, {"pid": -1}, {"started": None}])
def test_a_damaged_record_is_not_dead(fault):
    assert not is_dead({**this_process(), **fault})
