import pytest

from terrarium.senses.data.ingestion import read_lexicon, read_word_pairs
from terrarium.senses.options import SourceOptions
from terrarium.sources.errors import SourceError

from tests.senses.lexicon import WORDNET


def source(**changes):
    return SourceOptions(**({"path": str(WORDNET), "relations": None, "similarity": {}} | changes))


def test_word_pairs_of_several_files_stand_together(tmp_path):
    (tmp_path / "a.txt").write_text("hot\tcold\t1.5\ndog\tcat\t7\n")
    (tmp_path / "b.tsv").write_text("# a comment\nWord 1\tWord 2\tHuman (mean)\ncar\tboat\t4\n")
    table = read_word_pairs(source(similarity={"a": str(tmp_path / "a.txt"), "b": str(tmp_path / "b.tsv")}))
    assert table["dataset"].tolist() == ["a", "a", "b"]
    assert table["score"].tolist() == [1.5, 7.0, 4.0]


def test_without_files_there_are_no_word_pairs():
    assert list(read_word_pairs(source()).columns) == ["dataset", "word1", "word2", "score", "pos"]
    assert read_word_pairs(source()).empty


def test_bad_files_are_named(tmp_path):
    with pytest.raises(SourceError, match="/nowhere is not a file"):
        read_word_pairs(source(similarity={"a": "/nowhere"}))
    (tmp_path / "a.txt").write_text("hot\tcold\t1.5\ndog\tcat\tmuch\n")
    with pytest.raises(SourceError, match=r"a\.txt line 2: it is not word, word and score"):
        read_word_pairs(source(similarity={"a": str(tmp_path / "a.txt")}))
    with pytest.raises(SourceError, match="/nowhere is not a file"):
        read_lexicon(source(relations="/nowhere"))


def test_further_relations_come_from_a_table(tmp_path):
    (tmp_path / "mine.csv").write_text("head,relation,tail\ndog.n.01,also_see,cat.n.01\n")
    grown = read_lexicon(source(relations=str(tmp_path / "mine.csv")))
    assert len(grown.relations) == len(read_lexicon(source()).relations) + 1
