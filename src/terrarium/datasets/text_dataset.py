"""Text (HTML, Markdown, CSV) in UTF-8."""

from pathlib import Path
from typing import ClassVar

from terrarium.datasets.base import FileDataset


class TextDataset(FileDataset):
    """A text file in UTF-8, with its line ends as they are."""

    UNUSED_ARGUMENTS: ClassVar[frozenset[str]] = frozenset({"load_args", "save_args"})

    def read(self, path: Path) -> str:
        """Return the text."""
        with path.open(encoding="utf-8", newline="") as file:
            return file.read()

    def write(self, path: Path, data: str) -> None:
        """Write the text."""
        with path.open("w", encoding="utf-8", newline="") as file:
            file.write(data)
