"""The style of figures and the format of numbers."""

from __future__ import annotations

import math
from typing import Any

# Okabe and Ito's colours, which people with any colour vision can tell apart, without black and yellow.
PALETTE: tuple[str, ...] = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
WIDE_PALETTE: tuple[str, ...] = (*PALETTE, "#882255", "#8C564B", "#A8A800", "#332288", "#44AA99", "#000000")
GREY, LIGHT = "#9A9A9A", "#E4E4E4"


def new_figure(title: str, height: int = 420, **rows_and_columns: Any) -> Any:
    """Return an empty plotly figure in the common style.

    Args:
        title: title of the figure.
        height: in pixels.
        rows_and_columns: arguments of `plotly.subplots.make_subplots`, for several panels.
    """
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    figure = make_subplots(**rows_and_columns) if rows_and_columns else go.Figure()
    figure.update_layout(
        title={"text": title, "x": 0, "xref": "paper"},
        template="plotly_white",
        colorway=PALETTE,
        height=height,
        font={"family": "system-ui, sans-serif", "size": 13},
        margin={"l": 60, "r": 30, "t": 70, "b": 50},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )
    return figure


def note_empty(figure: Any, text: str) -> None:
    """Write into the middle of an empty figure why it is empty."""
    figure.add_annotation(text=text, showarrow=False, x=0.5, y=0.5, xref="paper", yref="paper")
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)


def number(value: Any) -> str:
    """Format a number with separated thousands and four significant digits; None and non-finite values are empty."""
    if isinstance(value, str):
        return value
    if value is None or not math.isfinite(value):
        return ""
    if float(value).is_integer():
        return f"{int(value):,}"
    return f"{value:,.1f}" if abs(value) >= 1000 else f"{value:.4g}"
