"""`kedro terrarium export` writes what it says."""

import json

import pandas as pd

from tests.commands.asking import ask


def test_an_export_names_its_files(root, tmp_path):
    (record,) = json.loads(ask(root, "export", "parquet", str(tmp_path), "--json").stdout)
    assert len(pd.read_parquet(record["file"])) > 20
