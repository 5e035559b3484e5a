import gzip
import io
import tarfile
import zipfile

import pandas as pd
import pytest

from terrarium.hyperbolic.data.describe import describe_source
from terrarium.hyperbolic.data.read import check_source, download_folder, read_source, source_kind
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
    with pytest.raises(SourceError, match="'cots' is not in the source: did you mean 'cats'"):
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
        ("taxdump.tar.xz", "taxdump"),
        ("x.csv.gz", "table"),
        ("x.nwk", "newick"),
        ("x.TREE.gz", "newick"),
        (".", "taxdump"),
    ],
)
def test_auto_goes_by_the_path(path, kind):
    assert source_kind(options(path=path)) == kind


TABLE = "id,parent,name\n1,,all\n2,1,cats\n"
FILES = {
    "taxa.csv": TABLE,
    "taxa.obo": "[Term]\nid: X:1\nname: all\n\n[Term]\nid: X:2\nname: cats\nis_a: X:1\n",
    "taxa.nwk": "(dogs,cats)all;",
    "taxa.txt": "a\td__all;p__cats\n",
}


def pack(archive, files):
    with zipfile.ZipFile(archive, "w") as packed:
        for name, text in files.items():
            packed.writestr(name, text)
    return str(archive)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("folder", ["", "export/"])
def test_an_archive_of_one_file_is_read_as_that_file(name, folder, tmp_path):
    (tmp_path / name).write_text(FILES[name])
    system = {"__MACOSX/._" + name: "", folder + ".DS_Store": ""}
    packed = pack(tmp_path / "taxa.zip", {f"{folder}{name}": FILES[name]} | system)
    check_source(options(path=packed))
    assert source_kind(options(path=packed)) == source_kind(options(path=str(tmp_path / name)))
    pd.testing.assert_frame_equal(read_source(options(path=packed)), read_source(options(path=str(tmp_path / name))))
    assert describe_source(options(path=packed))["location"] == packed


def test_a_packed_file_and_parquet_in_an_archive_are_read(tmp_path):
    pd.read_csv(io.StringIO(TABLE)).to_parquet(tmp_path / "taxa.parquet")
    (tmp_path / "taxa.csv.gz").write_bytes(gzip.compress(TABLE.encode(), mtime=0))
    for name in ("taxa.parquet", "taxa.csv.gz"):
        with tarfile.open(tmp_path / "taxa.tar.xz", "w:xz") as packed:
            packed.add(tmp_path / name, name)
        assert read_source(options(path=str(tmp_path / "taxa.tar.xz")))["name"].tolist() == ["all", "cats"]


def test_of_several_files_in_an_archive_one_is_named(tmp_path):
    packed = pack(tmp_path / "taxa.zip", {"a.csv": TABLE, "b.csv": "id,parent\n1,\n1\n"})
    with pytest.raises(SourceError, match=r"taxa\.zip has 2 files \(a\.csv, b\.csv\): name the one to read, as .*a\.csv$"):
        check_source(options(path=packed))
    assert len(read_source(options(path=f"{packed}/a.csv"))) == 2
    with pytest.raises(SourceError, match=r"taxa\.zip/b\.csv line 3: 1 values"):
        read_source(options(path=f"{packed}/b.csv"))
    with pytest.raises(SourceError, match=r"source\.path .*c\.csv does not exist"):
        check_source(options(path=f"{packed}/c.csv"))


def test_an_empty_archive_is_refused(tmp_path):
    with pytest.raises(SourceError, match=r"taxa\.zip has no file"):
        check_source(options(path=pack(tmp_path / "taxa.zip", {})))


def test_downloads_go_to_the_users_cache(monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert str(download_folder()) == "/somewhere/terrarium"


def test_everything_in_a_path_is_read_unless_a_clade_is_named(table):
    assert len(read_source(options(path=table, select="clade", clade=None))) == 6
    assert len(read_source(options(path=table, select="clade", clade="cats"))) == 4


def test_taxonomy_strings_are_known_by_their_content(tmp_path):
    (tmp_path / "t.tsv").write_text("RS_1\td__Bacteria;p__A\n")
    assert source_kind(options(path=str(tmp_path / "t.tsv"))) == "lineages"
    (tmp_path / "t.doc").write_text("")
    with pytest.raises(SourceError, match=r"t\.doc has the suffix '\.doc': use \.csv"):
        source_kind(options(path=str(tmp_path / "t.doc")))


def test_a_source_is_checked_without_reading_it(table):
    check_source(options(path=table))
    for wrong, message in (
        (options(path="/nowhere.csv"), "does not exist"),
        (options(kind="obo"), "needs source.path"),
        (options(select="clade", clade="Nobody at all"), "no taxon in NCBI's package of 20"),
        (options(select="clade", clade="Proteobacteria"), "NCBI calls it 'Pseudomonadota' now"),
        (options(select="clade", clade="999999999"), "may be merged into another or newer"),
    ):
        with pytest.raises(SourceError, match=message):
            check_source(wrong)
