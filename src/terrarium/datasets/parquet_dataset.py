"""Tables as one Parquet file."""

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from terrarium.datasets.base import FileDataset, TablePreview


class ParquetDataset(FileDataset):
    """A `pandas.DataFrame` as one Parquet file, compressed with zstd and with a checksum per page.

    Arguments are those of pandas.
    """

    DEFAULT_SAVE_ARGS: ClassVar[dict[str, Any]] = {"compression": "zstd", "write_page_checksum": True}

    def read(self, path: Path) -> pd.DataFrame:
        """Return the table."""
        return pd.read_parquet(path, **({"page_checksum_verification": True} | self.load_args))

    def write(self, path: Path, data: pd.DataFrame) -> None:
        """Write the table."""
        data.to_parquet(path, **self.save_args)

    def preview(self, nrows: int = 20) -> TablePreview:
        """Return the first `nrows` rows, reading only those, as kedro-viz wants them."""
        import pyarrow.parquet as pq

        with self.local_copy() as path, pq.ParquetFile(path, page_checksum_verification=True) as file:
            batches = file.iter_batches(batch_size=nrows, columns=self.load_args.get("columns"))
            first = next(batches, None)
            table = file.schema_arrow.empty_table() if first is None else first
            shown = table.to_pandas().to_dict(orient="split")
            shown["data"] = [[_to_json(cell) for cell in row] for row in shown["data"]]
            return TablePreview(shown)


def _to_json(cell: Any) -> Any:
    """Return a cell as a value of JSON: lists come from Parquet as arrays."""
    return cell.tolist() if isinstance(cell, np.ndarray) else cell
