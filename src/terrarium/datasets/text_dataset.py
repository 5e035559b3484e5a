"""Text (HTML, Markdown) in UTF-8."""

import os
from typing import Any

from kedro.io.core import Version
from kedro_datasets.text import TextDataset as _TextDataset

from terrarium.datasets.atomic import AtomicSaves, local_path


class TextDataset(AtomicSaves, _TextDataset):
    """`text.TextDataset` with atomic saves, always in UTF-8."""

    def __init__(
        self,
        *,
        filepath: str | os.PathLike[str],
        version: Version | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(
            filepath=local_path(filepath),
            fs_args={"open_args_save": {"encoding": "utf-8"}, "open_args_load": {"encoding": "utf-8"}},
            version=version,
            metadata=metadata,
        )
