import os

import pytest

from benchmarks import faults
from terrarium.training.checkpointing.state import State, StateError, read_state, write_state


def test_a_flipped_bit_that_nothing_notices_is_silent(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"content")
    row = faults.flip_bits("text", path, path.read_bytes)
    assert (row["errors"], row["other"], row["silent"]) == (0, 0, faults.FLIPS)
    assert path.read_bytes() == b"content"


def test_errors_are_counted_by_their_kind(tmp_path):
    path = tmp_path / "file"
    write_state(path, State({}, {"a": 1}))
    assert faults.flip_bits("state", path, lambda: read_state(path))["errors"] == faults.FLIPS
    path.write_text('{"a": 1}')
    whole = path.read_bytes()

    def load():
        if path.read_bytes() != whole:
            raise RuntimeError

    assert faults.flip_bits("text", path, load)["other"] == faults.FLIPS
    with pytest.raises(StateError):
        read_state(path)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_process_kills_itself_at_the_change_it_is_told(tmp_path):
    child = os.fork()
    if child == 0:
        with (tmp_path / "log").open("a") as log:
            faults.die_at(2, log)
            os.replace(tmp_path / "log", tmp_path / "counts")
            os.replace(tmp_path / "counts", tmp_path / "never")
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -9
    assert (tmp_path / "counts").read_text() == "change\n"
