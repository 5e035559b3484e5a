"""Tables of results: printed as Markdown, kept as CSV in benchmarks/results with what is needed to repeat them."""

import os
import platform
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
PROVENANCE = ("command", "commit", "date", "machine", "seed")
_PACKAGES = ("torch", "numba", "numpy")

Row = Mapping[str, object]


def report_table(name: str, rows: Iterable[Row], *, seed: int | str = 0) -> None:
    """Print rows as a Markdown table, each as soon as it is known, then write them to benchmarks/results.

    Args:
        name: the results file without its extension.
        rows: one mapping of columns to cells per row; the first one names the columns.
        seed: the seed of the measurement, or the seeds, as text.
    """
    done: list[dict[str, object]] = []
    for row in rows:
        if not done:
            print("\n" + markdown_lines([[*row], ["---"] * len(row)]), flush=True)
        done.append(dict(row))
        print(markdown_lines([[_text(row.get(column)) for column in done[0]]]), flush=True)
    path = write_results(name, done, running_command(), seed)
    print(f"\nwritten to {path}\n", flush=True)


def replace_rows(name: str, rows: Iterable[Row], *, seed: int | str = 0) -> None:
    """Print rows, and write each at once over the row of the results file that has the same first cell.

    Other rows of the file stay, with their own command, commit and date. So a long measurement can be done in parts.

    Args:
        name: the results file without its extension.
        rows: one mapping of columns to cells per row; a cell that a row lacks stays empty.
        seed: the seed of the measurement, or the seeds, as text.
    """
    for row in rows:
        print(markdown_lines([[f"{column}: {_text(cell)}" for column, cell in row.items()]]), flush=True)
        path = RESULTS / f"{name}.csv"
        earlier = read_results(name) if path.is_file() else pd.DataFrame()
        write_results(name, [row], running_command(), seed)
        columns = [column for column in dict.fromkeys([*earlier.columns, *row]) if column not in PROVENANCE]
        table = pd.concat([earlier, read_results(name)]).reindex(columns=[*columns, *PROVENANCE])
        table.drop_duplicates(columns[0], keep="last").to_csv(path, index=False)


def chosen(names: Iterable[str]) -> list[str]:
    """Return the names that TERRARIUM_ONLY lists, separated by semicolons; without it, all of them.

    Raises:
        SystemExit: it lists another name.
    """
    known = list(names)
    given = os.environ.get("TERRARIUM_ONLY", "")
    listed = [name.strip() for name in given.split(";") if name.strip()] or known
    unknown = [name for name in listed if name not in known]
    if unknown:
        raise SystemExit(f"TERRARIUM_ONLY={given}: there is no {unknown[0]!r}; choose from {'; '.join(known)}")
    return listed


def write_results(name: str, rows: Sequence[Row], command: str, seed: int | str) -> Path:
    """Write rows with the command, commit, date, machine and seed to benchmarks/results/NAME.csv.

    Args:
        name: the file without its extension; an earlier file of this name is replaced.
        rows: one mapping of columns to cells per row.
        command: what has to be run to get the rows again.
        seed: the seed, or the seeds, as text.

    Returns:
        The path of the file.
    """
    table = pd.DataFrame([dict(row) for row in rows])
    now = datetime.now(UTC).date().isoformat()
    values = (command, current_commit(), now, machine(), str(seed))
    table = table.assign(**dict(zip(PROVENANCE, values, strict=True)))
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.csv"
    table.to_csv(path, index=False)
    return path


def read_results(name: str) -> pd.DataFrame:
    """Return a results file as text cells; what is missing is an empty string."""
    return pd.read_csv(RESULTS / f"{name}.csv", dtype=str, keep_default_na=False)


def markdown_lines(rows: Iterable[Sequence[str]]) -> str:
    """Return rows of cells as lines of a Markdown table."""
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


def running_command() -> str:
    """Return this process's command, with the environment variables TERRARIUM_* that it was given.

    An absolute path, which another machine does not have, is written as FOLDER.
    """
    given = sorted((name, value) for name, value in os.environ.items() if name.startswith("TERRARIUM_"))
    variables = [f"{name}={'FOLDER' if Path(value).is_absolute() else value}" for name, value in given]
    return " ".join([*variables, "python -m benchmarks", *sys.argv[1:]])


def current_commit() -> str:
    """Return the short commit of the working tree, with a + if files differ from it; empty without git."""
    try:
        commit = _git("rev-parse", "--short", "HEAD")
        return commit + ("+" if _git("status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.CalledProcessError):
        return ""


def machine() -> str:
    """Return the processor, its cores, memory, system and the versions of Python and the numerical packages."""
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    cores = f"{os.cpu_count()} cores"
    system = f"{platform.system()}, Python {platform.python_version()}"
    return f"{_processor()}, {cores}, {memory:.0f} GB, {system}, {packages}"


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _text(cell: object) -> str:
    return "" if cell is None else str(cell)
