"""Time and memory of a command, as the operating system accounts them."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

MAXRSS_BYTES = 1 if sys.platform == "darwin" else 1024
"""Unit of `ru_maxrss`: bytes on macOS, kibibytes elsewhere."""
KEDRO = str(Path(sys.executable).with_name("kedro"))


@dataclass(frozen=True)
class Cost:
    """Wall and CPU seconds, and peak resident memory in MB (10^6 bytes)."""

    wall: float
    cpu: float
    peak_mb: float


def cost_of(command: list[str]) -> Cost:
    """Run a command to its end and return its cost; SystemExit with its output if it fails."""
    with tempfile.TemporaryFile() as output:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            raise SystemExit(output.read().decode())
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * MAXRSS_BYTES / 1e6)


def artifact(folder: str, name: str) -> Path:
    """Return the one file of this name that a run left in its folder."""
    (found,) = (path for path in Path(folder).rglob(name) if path.is_file())
    return found


def cost_row(what: str, costs: list[Cost]) -> dict[str, object]:
    """Return a row of medians over several runs, with the range of the wall time in brackets."""
    wall, cpu, peak = (statistics.median(getattr(c, field) for c in costs) for field in ("wall", "cpu", "peak_mb"))
    spread = f"{min(c.wall for c in costs):.1f} to {max(c.wall for c in costs):.1f}"
    return {
        "what": what,
        "wall": f"{wall:.1f} s ({spread})",
        "CPU": f"{cpu:.1f} s",
        "peak memory": f"{peak:.0f} MB",
        "runs": len(costs),
    }
