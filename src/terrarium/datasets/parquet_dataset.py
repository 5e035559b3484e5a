"""Tables as one Parquet file."""

import os
from typing import Any, ClassVar

import numpy as np
from kedro.io.core import Version
from kedro_datasets._typing import TablePreview
from kedro_datasets.pandas import ParquetDataset as _ParquetDataset

from terrarium.datasets.atomic import AtomicSaves, local_path


class ParquetDataset(AtomicSaves, _ParquetDataset):
    """`pandas.ParquetDataset` with atomic saves, compressed with zstd; its preview reads only the rows it shows."""

    DEFAULT_SAVE_ARGS: ClassVar[dict[str, Any]] = {"compression": "zstd"}

    def __init__(
        self,
        *,
        filepath: str | os.PathLike[str],
        load_args: dict[str, Any] | None = None,
        save_args: dict[str, Any] | None = None,
        version: Version | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(
            filepath=local_path(filepath),
            load_args=load_args,
            save_args=save_args,
            version=version,
            metadata=metadata,
        )

    def preview(self, nrows: int = 20) -> TablePreview:
        """The first `nrows` rows, as kedro-viz wants them."""
        import pyarrow.parquet as pq

        with pq.ParquetFile(str(self._get_load_path())) as file:
            batches = file.iter_batches(batch_size=nrows, columns=self._load_args.get("columns"))
            first = next(batches, None)
            table = file.schema_arrow.empty_table() if first is None else first
            shown = table.to_pandas().to_dict(orient="split")
            shown["data"] = [[_plain(cell) for cell in row] for row in shown["data"]]
            return TablePreview(shown)


def _plain(cell: Any) -> Any:
    """A cell as JSON can say it: lists come from Parquet as arrays."""
    return cell.tolist() if isinstance(cell, np.ndarray) else cell
