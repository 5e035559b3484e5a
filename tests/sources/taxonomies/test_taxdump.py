import tarfile
import zipfile

import pytest

from terrarium.sources.errors import SourceError
from terrarium.sources.taxonomies.taxdump import read_aliases, read_taxdump

NODES = [(1, 1, "no rank"), (2, 1, "superkingdom"), (9604, 2, "family"), (9606, 9604, "species")]
NAMES = [
    (1, "root", "", "scientific name"),
    (2, 'Bacteria "x"', "Bacteria <bacteria>", "scientific name"),
    (9604, "great apes", "", "common name"),
    (9604, "Hominidae", "", "scientific name"),
    (9606, "Homo sapiens", "", "scientific name"),
]


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "dump"
    place.mkdir()
    lines = {
        "nodes.dmp": [(*row, "XX", "0", "1") for row in NODES],
        "names.dmp": NAMES,
        "merged.dmp": [(12, 9606), (13, 2)],
    }
    for name, rows in lines.items():
        (place / name).write_text("".join("\t|\t".join(map(str, row)) + "\t|\n" for row in rows))
    return place


def archive(folder, name, inner=""):
    file = folder.parent / name
    if name.endswith(".zip"):
        with zipfile.ZipFile(file, "w") as out:
            for part in folder.iterdir():
                out.write(part, inner + part.name)
    else:
        packing = name.rpartition(".")[2]
        with tarfile.open(file, "w" if packing == "tar" else f"w:{packing}") as out:
            for part in folder.iterdir():
                out.add(part, inner + part.name)
    return file


def check(table):
    assert table["id"].tolist() == [1, 2, 9604, 9606]
    assert table["parent"].tolist() == [-1, 1, 2, 9604]
    assert table["name"].tolist() == ["root", 'Bacteria "x"', "Hominidae", "Homo sapiens"]
    assert table["rank"].tolist() == ["no rank", "superkingdom", "family", "species"]


def test_a_folder(folder, tmp_path):
    check(read_taxdump(folder, tmp_path))


def test_other_names_and_merged_ids_are_aliases(folder, tmp_path):
    aliases = read_aliases(folder, tmp_path)
    assert dict(zip(aliases["alias"], aliases["taxid"], strict=True)) == {"great apes": "9604", "12": "9606", "13": "2"}
    (folder / "merged.dmp").unlink()
    assert len(read_aliases(folder, tmp_path)) == 1


@pytest.mark.parametrize("name", ["taxdump.tar.gz", "taxdump.tar.xz", "taxdump.tar.bz2", "taxdump.tar", "taxdump.zip"])
@pytest.mark.parametrize("inner", ["", "./", "taxdump/"])
def test_an_archive_with_and_without_a_folder_inside(folder, tmp_path, name, inner):
    check(read_taxdump(archive(folder, name, inner), tmp_path / "cache"))


def test_broken_dumps_are_named(folder, tmp_path):
    (folder / "names.dmp").unlink()
    with pytest.raises(SourceError, match=r"has no names\.dmp"):
        read_taxdump(folder, tmp_path)
    (tmp_path / "x.tar.gz").write_bytes(b"not an archive")
    with pytest.raises(SourceError, match="is broken or no archive"):
        read_taxdump(tmp_path / "x.tar.gz", tmp_path)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("nodes.dmp", lambda text: "", r"nodes\.dmp is empty"),
        ("names.dmp", lambda text: "", r"names\.dmp is empty"),
        ("nodes.dmp", lambda text: text[:-30], r"nodes\.dmp line 4: .*may be cut"),
        (
            "nodes.dmp",
            lambda text: "".join(text.splitlines(True)[:-1]),
            r"names\.dmp line 5: taxon 9606 is not in nodes",
        ),
        ("nodes.dmp", lambda text: text.replace("9604\t|\t2\t", "9604\t|\t77\t"), "line 3: the parent 77 has no line"),
        ("nodes.dmp", lambda text: text.replace("9606\t|\t9604", "9606\t|\tx"), "line 4: 'x' is not a tax id"),
        ("nodes.dmp", lambda text: text + text.splitlines(True)[1], "line 5: taxon 2 is in line 2 already"),
        (
            "names.dmp",
            lambda text: "".join(text.splitlines(True)[:-1]),
            "no scientific name for 1 of 4 taxa, such as 9606",
        ),
        ("names.dmp", lambda text: text.replace("Homo sapiens", "Homo\0sapiens"), "names.dmp line 5: it is not UTF-8"),
    ],
)
def test_what_is_cut_or_wrong_is_named_with_its_line(folder, tmp_path, name, change, message):
    text = (folder / name).read_text()
    (folder / name).write_text(change(text))
    with pytest.raises(SourceError, match=message):
        read_taxdump(folder, tmp_path)


def test_dumps_of_other_programs(folder, tmp_path):
    """A header line, an underscore in `scientific_name`, and ids above 2^31 as TaxonKit makes them."""
    names = (folder / "names.dmp").read_text().replace("scientific name", "scientific_name")
    (folder / "names.dmp").write_text(names)
    nodes = (folder / "nodes.dmp").read_text()
    (folder / "nodes.dmp").write_text("#taxid|parent|rank\n" + nodes)
    check(read_taxdump(folder, tmp_path))
    for file in ("names.dmp", "nodes.dmp"):
        (folder / file).write_text((folder / file).read_text().replace("9604", "4294967299"))
    table = read_taxdump(folder, tmp_path)
    assert table["key"].tolist() == ["1", "2", "4294967299", "9606"]
    assert table["id"].tolist() == [0, 1, 2, 3]
    assert table["parent"].tolist() == [-1, 0, 1, 2]
