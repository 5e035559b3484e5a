import pytest

from terrarium.sources.errors import SourceError
from terrarium.sources.word_pairs import read_word_pairs


def read(tmp_path, text):
    (tmp_path / "w.txt").write_text(text, encoding="utf-8")
    return read_word_pairs(tmp_path / "w.txt")


@pytest.mark.parametrize(
    ("text", "pos"),
    [
        ("love\tsex\t6.77\ntiger\tcat\t7.35\n", ""),
        ("Word 1,Word 2,Human (mean)\nlove,sex,6.77\ntiger,cat,7.35\n", ""),
        ("word1\tword2\tPOS\tSimLex999\tconc(w1)\nlove\tsex\tN\t6.77\t3\ntiger\tcat\tN\t7.35\t2\n", "n"),
        ("love-n sex-n 6.77\ntiger-n cat-n 7.35\n", "n"),
        ("WORD1 WORD2 POS TYPE AVG_SCORE STD ..\nlove sex N no-rel 6.77 1 2 3 4\ntiger cat N x 7.35 1 2 3\n", "n"),
        ('"love";"sex";6.77\n"tiger";"cat";7.35\n', ""),
        ("# a comment\nlove\tsex\t6.77\n\ntiger\tcat\t7.35", ""),
    ],
)
def test_files_as_their_authors_ship_them(tmp_path, text, pos):
    table = read(tmp_path, text)
    assert table.to_numpy().tolist() == [["love", "sex", 6.77, pos], ["tiger", "cat", 7.35, pos]]


def test_a_part_of_speech_is_removed_only_if_all_words_have_it(tmp_path):
    assert read(tmp_path, "x-n y-v 1\nz-j well-j 2\n").to_numpy().tolist() == [["x", "y", 1, ""], ["z", "well", 2, "a"]]
    assert read(tmp_path, "x-n y 1\n")["word1"].tolist() == ["x-n"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no pair"),
        ("hot\tcold\ndog\tcat\n", r"line 1: it is not word, word and score: 'hot\\tcold'"),
        ("hot\tcold\t1\ndog\tcat\tmuch\n", "line 2: it is not word, word and score"),
        ("hot\tcold\t1\n\tcat\t2\n", "line 2: it is not word, word and score"),
        ("hot\tcold\tnan\ndog\tcat\tnan\n", "line 2: it is not word, word and score"),
        ('hot\tcold\t1\n"dog\tcat\t5\n', "line 2: a quote without its partner"),
        ("hot\tcold\t1\ndog\tcat\t5\t6\n", "line 2: 4 fields, and the first line has 3"),
        ("hot\tcold\t1e999\n", "line 1: the score 1e999 is not finite"),
    ],
)
def test_faults_are_named_with_their_line(tmp_path, text, message):
    with pytest.raises(SourceError, match=message):
        read(tmp_path, text)


def test_latin_1_is_told_with_its_line(tmp_path):
    (tmp_path / "w.txt").write_bytes(b"hot\tcold\t1\nh\xf4t\tcold\t1.58\n")
    with pytest.raises(SourceError, match="line 2: it is not UTF-8 text"):
        read_word_pairs(tmp_path / "w.txt")
