import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors.numpy import save_file

from terrarium.training.checkpointing.state import (
    AtomicPath,
    State,
    StateError,
    read_metadata,
    read_state,
    write_json,
    write_state,
)

DTYPES = ["bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]
DTYPES += ["float16", "float32", "float64", ">f8", ">i4"]
arrays = st.sampled_from(DTYPES).flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
names = st.text(st.characters(exclude_categories=["Cs"]), max_size=12).filter(lambda name: name != "__metadata__")


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(names, arrays, max_size=4), st.dictionaries(st.text(max_size=5), json_values, max_size=3))
def test_round_trip(tmp_path_factory, tensors, metadata):
    path = tmp_path_factory.getbasetemp() / "round_trip.safetensors"
    state = State(tensors, metadata)
    write_state(path, state)
    native = {name: array.astype(array.dtype.newbyteorder("=")) for name, array in tensors.items()}
    assert read_state(path).equals(State(native, metadata))
    assert json.dumps(read_metadata(path)) == json.dumps(metadata)


def test_views_are_written_in_their_own_order(tmp_path):
    table = np.arange(12.0).reshape(3, 4)
    write_state(tmp_path / "s", State({"t": table.T, "step": table[:, ::2]}))
    read = read_state(tmp_path / "s").tensors
    np.testing.assert_array_equal(read["t"], table.T)
    np.testing.assert_array_equal(read["step"], table[:, ::2])


def test_equal_states_make_equal_files(tmp_path):
    state = State({"b": np.ones(3), "a": np.zeros(2, "int32")}, {"x": [1, {"y": None}]})
    write_state(tmp_path / "one", state)
    write_state(tmp_path / "two", State(dict(reversed(state.tensors.items())), state.metadata))
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@pytest.mark.parametrize(
    "other",
    [
        State({"a": np.array([0.0])}),
        State({"a": np.array([-0.0], "float32")}),
        State({"a": np.array([[-0.0]])}),
        State({"b": np.array([-0.0])}),
        State({"a": np.array([-0.0])}, {"x": 1}),
    ],
)
def test_equals_sees_every_difference(other):
    state = State({"a": np.array([-0.0])})
    assert state.equals(State({"a": np.array([-0.0])}))
    assert not state.equals(other)


@pytest.mark.parametrize(
    "state",
    [State({"a": np.array(["text"])}), State({"a": [1.0]}), State({}, {"a": np.int64(1)}), State({}, {"a": object()})],
)
def test_what_cannot_be_kept_is_an_error_and_leaves_the_old_file(tmp_path, state):
    good = State({"a": np.ones(2)})
    write_state(tmp_path / "s", good)
    with pytest.raises(StateError):
        write_state(tmp_path / "s", state)
    assert read_state(tmp_path / "s").equals(good)
    assert os.listdir(tmp_path) == ["s"]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 399))
def test_a_truncated_file_is_an_error(tmp_path_factory, length):
    path = tmp_path_factory.getbasetemp() / "truncated.safetensors"
    write_state(path, State({"a": np.ones(50)}, {"x": 1}))
    whole = path.read_bytes()
    path.write_bytes(whole[: min(length, len(whole) - 1)])
    with pytest.raises(StateError, match="damaged"):
        read_state(path)


STATE = State({"weights": np.linspace(-1, 1, 20), "mask": np.array([True, False])}, {"epoch": 3, "loss": [0.5]})


def test_no_flipped_bit_is_silent(tmp_path):
    """Even in the header, whose names, types and offsets decide what is read."""
    path = tmp_path / "flipped.safetensors"
    write_state(path, STATE)
    whole = path.read_bytes()
    for position in range(len(whole)):
        content = bytearray(whole)
        content[position] ^= 1 << (position % 8)
        path.write_bytes(content)
        with pytest.raises(StateError):
            read_state(path)


def test_a_damaged_array_is_named(tmp_path):
    write_state(tmp_path / "s", STATE)
    content = bytearray((tmp_path / "s").read_bytes())
    content[-1] ^= 1
    (tmp_path / "s").write_bytes(content)
    with pytest.raises(StateError, match=r"the SHA-256 of 'mask' is not the one in its header"):
        read_state(tmp_path / "s")


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_files_have_the_mode_that_the_umask_gives(tmp_path, mask, mode):
    before = os.umask(mask)
    try:
        write_state(tmp_path / "s", STATE)
        write_json(tmp_path / "j", {})
    finally:
        os.umask(before)
    assert [(tmp_path / name).stat().st_mode & 0o777 for name in ("s", "j")] == [mode, mode]


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (None, "not written as a state"),
        ({"terrarium": '{"format_version": 99, "metadata": {}}'}, "format version 99"),
        ({"terrarium": "{"}, "damaged header"),
        ({"terrarium": "[]"}, "damaged header"),
        ({"terrarium": '{"format_version": 2}'}, "damaged header"),
    ],
)
def test_foreign_files_are_named(tmp_path, header, words):
    save_file({"a": np.ones(1)}, tmp_path / "s", header)
    with pytest.raises(StateError, match=words):
        read_state(tmp_path / "s")


def test_a_missing_file_stays_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_state(tmp_path / "nothing")


def fail_inside(path: Path) -> None:
    with AtomicPath(path) as temporary:
        temporary.write_text("half")
        raise KeyboardInterrupt


def test_atomic_path_replaces_all_or_nothing(tmp_path):
    path = tmp_path / "new" / "value.json"
    write_json(path, {"a": 1})
    with pytest.raises(KeyboardInterrupt):
        fail_inside(path)
    assert json.loads(path.read_text()) == {"a": 1}
    assert os.listdir(path.parent) == ["value.json"]
