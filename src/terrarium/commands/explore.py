"""`kedro terrarium explore`: walk through the vectors in a browser."""

from __future__ import annotations

from typing import Any

import click

from terrarium.commands.output import reads_artifacts


@click.command
@click.option(
    "--family",
    type=click.Choice(["hyperbolic", "senses", "knowledge_graph", "scenes"]),
    default="hyperbolic",
    show_default=True,
)
@click.option("--port", default=4150, show_default=True, type=click.IntRange(0, 65535), help="0 chooses a free one.")
@click.option("--browser/--no-browser", default=True, show_default=True, help="Open the page in the browser.")
@reads_artifacts
def explore(family: str, port: int, browser: bool, **where: Any) -> None:
    """Serve a picture of the vectors on this machine, to search and walk through; Ctrl-C ends it.

    Example: kedro terrarium explore --family senses
    """
    import webbrowser

    from kedro.io import DatasetError

    from terrarium.use.explorer.maps import open_map
    from terrarium.use.explorer.server import HOST, ExplorerServer

    try:
        points = open_map(family, **where)
    except (LookupError, ValueError, DatasetError) as error:
        raise click.ClickException(str(error)) from error
    try:
        server = ExplorerServer(points, port)
    except OSError as error:
        raise click.ClickException(f"{HOST}:{port}: {error.strerror}; give another --port") from error
    with server:
        click.echo(f"{points.title} at {server.address} (Ctrl-C ends it)")
        if browser:
            webbrowser.open(server.address)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            click.echo("ended")
