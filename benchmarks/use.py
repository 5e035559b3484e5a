"""What questions to finished vectors cost, how much of the truth indexes find, and how smooth the explorer is."""

import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.hyperbolic_layouts import read_hierarchy
from benchmarks.results import ROOT, Row, report_table
from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.geometry.ball import Layout
from terrarium.hyperbolic.layouts.rays import ray_layout
from terrarium.hyperbolic.reporting.disk_map import disk_map
from terrarium.hyperbolic.training.weights import pack_weights, unpack_weights
from terrarium.hyperbolic.use.embedding import HyperbolicEmbedding
from terrarium.training.checkpointing.state import read_state, write_state
from terrarium.use.explorer.server import ExplorerServer
from terrarium.use.indexes import OpenIndex, write_index

_WHOLE = 2_600_000
_QUERIES = 200
_BRANCHING = 8
_FLIGHT_S = 4.0
_FRAMES = """(async () => {
  const e = terrariumExplorer, before = e.frames, start = performance.now();
  await e.fly([4, 1.5], %d);
  return [e.frames - before, performance.now() - start];
})()"""


def questions() -> None:
    """Time neighbours among 111,906 taxa, and the loading of 2.6 million vectors, in seconds of one core."""
    report_table("use", _question_rows())


def indexes() -> None:
    """Measure recall@10 of FAISS and hnswlib on Mammalia, with exact re-ranking of some candidates."""
    report_table("use_indexes", _index_rows())


def explorer() -> None:
    """Measure frames of the explorer in headless Chromium without a graphics card, and what the page itself takes."""
    report_table("use_explorer", _explorer_rows())


def _question_rows() -> Iterator[Row]:
    embedding = _embedding(read_hierarchy(select="lowest_taxids"))
    ids = embedding.tree.ids[np.random.default_rng(0).choice(len(embedding), 1000, replace=False)].tolist()
    embedding.nearest(ids[0])
    data = f"{len(embedding):,} taxa, 10 dimensions"
    yield _timed("nearest 10 of one taxon", data, lambda: embedding.nearest(ids[1]), repeats=20)
    yield _timed("nearest 10 of 1,000 taxa", data, lambda: embedding.nearest(ids))
    rng = np.random.default_rng(0)
    direction = rng.normal(size=(_WHOLE, 10))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    tree = _full_tree(_WHOLE)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "weights.safetensors"
        write_state(path, pack_weights(tree, Layout(rng.uniform(0, 12, _WHOLE), direction)))
        data = "2.6 million points, 10 dimensions, float64"
        yield _timed("load vectors, with their SHA-256", data, lambda: unpack_weights(read_state(path)))


def _timed(what: str, data: str, call: Callable[[], object], repeats: int = 1) -> Row:
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(repeats):
        call()
    wall, cpu = (time.perf_counter() - wall) / repeats, (time.process_time() - cpu) / repeats
    return {"question": what, "data": data, "CPU seconds": round(cpu, 4), "wall seconds": round(wall, 4)}


def _index_rows() -> Iterator[Row]:
    embedding = _embedding(read_hierarchy(clade="Mammalia"))
    rows = np.random.default_rng(0).choice(len(embedding), _QUERIES, replace=False)
    names = [str(number) for number in embedding.tree.ids]
    true = {row: embedding.nearest(int(embedding.tree.ids[row]), 10)["distance"].iloc[-1] for row in rows}
    for form in ("faiss", "hnswlib"):
        with tempfile.TemporaryDirectory() as folder:
            write_index(Path(folder), form, names, embedding.layout)
            index = OpenIndex(folder)
            for candidates in (10, 50, 100, 400, 1600):
                found = [index.nearest(names[row], 10, candidates)["distance"] <= true[row] + 1e-9 for row in rows]
                recall = round(float(np.mean([hits.sum() / 10 for hits in found])), 4)
                yield {
                    "index": form,
                    "data": f"Mammalia, {len(names):,} taxa",
                    "candidates": candidates,
                    "recall@10": recall,
                }


def _explorer_rows() -> Iterator[Row]:
    for count in (10_000, 100_000, _WHOLE):
        tree = _full_tree(count)
        nodes = pd.DataFrame({"id": tree.ids, "name": "n" + pd.Series(tree.ids).astype(str)})
        layout = Layout(12.0 * tree.depth / tree.max_depth, np.eye(10)[np.arange(count) % 10])
        points = disk_map(nodes, tree, layout, f"{count:,} points")
        points.visible(0.0, 0.0, 1.0, 100_000)
        view = _timed("", "", lambda points=points: points.visible(4.0, 1.0, 1.0, 100_000))
        yield {"points": count, **_frames(ExplorerServer(points)), "view CPU seconds": view["CPU seconds"]}


def _frames(server: ExplorerServer) -> Row:
    import psutil

    sys.path.insert(0, str(ROOT))
    from tests.browser import Browser

    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder, Browser(Path(folder)) as page:
        page.open(server.address)
        drawn = page.run("terrariumExplorer.points.row.length")
        whole = _flight(page)
        page.run("terrariumExplorer.layer.count = 0")
        empty = _flight(page)
    server.shutdown()
    return {
        "drawn": drawn,
        "frames per second": whole["frames per second"],
        "CPU ms per frame": whole["all"],
        "of the page": whole["renderer"],
        "of software GL": whole["gpu-process"],
        "frames per second without points": empty["frames per second"],
        "CPU ms per frame without points": empty["all"],
        "load": " ".join(f"{value:.1f}" for value in psutil.getloadavg()[:1]),
    }


def _flight(page: Any) -> dict[str, float]:
    """Return frames per second of a flight, and CPU milliseconds per frame of the browser's processes by their type."""
    import psutil

    root = psutil.Process(page.process.pid)

    def seconds() -> Counter[str]:
        used: Counter[str] = Counter()
        for one in (root, *root.children(recursive=True)):
            kind = next((word.partition("=")[2] for word in one.cmdline() if word.startswith("--type=")), "browser")
            used[kind] += sum(one.cpu_times()[:2])
        return used

    before = seconds()
    frames, milliseconds = page.run(_FRAMES % (1000 * _FLIGHT_S))
    used = {kind: round(1000 * (total - before[kind]) / frames, 1) for kind, total in seconds().items()}
    return {"frames per second": round(1000 * frames / milliseconds, 1), **used, "all": round(sum(used.values()), 1)}


def _full_tree(count: int) -> Hierarchy:
    ids = np.arange(count)
    return Hierarchy.from_parents(ids, np.where(ids > 0, (ids - 1) // _BRANCHING, -1))


def _embedding(tree: Hierarchy) -> HyperbolicEmbedding:
    nodes = pd.DataFrame({"id": tree.ids, "name": pd.Series(tree.ids).astype(str)})
    return HyperbolicEmbedding(nodes, tree, ray_layout(tree, 10, 12.0))
