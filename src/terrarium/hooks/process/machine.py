"""What decides the last bits of a result besides data, options and code: the machine and its numerical libraries."""

import os
import platform
import sys
from pathlib import Path
from typing import Any

_VARIABLES = (
    *("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"),
    *("CUBLAS_WORKSPACE_CONFIG", "CUDA_VISIBLE_DEVICES", "PYTHONHASHSEED"),
)


def describe_machine() -> dict[str, Any]:
    """Return the processor, its number of cores, and the environment variables that decide the number of threads."""
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "environment": {name: os.environ[name] for name in _VARIABLES if name in os.environ},
    }


def describe_libraries() -> dict[str, Any]:
    """Return version and threads of each numerical library that is loaded, and PyTorch's accelerator."""
    from threadpoolctl import threadpool_info

    libraries = {Path(found["filepath"]).name: _describe(found) for found in threadpool_info()}
    torch, numba = sys.modules.get("torch"), sys.modules.get("numba")
    if torch is not None and hasattr(torch, "get_num_threads"):
        is_initialized = torch.cuda.is_initialized()
        device = torch.cuda.get_device_name() if is_initialized else None
        libraries["torch"] = {"version": torch.__version__, "threads": torch.get_num_threads(), "device": device}
    if numba is not None and hasattr(numba, "config"):
        libraries["numba"] = {"version": numba.__version__, "threads": numba.config.NUMBA_NUM_THREADS}
    return libraries


def _describe(found: dict[str, Any]) -> dict[str, Any]:
    return {"version": found.get("version"), "threads": found["num_threads"], "kind": found["internal_api"]}


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.processor() or platform.machine())
