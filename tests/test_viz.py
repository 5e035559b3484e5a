"""kedro-viz shows the pipeline with layers and previews; the report draws its figures in a browser."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from tests.project import ROOT, environment, run

LAYERS = ["raw", "intermediate", "feature", "primary", "model_input", "models", "model_output", "reporting"]


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """What the explorer shows, saved as files."""
    root = tmp_path_factory.mktemp("viz")
    run(root, "--pipelines=hyperbolic")
    code = (
        "import sys; from kedro.framework.startup import bootstrap_project; from pathlib import Path;"
        "bootstrap_project(Path.cwd());"
        "from kedro_viz.server import load_and_populate_data;"
        "load_and_populate_data(Path.cwd(), env='test', extra_params={'data_root': sys.argv[1]});"
        "from kedro_viz.api.rest.responses.save_responses import save_api_responses_to_fs;"
        "import fsspec; save_api_responses_to_fs(sys.argv[2], fsspec.filesystem('file'), True)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(root), str(root / "site")],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert done.returncode == 0, done.stderr
    return root / "site"


def test_layers_and_stages_are_shown(saved):
    main = json.loads((saved / "api" / "main").read_text(encoding="utf-8"))
    assert sorted(main["layers"]) == sorted(LAYERS)
    names = {node["name"] for node in main["nodes"]}
    assert {"read_source", "train", "evaluate", "write_report", "hyperbolic.weights", "hyperbolic.report"} <= names
    assert {tag["id"] for tag in main["tags"]} == {"ingestion", "features", "training", "evaluation", "reporting"}


def test_tables_metrics_and_figures_have_previews(saved):
    main = json.loads((saved / "api" / "main").read_text(encoding="utf-8"))
    ids = {node["name"]: node["id"] for node in main["nodes"]}
    for name in ("taxa", "closure", "vectors", "metrics", "rank_metrics", "figure_disk", "figure_loss", "weights"):
        node = json.loads((saved / "api" / "nodes" / ids[f"hyperbolic.{name}"]).read_text(encoding="utf-8"))
        assert node.get("preview"), name


def test_the_report_draws_its_figures_in_a_browser(saved, tmp_path):
    chromium = shutil.which("chromium")
    if chromium is None:
        assert not os.environ.get("CI"), "chromium is missing: .ci/run installs it"
        pytest.skip("chromium is not installed")
    (page,) = saved.parent.glob("08_reporting/hyperbolic/report.html/*/report.html")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
    flags += ["--disable-sync", "--disable-component-update", f"--user-data-dir={tmp_path / 'profile'}"]
    done = subprocess.run(
        [chromium, *flags, "--virtual-time-budget=15000", "--dump-dom", page.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert done.stdout.count('class="main-svg"') >= 6
    assert "Hominidae" in done.stdout or "9604" in done.stdout
