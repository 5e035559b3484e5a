from importlib import import_module

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.fuzz import fuzz
from benchmarks.fuzz_inputs import CASES
from terrarium.sources.errors import SourceError
from terrarium.sources.readers import READERS, detect_traffic_reader, read


@pytest.mark.parametrize("place", READERS.values())
def test_every_reader_exists(place):
    module, _, function = place.partition(":")
    assert callable(getattr(import_module(f"terrarium.sources.{module}"), function))


def test_an_unknown_kind_is_told():
    with pytest.raises(SourceError, match="there is no reader 'xml': choose from table"):
        read("xml", "a.xml")


def test_a_table_is_read_by_its_kind(tmp_path):
    (tmp_path / "t.csv").write_text("id,parent\n1,\n2,1\n")
    assert read("table", tmp_path / "t.csv")["parent"].tolist() == [-1, 1]


@pytest.mark.parametrize("name", CASES)
def test_a_valid_input_is_a_table(name, tmp_path):
    case = CASES[name]
    for file, content in case.files.items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_bytes(content)
    assert case.find_fault(case.read(tmp_path)) is None


@pytest.mark.parametrize("name", CASES)
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_a_damaged_input_is_a_table_or_one_line(name, tmp_path_factory, seed):
    """`python -m benchmarks fuzz` does the same with 10,000 inputs per reader."""
    folder = tmp_path_factory.getbasetemp() / "fuzz" / name.replace(" ", "_")
    folder.mkdir(parents=True, exist_ok=True)
    outcome, sentence = fuzz(CASES[name], folder, seed)
    assert outcome in {"table", "refused"}, sentence


@pytest.mark.parametrize(
    ("files", "reader"),
    [
        (["lanes.parquet", "lane_links.parquet", "scene_1.tracks.parquet"], "carla"),
        (["lanes.parquet", "tracks.parquet"], "tables"),
        (["a/scenario_a.parquet", "a/log_map_archive_a.json"], "argoverse"),
        (["a.net.xml", "a.fcd.xml.gz"], "sumo"),
        (["DEU_Ffb-1_1_T-1.xml"], "commonroad"),
    ],
)
def test_a_traffic_reader_is_recognized_by_its_files(files, reader, tmp_path):
    for file in files:
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).touch()
    assert detect_traffic_reader(tmp_path) == reader
    assert reader in READERS


def test_a_folder_that_no_traffic_reader_knows_is_told_what_it_needs(tmp_path):
    with pytest.raises(SourceError, match=r"has no recording that we can read: it needs one of .*tracks\.parquet"):
        detect_traffic_reader(tmp_path)
