"""Run a command as a user does."""

import subprocess

from tests.project import KEDRO, ROOT, environment


def ask(root, *arguments):
    """Run a command; its log is apart from what it prints."""
    command = [str(KEDRO), "terrarium", *arguments, "--data-root", str(root)]
    return subprocess.run(
        command, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=300, check=False
    )
