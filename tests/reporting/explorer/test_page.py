import hashlib
import json
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrarium.reporting.explorer.page import embed_page, pack_arrays, point_arrays, script, server_page
from tests.browser import Browser
from tests.project import ROOT
from tests.reporting.explorer import maps


def unpack(body):
    """The arrays as the page reads them."""
    header = json.loads(body[8 : 8 + int.from_bytes(body[:4], "little")])
    return {name: np.frombuffer(body, kind, count, start) for name, (kind, start, count) in header.items()}


@given(st.dictionaries(st.text(min_size=1), st.tuples(st.sampled_from("ifd"), st.integers(0, 9)), max_size=5))
def test_packed_arrays_are_read_back_and_aligned(told):
    arrays = {name: np.arange(size).astype(kind) for name, (kind, size) in told.items()}
    body = pack_arrays(arrays)
    for name, array in unpack(body).items():
        np.testing.assert_array_equal(array, arrays[name])
        assert array.dtype == arrays[name].dtype
    assert len(body) % 8 == 0


def test_points_keep_their_angles_in_double_precision():
    points = maps.disk()
    arrays = point_arrays(points, np.arange(len(points)), "depth")
    np.testing.assert_array_equal(arrays["second"], points.position[:, 1])
    np.testing.assert_array_equal(arrays["value"], points.details["depth"])


def test_the_program_is_built_from_the_sources_and_names_its_licences():
    folder = ROOT / "explorer"
    digest = hashlib.sha256()
    for path in [*sorted((folder / "src").iterdir()), folder / "package-lock.json"]:
        digest.update(path.read_bytes())
    assert digest.hexdigest() in script().splitlines()[0], "run `make explorer`"
    assert "twgl.js" in (ROOT / "NOTICE").read_text(encoding="utf-8")
    assert len(script()) < 1_000_000
    assert not re.findall(r"https?://(?!www\.w3\.org/)[\w.]+", script()), "the page asks nothing else"


def test_the_title_of_the_page_is_escaped():
    assert "<i>" not in server_page("<i>")


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """A page with a disk inside, opened."""
    folder = tmp_path_factory.mktemp("report")
    points = maps.disk()
    near = [points.neighbours(row, 3) for row in range(len(points))]
    rows, distances = (np.stack([pair[n] for pair in near]) for n in (0, 1))
    page = folder / "report.html"
    page.write_text(f"<!doctype html><meta charset=utf-8>{embed_page(points, (rows, distances))}", encoding="utf-8")
    with Browser(folder / "profile") as browser:
        browser.open(page.as_uri())
        yield points, browser


def test_a_report_needs_no_server(report):
    points, browser = report
    told = browser.run("terrariumExplorer.source.node(40)")
    expected = points.node(40, 3)
    for part in ("path", "children", "neighbours"):
        assert [entry["name"] for entry in told[part]] == [entry["name"] for entry in expected[part]]
    assert dict(told["values"])["rank"] == points.details["rank"][40]
    found = browser.run("terrariumExplorer.source.search('NODE 1')")
    assert [entry["name"] for entry in found] == [entry["name"] for entry in points.search("node 1")]
    assert found[0]["name"] == "node 1"
    assert browser.errors == []


def test_colours_follow_the_column(report):
    _, browser = report
    browser.run("{const s = document.querySelector('select'); s.value = 'depth'; s.dispatchEvent(new Event('change'))}")
    browser.wait("document.querySelectorAll('.legend li').length === 5")
    first, last = browser.run("[0, 120].map((i) => Array.from(terrariumExplorer.colours.slice(4 * i, 4 * i + 4)))")
    assert first == [0x44, 0x01, 0x54, 255]
    assert last == [0xFD, 0xE7, 0x25, 255]
