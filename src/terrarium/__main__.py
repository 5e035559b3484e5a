"""Run the project as `python -m terrarium`, with the options of `kedro run`."""

import sys
from pathlib import Path

from kedro.framework.cli.utils import find_run_command
from kedro.framework.project import configure_project


def main(*arguments: str) -> None:
    """Run pipelines from outside the project's folder, as a packaged project does."""
    package = Path(__file__).parent.name
    configure_project(package)
    run = find_run_command(package)
    run(list(arguments) or None)


if __name__ == "__main__":
    main(*sys.argv[1:])
