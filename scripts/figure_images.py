"""Draw Plotly figures as small PNG pictures with headless Chromium, for pages that are read without JavaScript."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

MAX_BYTES = 200_000
_PAGE = """<!doctype html><meta charset="utf-8"><style>body {{margin: 0; background: white}}</style>
<div id="figure" style="width: {width}px; height: {height}px"></div><script>{library}</script>
<script>const f = {figure}; Plotly.newPlot("figure", f.data, f.layout, {{staticPlot: true}});</script>"""


class NoBrowserError(RuntimeError):
    """Chromium is not installed."""


def draw_figure(figure: Mapping[str, Any], path: Path, width: int = 900, height: int = 520) -> Path:
    """Draw a figure as a PNG with at most 256 colours.

    Args:
        figure: Plotly's JSON, with `data` and `layout`.
        path: the picture.
        width, height: its size in pixels, where the figure has none of its own.

    Returns:
        The path.

    Raises:
        NoBrowserError: Chromium is not installed.
        ValueError: the picture is larger than 200 kB, or empty.
    """
    import plotly.io
    from plotly.offline import get_plotlyjs

    chromium = shutil.which("chromium")
    if chromium is None:
        raise NoBrowserError("figures are drawn with Chromium: apt install chromium")
    width, height = (int(figure["layout"].get(name) or size) for name, size in (("width", width), ("height", height)))
    drawn = plotly.io.from_json(plotly.io.to_json(dict(figure)), skip_invalid=True)
    drawn.update_layout(width=width, height=height, autosize=False)
    with tempfile.TemporaryDirectory() as folder:
        page, picture = Path(folder) / "figure.html", Path(folder) / "figure.png"
        text = _PAGE.format(width=width, height=height, library=get_plotlyjs(), figure=drawn.to_json())
        page.write_text(text, encoding="utf-8")
        options = ("--headless", "--no-sandbox", "--hide-scrollbars", "--virtual-time-budget=20000")
        subprocess.run(
            [chromium, *options, f"--window-size={width},{height}", f"--screenshot={picture}", page.as_uri()],
            check=True,
            capture_output=True,
            timeout=120,
        )
        save_small(picture, path)
    return path


def save_small(picture: Path, path: Path) -> None:
    """Save a picture as PNG with at most 256 colours.

    Raises:
        ValueError: it is one colour, so that nothing was drawn, or larger than 200 kB.
    """
    from PIL import Image

    image = Image.open(picture).convert("RGB")
    if len(image.getcolors(1 << 24) or [0, 1]) < 2:
        raise ValueError(f"{path}: nothing was drawn")
    path.parent.mkdir(parents=True, exist_ok=True)
    for colors in (256, 128, 64, 32):
        image.quantize(colors, dither=Image.Dither.NONE).save(path, optimize=True)
        if path.stat().st_size <= MAX_BYTES:
            return
    raise ValueError(f"{path}: {path.stat().st_size:,} bytes, more than {MAX_BYTES:,}: draw it smaller")
