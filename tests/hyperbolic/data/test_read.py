import pandas as pd
import pytest

from terrarium.hyperbolic.data.read import download_folder, read_source, source_kind
from terrarium.sources.errors import SourceError
from tests.hyperbolic.data.options import source_options as options


@pytest.fixture
def table(tmp_path):
    frame = pd.DataFrame(
        {
            "id": [1, 2, 3, 4, 5, 6],
            "parent": [None, 1, 1, 2, 2, 4],
            "name": ["life", "cats", "dogs", "lions", "cat sp. 1", "one lion"],
        }
    )
    frame.to_csv(tmp_path / "t.csv", index=False)
    return str(tmp_path / "t.csv")


def test_parts_of_a_table(table):
    assert set(read_source(options(path=table, select="clade", clade="cats"))["id"]) == {2, 4, 5, 6}
    assert set(read_source(options(path=table, select="clade", clade=4))["id"]) == {4, 6}
    assert set(read_source(options(path=table, select="lowest_taxids", count=1))["id"]) == {1, 2}
    with pytest.raises(SourceError, match=r"'cots' is not in the table.*cats"):
        read_source(options(path=table, select="clade", clade="cots"))


def test_a_path_and_a_kind_belong_together(table):
    with pytest.raises(SourceError, match=r"source\.kind obo needs source\.path"):
        read_source(options(kind="obo"))
    with pytest.raises(SourceError, match="package reads no file"):
        read_source(options(kind="package", path=table))


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        (None, "package"),
        ("x.csv", "table"),
        ("GO.obo.gz", "obo"),
        ("https://host/taxdump.tar.gz", "taxdump"),
        (".", "taxdump"),
    ],
)
def test_auto_goes_by_the_path(path, kind):
    assert source_kind(options(path=path)) == kind


def test_downloads_go_to_the_users_cache(monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert str(download_folder()) == "/somewhere/terrarium"
