"""Tables of benchmarks are kept with what is needed to repeat them, and the page shows what they hold."""

import re

import pytest

from benchmarks import results
from benchmarks.page import BLOCK, CLAIMS, PAGES, SCREEN, SCREEN_ROWS, TABLES, file_table, render, render_claims
from benchmarks.results import PROVENANCE, RESULTS, read_results, replace_rows, report_table, write_results
from tests.project import ROOT

FILES = sorted(path.stem for path in RESULTS.glob("*.csv"))


@pytest.fixture
def folder(results_folder, monkeypatch):
    monkeypatch.setattr(results, "current_commit", lambda: "abc1234")
    return results_folder


def test_results_are_written_with_their_provenance(folder):
    write_results("speed", [{"data": "Mammalia", "pairs per CPU second": 3.5}], "python -m benchmarks speed", 7)
    (row,) = read_results("speed").to_dict("records")
    assert (row["data"], row["pairs per CPU second"], row["seed"]) == ("Mammalia", "3.5", "7")
    assert (row["command"], row["commit"]) == ("python -m benchmarks speed", "abc1234")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", row["date"])
    assert all(part in row["machine"] for part in ("cores", "GB", "Python 3", "torch", "numba", "numpy"))


def test_a_table_is_printed_as_its_rows_come_and_written_at_the_end(folder, capsys):
    def rows():
        yield {"a": 1, "b": "x"}
        assert "| 1 | x |" in capsys.readouterr().out
        assert not (folder / "t.csv").exists()
        yield {"a": 2}

    report_table("t", rows())
    assert "| 2 |  |" in capsys.readouterr().out
    assert read_results("t")[["a", "b"]].to_numpy().tolist() == [["1", "x"], ["2", ""]]


@pytest.mark.parametrize("name", FILES)
def test_every_result_says_how_it_came_about(name):
    table = read_results(name)
    assert len(table)
    assert tuple(table.columns[-len(PROVENANCE) :]) == PROVENANCE
    assert (table[["command", "date", "machine"]] != "").all(axis=None)
    assert table["commit"].str.fullmatch(r"[0-9a-f]{7,}\+?|").all()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_pages_are_current(page):
    """If not: python -m benchmarks.page."""
    text = page.read_text(encoding="utf-8")
    assert render(text) == text


def test_the_ledger_of_claims_is_current():
    """If not: python -m benchmarks.page, after `python -m benchmarks claims` if a measurement was added."""
    assert CLAIMS.read_text(encoding="utf-8") == render_claims()


def test_every_table_is_on_one_page():
    texts = [page.read_text(encoding="utf-8") for page in PAGES]
    marked = [name for text in texts for _, name, _ in BLOCK.findall(text)]
    assert sorted(marked) == sorted([SCREEN, *TABLES])


def test_the_screen_has_a_row_for_each_family():
    assert set(SCREEN_ROWS) == set(TABLES)
    assert all(row.baseline is not None and row.untrained is not None for row in SCREEN_ROWS.values())


@pytest.mark.parametrize("page", PAGES[1:], ids=lambda page: page.stem)
def test_a_page_of_a_family_is_short(page):
    assert len(page.read_text(encoding="utf-8").splitlines()) < 100


def test_the_pages_link_to_every_result():
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    linked = re.findall(r"\]\(\.\./\.\./benchmarks/results/(\w+)\.csv\)", text)
    assert set(FILES) - set(linked) == {"claims"}
    assert all((ROOT / "benchmarks" / "results" / f"{name}.csv").is_file() for name in linked)


def test_a_results_file_is_shown_without_where_it_came_from(folder):
    write_results("t", [{"a": "x", "b": 1}], "python -m benchmarks t", 0)
    assert file_table("t").splitlines() == ["| a | b |", "| --- | --- |", "| x | 1 |"]
    assert file_table("t", ["b"]).splitlines()[-1] == "| 1 |"


def test_a_command_names_no_folder_of_this_machine(monkeypatch):
    monkeypatch.setenv("TERRARIUM_TREES", "/somewhere/trees")
    monkeypatch.setenv("TERRARIUM_KILLS", "5")
    assert "TERRARIUM_KILLS=5 TERRARIUM_TREES=FOLDER " in results.running_command()


def test_a_row_replaces_the_one_of_its_name_and_leaves_the_others(folder):
    replace_rows("t", [{"family": "a", "kills": 1}, {"family": "b", "kills": 2}])
    replace_rows("t", [{"family": "a", "kills": 3}], seed=5)
    table = read_results("t")
    assert table[["family", "kills", "seed"]].to_numpy().tolist() == [["b", "2", "0"], ["a", "3", "5"]]


def test_a_row_with_fewer_columns_leaves_those_of_the_others(folder):
    replace_rows("t", [{"family": "a", "kills": 1}, {"family": "b"}])
    replace_rows("t", [{"family": "c", "losses": 2}])
    table = read_results("t")
    assert list(table.columns) == ["family", "kills", "losses", *PROVENANCE]
    assert table[["kills", "losses"]].to_numpy().tolist() == [["1", ""], ["", ""], ["", "2"]]


def test_a_measurement_can_be_done_in_parts(monkeypatch):
    monkeypatch.delenv("TERRARIUM_ONLY", raising=False)
    assert results.chosen(["a", "b", "c"]) == ["a", "b", "c"]
    monkeypatch.setenv("TERRARIUM_ONLY", "c; a")
    assert results.chosen(["a", "b", "c"]) == ["c", "a"]
    monkeypatch.setenv("TERRARIUM_ONLY", "d")
    with pytest.raises(SystemExit, match="there is no 'd'; choose from a; b"):
        results.chosen(["a", "b"])
