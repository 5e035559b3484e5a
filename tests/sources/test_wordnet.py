import os
import shutil
import zipfile

import pytest

from terrarium.hierarchy import Hierarchy
from terrarium.sources import wordnet
from terrarium.sources.errors import SourceError
from terrarium.sources.wordnet import find_wordnet, read_hypernyms, read_wordnet
from terrarium.sources.wordnet_format import LEXNAMES

ROOT = "00000010 03 n 01 thing 0 001 ~ 00000020 n 0000 | what there is"
PET = "00000020 05 n 02 pet 0 House_pet 1 001 @ 00000010 n 0000 | an animal at home"
REX = "00000030 05 n 01 Rex 0 003 @i 00000020 n 0000 @ 00000010 n 0000 ! 00000020 n 0102 | a dog"
BIG = "00000040 00 a 01 big(p) 2 000 | large"
HUGE = "00000050 00 s 01 huge 0 001 & 00000040 a 0000 | very large"


@pytest.fixture
def folder(tmp_path):
    licence = "  1 This is the licence.\n"
    (tmp_path / "data.noun").write_text(licence + "\n".join([ROOT, PET, REX]) + "\n")
    (tmp_path / "data.adj").write_text(licence + "\n".join([BIG, HUGE]) + "\n")
    index = ["thing n 1 0 1 0 00000010  ", "pet n 2 1 @ 2 0 00000099 00000020  ", "rex n 1 1 @ 1 0 00000030  "]
    (tmp_path / "index.noun").write_text(licence + "\n".join(index) + "\n")
    return tmp_path


def test_there_are_45_files_of_lexicographers():
    assert len(LEXNAMES) == len(set(LEXNAMES)) == 45
    assert LEXNAMES[5] == "noun.animal"


def test_senses_have_keys(folder):
    found = read_wordnet(folder, "na")
    assert found.senses["sense_key"].tolist() == [
        "thing%1:03:00::",
        "pet%1:05:00::",
        "house_pet%1:05:01::",
        "rex%1:05:00::",
        "big%3:00:02::",
        "huge%5:00:00:big:02",
    ]
    assert found.senses["form"].tolist()[2:5] == ["House_pet", "Rex", "big"]
    assert found.synsets["gloss"].iloc[1] == "an animal at home"


def test_relations_have_both_ends(folder):
    found = read_wordnet(folder, "n").relations
    antonym = found[found["relation"] == "antonym"].iloc[0]
    assert antonym[["offset", "word", "target_offset", "target_word"]].tolist() == [30, 1, 20, 2]


def test_hypernyms_and_instances_are_parents(folder):
    table = read_hypernyms(folder, "n")
    assert list(table[["id", "parent"]].itertuples(index=False, name=None)) == [(10, -1), (20, 10), (30, 20), (30, 10)]
    assert table["name"].tolist() == ["thing.n.01", "pet.n.02", "rex.n.01", "rex.n.01"]
    assert table["rank"].tolist() == ["noun.Tops", "noun.animal", "noun.animal", "noun.animal"]


def test_broken_and_missing_files_are_named(folder, tmp_path):
    with pytest.raises(SourceError, match=r"data\.verb is missing"):
        read_wordnet(folder, "v")
    (folder / "data.noun").write_text(ROOT[:40] + "\n")
    with pytest.raises(SourceError, match=r"data\.noun line 1: it is no synset"):
        read_wordnet(folder, "n")
    with pytest.raises(SourceError, match="elsewhere is no folder or archive"):
        find_wordnet(tmp_path / "elsewhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match=r"empty has no data\.noun"):
        find_wordnet(tmp_path / "empty")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (ROOT.replace("00000020", "00000021"), "pointer to 00000021 of data.noun, which is missing"),
        (ROOT.replace(" ~ ", " ?! "), "line 2: it is no synset"),
        (ROOT.replace(" 03 n", " 99 n"), "line 2: it is no synset"),
        (ROOT.replace(" 03 n", " 03 v"), "line 2: it is no synset"),
        (ROOT.replace("001 ~", "002 ~"), "line 2: it is no synset"),
        (ROOT + "\n" + ROOT, "line 3: the offset 00000010 is in line 2 already"),
    ],
)
def test_faults_are_named_with_their_line(folder, line, message):
    (folder / "data.noun").write_text("  1 Licence.\n" + "\n".join([line, PET, REX]) + "\n")
    with pytest.raises(SourceError, match=message):
        read_wordnet(folder, "n")


def test_an_offset_that_the_index_lacks_is_numbered_last_with_a_word(folder, caplog):
    """As in some versions of Open English WordNet, whose lemmas are UTF-8."""
    text = (folder / "index.noun").read_text().replace("00000099 00000020", "00000098 00000099")
    (folder / "index.noun").write_text(text)
    (folder / "data.noun").write_text((folder / "data.noun").read_text().replace("House_pet", "Café"), "utf-8")
    assert read_hypernyms(folder, "n")["name"].tolist()[1] == "pet.n.03"
    assert "index.* lacks 2 of 4 senses" in caplog.text
    assert "café" in read_wordnet(folder, "n").senses["lemma"].tolist()


@pytest.mark.parametrize("packed", [True, False])
def test_nltks_usual_folder_is_found_without_nltk(folder, tmp_path, monkeypatch, packed):
    corpora = tmp_path / "home" / "nltk_data" / "corpora"
    corpora.mkdir(parents=True)
    if packed:
        with zipfile.ZipFile(corpora / "wordnet.zip", "w") as out:
            for name in ("data.noun", "index.noun"):
                out.write(folder / name, f"wordnet/{name}")
    else:
        shutil.copytree(folder, corpora / "wordnet", ignore=shutil.ignore_patterns("home"))
    monkeypatch.setattr(wordnet, "DEBIAN", tmp_path / "nothing")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("NLTK_DATA", raising=False)
    assert read_hypernyms(find_wordnet(), "n").equals(read_hypernyms(folder, "n"))


def test_without_wordnet_all_ways_are_named(monkeypatch, tmp_path):
    monkeypatch.setattr(wordnet, "DEBIAN", tmp_path)
    monkeypatch.setattr(wordnet, "_nltk_places", list)
    with pytest.raises(SourceError, match=r"source\.path.*wordnet-base.*nltk_data.*nltk\.download"):
        find_wordnet()


@pytest.fixture(scope="module")
def installed():
    try:
        return find_wordnet()
    except SourceError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))


def test_the_real_database_is_read_whole(installed):
    found = read_wordnet(installed)
    assert len(found.synsets) == 117_659
    assert len(found.senses) == 206_978
    assert (found.relations["relation"] == "antonym").sum() == 7_979
    assert (~found.senses["sense_key"].duplicated()).sum() == 206_949
    heads = found.senses["sense_key"].str.contains("%5:")
    assert found.senses.loc[heads, "sense_key"].str.match(r".+%5:00:\d\d:.+:\d\d$").all()


def test_nouns_are_those_of_nickel_and_kiela(installed):
    table = read_hypernyms(installed, "n")
    assert table.loc[table["parent"] == -1, "name"].tolist() == ["entity.n.01"]
    nouns = Hierarchy.from_parents(table["id"], table["parent"], several_parents=True)
    child, _ = nouns.links()
    assert (len(nouns), len(child), nouns.pair_count) == (82_115, 84_427, 743_241)
    mammal = nouns.rows(table.loc[table["name"] == "mammal.n.01", "id"].to_numpy())[0]
    assert len(nouns.below(mammal)) == 1_181
