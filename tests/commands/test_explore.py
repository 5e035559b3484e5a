"""The explorer is started, answers, and ends on Ctrl-C; a port in use is one line."""

import json
import re
import signal
import socket
import subprocess
import urllib.request

from tests.commands.asking import ask
from tests.project import KEDRO, ROOT, environment


def test_the_page_is_served_until_it_is_interrupted(root):
    command = [str(KEDRO), "terrarium", "explore", "--no-browser", "--port=0", f"--data-root={root}"]
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a child of what ignores it would ignore it, too
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment(PYTHONUNBUFFERED="1"), stdout=subprocess.PIPE, text=True
    )
    signal.signal(signal.SIGINT, before)
    try:
        address = None
        while address is None:
            line = process.stdout.readline()
            assert line, "the command ended"
            address = re.search(r"http://127\.0\.0\.1:\d+/", line)
        with urllib.request.urlopen(f"{address[0]}meta") as answer:
            assert json.load(answer)["title"].startswith("Hominidae")
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0


def test_a_port_in_use_ends_in_one_line(root):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = ask(root, "explore", "--no-browser", "--port", str(taken.getsockname()[1]))
    assert done.returncode == 1
    assert done.stderr.strip().endswith("give another --port")
