from importlib import import_module

import pytest

from terrarium.sources.errors import SourceError
from terrarium.sources.readers import READERS, read


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
