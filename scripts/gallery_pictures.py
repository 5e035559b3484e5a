"""Draw the main picture of each family for docs/gallery.md: python -m scripts.gallery_pictures DATA_ROOT.

The figures are those of the newest runs in the data root. The disk of the mammals and the drawing of layouts have
scripts of their own.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from scripts.figure_images import draw_figure

FOLDER = Path(__file__).parents[1] / "docs/images/gallery"
FIGURES = {
    "senses": "figure_relations",
    "knowledge_graph": "figure_methods",
    "influence": "figure_graph",
    "scenes": "figure_scenes",
}
"""Dataset of the picture by family."""


def draw_gallery(data_root: Path, folder: Path = FOLDER) -> list[Path]:
    """Draw the figures that a data root has; return the pictures.

    Args:
        data_root: folder of the artifacts.
        folder: of the pictures.
    """
    drawn = []
    for family, figure in FIGURES.items():
        versions = sorted((data_root / "08_reporting" / family / f"{figure}.json").glob(f"*/{figure}.json"))
        if versions:
            found = json.loads(versions[-1].read_text(encoding="utf-8"))
            drawn.append(draw_figure(found, folder / f"{family}.png"))
    return drawn


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data_root", type=Path, metavar="DATA_ROOT")
    for path in draw_gallery(parser.parse_args().data_root):
        sys.stderr.write(f"{path.name}: {path.stat().st_size:,} bytes\n")
