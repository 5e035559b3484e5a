"""Serve the interactive picture of points on 127.0.0.1.

The server opens no files on request: it answers a fixed list of paths from memory. Requests of other pages and names
are refused: the `Host` must be this machine's own name, which stops DNS rebinding, and an `Origin` must be the page
itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from terrarium.reporting.explorer.page import SCRIPT, pack_arrays, point_arrays, script, server_page
from terrarium.reporting.explorer.points import PointMap

HOST = "127.0.0.1"
DRAWN = 100_000
"""Most points that a page draws at once; of more, it gets those that matter in its view."""
_MAX_NAMES = 200
_MAX_TEXT = 200
_JSON = "application/json"
Answer = tuple[str, bytes]
Query = dict[str, str]


class ExplorerServer(ThreadingHTTPServer):
    """A server of one picture.

    Args:
        points: what is shown.
        port: TCP port; 0 chooses a free one.
        drawn: most points that are drawn at once.

    Raises:
        OSError: the port is in use.
    """

    daemon_threads = True

    def __init__(self, points: PointMap, port: int = 0, drawn: int = DRAWN) -> None:
        super().__init__((HOST, port), _Handler)
        self.points = points
        self.drawn = drawn
        self.answers: dict[str, Callable[[Query], Answer]] = {
            "/": lambda query: ("text/html; charset=utf-8", server_page(points.title).encode()),
            f"/{SCRIPT}": lambda query: ("text/javascript; charset=utf-8", script().encode()),
            "/meta": lambda query: _json(points.describe()),
            "/points": self._points,
            "/node": lambda query: _json(points.node(self._row(query["row"]))),
            "/names": self._names,
            "/search": lambda query: _json(points.search(query["q"][:_MAX_TEXT])),
        }

    @property
    def address(self) -> str:
        """The address of the page."""
        return f"http://{HOST}:{self.server_port}/"

    def _points(self, query: Query) -> Answer:
        view = [float(query.get(name, default)) for name, default in (("first", 0), ("second", 0), ("scale", 1))]
        column = query.get("column", "")
        if column and column not in self.points.coloured:
            raise ValueError(f"no column {column!r}")
        rows = self.points.visible(view[0], view[1], view[2], self.drawn)
        return "application/octet-stream", pack_arrays(point_arrays(self.points, rows, column))

    def _names(self, query: Query) -> Answer:
        rows = [self._row(text) for text in query.get("rows", "").split(",") if text][:_MAX_NAMES]
        return _json([str(self.points.names.iloc[row]) for row in rows])

    def _row(self, text: str) -> int:
        row = int(text)
        if not 0 <= row < len(self.points):
            raise ValueError(f"no row {row}")
        return row


class _Handler(BaseHTTPRequestHandler):
    server: ExplorerServer
    server_version = "Terrarium"
    sys_version = ""
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if not self._is_own_page():
            return self._send(HTTPStatus.FORBIDDEN, "text/plain", b"only for the page of this server")
        url = urlsplit(self.path)
        answer = self.server.answers.get(url.path)
        if answer is None:
            return self._send(HTTPStatus.NOT_FOUND, "text/plain", b"no such page")
        try:
            kind, body = answer({name: values[0] for name, values in parse_qs(url.query).items()})
        except (KeyError, ValueError, OverflowError) as error:
            return self._send(HTTPStatus.BAD_REQUEST, "text/plain; charset=utf-8", f"bad query: {error}".encode())
        return self._send(HTTPStatus.OK, kind, body)

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: a picture that is dragged makes many requests."""

    def _is_own_page(self) -> bool:
        port = self.server.server_port
        own = {f"{HOST}:{port}", f"localhost:{port}"}
        origin = self.headers.get("Origin")
        site = self.headers.get("Sec-Fetch-Site", "none")
        return (
            self.headers.get("Host") in own
            and (origin is None or origin.removeprefix("http://") in own)
            and site in ("none", "same-origin")
        )

    def _send(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        self.send_response(status)
        for name, value in (
            ("Content-Type", kind),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
            ("X-Frame-Options", "DENY"),
            (
                "Content-Security-Policy",
                "default-src 'self'; style-src 'unsafe-inline'; img-src 'self' data: blob:; frame-ancestors 'none'",
            ),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def _json(content: Any) -> Answer:
    return _JSON, json.dumps(content, ensure_ascii=False).encode()
