"""The catalog's page is generated from the catalog, the pipelines and the recorded columns."""

import pandas as pd

from scripts.catalog_reference import PAGE, Entry, kept_columns, list_entries, read_columns, render_page


def test_the_page_is_current():
    """If not: make reference."""
    assert PAGE.read_text(encoding="utf-8") == render_page(list_entries(), kept_columns())


def test_every_dataset_has_a_producer_but_working_stores():
    for entry in list_entries():
        assert entry.producers or entry.name.endswith(("training_state", "leaderboard.results")), entry.name


def test_every_table_has_recorded_columns_and_no_other():
    """If not: run the pipeline with `--env=test`, then `python -m scripts.catalog_reference --columns DATA_ROOT`."""
    assert set(kept_columns()) == {entry.name for entry in list_entries() if entry.kind == "ParquetDataset"}


def test_columns_are_those_of_the_newest_version_with_coordinates_once(tmp_path):
    entry = Entry("f.vectors", "ParquetDataset", "model_output", "07_model_output/f/vectors.parquet", ("f.export",))
    for version, table in (
        ("2026-01-01", pd.DataFrame({"old": [1]})),
        ("2026-01-02", pd.DataFrame({"name": ["a"], "x0": [0.5], "x1": [1.5], "u0": [0.5], "u1": [0.0]})),
    ):
        folder = tmp_path / entry.path / version
        folder.mkdir(parents=True)
        table.to_parquet(folder / "vectors.parquet")
    columns = read_columns(tmp_path, [entry])
    assert columns == {"f.vectors": ["name string", "x0, x1, ... float64", "u0, u1, ... float64"]}
    page = render_page([entry], columns)
    assert (
        "| `vectors` | Parquet | model_output | `f.export` | name string; x0, x1, ... float64; u0, u1, ... float64 |"
        in page
    )
