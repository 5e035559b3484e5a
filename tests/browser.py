"""Headless Chromium, driven by its devtools protocol, for pages that a person would use."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

FLAGS = ("--headless", "--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--disable-gpu-vsync")


class Browser:
    """One page.

    Args:
        profile: empty folder for the browser's own files.
        size: width and height of the window in pixels.
    """

    def __init__(self, profile: Path, size: tuple[int, int] = (1200, 900)) -> None:
        from websockets.sync.client import connect

        chromium = shutil.which("chromium")
        if chromium is None:
            assert not os.environ.get("CI"), "chromium is missing: .ci/run installs it"
            pytest.skip("chromium is not installed")
        window = f"--window-size={size[0]},{size[1]}"
        command = [chromium, *FLAGS, "--remote-debugging-port=0", f"--user-data-dir={profile}", window, "about:blank"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with urllib.request.urlopen(f"http://127.0.0.1:{_port(profile)}/json") as answer:
            page = next(target for target in json.load(answer) if target["type"] == "page")
        self.closing = ExitStack()
        self.socket = self.closing.enter_context(connect(page["webSocketDebuggerUrl"], max_size=None))
        self.calls = 0
        self.errors: list[str] = []
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.close()
        self.process.terminate()
        self.process.wait(30)

    def call(self, method: str, **params: Any) -> Any:
        """Do one command of the protocol."""
        self.calls += 1
        self.socket.send(json.dumps({"id": self.calls, "method": method, "params": params}))
        while True:
            message = json.loads(self.socket.recv(timeout=120))
            if message.get("id") == self.calls:
                assert "error" not in message, message
                return message["result"]
            if message["method"] in ("Runtime.exceptionThrown", "Log.entryAdded"):
                self.errors.append(json.dumps(message["params"])[:500])

    def run(self, program: str) -> Any:
        """Return the value of a JavaScript expression; a promise is waited for."""
        done = self.call("Runtime.evaluate", expression=program, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in done, done
        return done["result"].get("value")

    def open(self, address: str) -> None:
        """Open a page with an explorer, and wait until it is ready."""
        self.call("Page.navigate", url=address)
        self.wait("document.querySelector('[data-explorer]')?.dataset.ready")

    def wait(self, condition: str, seconds: float = 60.0) -> None:
        """Wait until an expression is true."""
        end = time.monotonic() + seconds
        while not self.run(f"Boolean({condition})"):
            assert time.monotonic() < end, f"never true: {condition}; {self.errors}"
            time.sleep(0.05)

    def press(self, *keys: str) -> None:
        """Press keys, one after the other; a text of one letter is typed."""
        for key in keys:
            text = {"text": key} if len(key) == 1 else {"text": "\r"} if key == "Enter" else {}
            self.call("Input.dispatchKeyEvent", type="keyDown", key=key, **text)
            self.call("Input.dispatchKeyEvent", type="keyUp", key=key)

    def mouse(self, kind: str, x: float, y: float, **params: Any) -> None:
        """Do one event of the mouse at a place of the window."""
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **params)

    def click(self, x: float, y: float) -> None:
        """Press and release the left button."""
        for kind in ("mousePressed", "mouseReleased"):
            self.mouse(kind, x, y, button="left", clickCount=1)

    def screenshot(self) -> bytes:
        """Return the page as it looks, as PNG."""
        return base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])


def _port(profile: Path) -> str:
    for _ in range(600):
        try:
            return (profile / "DevToolsActivePort").read_text(encoding="utf-8").split()[0]
        except (OSError, IndexError):
            time.sleep(0.1)
    raise TimeoutError("chromium did not start")
