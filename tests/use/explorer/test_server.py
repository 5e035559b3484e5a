import http.client
import json
import threading
from contextlib import contextmanager

import numpy as np
import pytest

from terrarium.use.explorer.server import ExplorerServer
from tests.browser import Browser
from tests.reporting.explorer import maps
from tests.reporting.explorer.test_page import unpack


@contextmanager
def serving(points, **options):
    with ExplorerServer(points, **options) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()


@pytest.fixture(scope="module")
def server():
    with serving(maps.disk()) as running:
        yield running


def ask(server, path, method="GET", **headers):
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=30)
    connection.putrequest(method, path, skip_host="Host" in headers)
    for name, value in headers.items():
        connection.putheader(name.replace("_", "-"), value)
    connection.endheaders()
    answer = connection.getresponse()
    return answer.status, answer.read(), answer.headers


def test_the_server_is_reached_from_this_machine_alone(server):
    assert server.server_address[0] == "127.0.0.1"


@pytest.mark.parametrize(
    "path",
    [
        "/../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/assets/explorer.js",
        "//etc/passwd",
        "/explorer.js/../page.py",
        "/..%5c..%5cpyproject.toml",
        "/node/../../x",
    ],
)
def test_only_a_fixed_list_of_paths_is_answered(server, path):
    status, body, _ = ask(server, path)
    assert (status, body) == (404, b"no such page")


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "example.org"},
        {"Host": "127.0.0.1"},
        {"Host": "127.0.0.1:1"},
        {"Origin": "http://example.org"},
        {"Origin": "null"},
        {"Origin": "https://127.0.0.1"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
)
@pytest.mark.parametrize("path", ["/", "/meta", "/points"])
def test_requests_of_other_pages_are_refused(server, headers, path):
    assert ask(server, path, **headers)[0] == 403


def test_requests_of_the_page_itself_are_answered(server):
    port = server.server_port
    for host in ("127.0.0.1", "localhost"):
        status, _, headers = ask(
            server, "/meta", Host=f"{host}:{port}", Origin=f"http://{host}:{port}", Sec_Fetch_Site="same-origin"
        )
        assert status == 200
        assert "Access-Control-Allow-Origin" not in headers
        assert "default-src 'self'" in headers["Content-Security-Policy"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_nothing_can_be_written(server, method):
    assert ask(server, "/meta", method)[0] == 501


@pytest.mark.parametrize(
    "path",
    [
        "/node",
        "/node?row=x",
        "/node?row=-1",
        "/node?row=121",
        "/node?row=1e999",
        "/names?rows=1,b",
        "/points?first=x",
        "/points?column=nothing",
        "/search",
    ],
)
def test_a_bad_query_is_one_line(server, path):
    status, body, _ = ask(server, path)
    assert status == 400
    assert body.startswith(b"bad query: ")
    assert body.count(b"\n") == 0


def test_points_and_names_are_those_of_the_map(server):
    points = server.points
    arrays = unpack(ask(server, "/points?column=depth")[1])
    np.testing.assert_array_equal(arrays["row"], np.arange(len(points)))
    np.testing.assert_array_equal(arrays["value"], points.details["depth"])
    assert json.loads(ask(server, "/names?rows=3,0")[1]) == [points.names[3], points.names[0]]
    assert json.loads(ask(server, "/node?row=5")[1]) == json.loads(json.dumps(points.node(5)))


def test_a_port_in_use_is_an_error(server):
    with pytest.raises(OSError, match="in use"):
        ExplorerServer(server.points, server.server_port)


@pytest.fixture(scope="module")
def browser(server, tmp_path_factory):
    with Browser(tmp_path_factory.mktemp("profile")) as opened:
        opened.open(server.address)
        yield opened


@pytest.fixture
def page(browser):
    """The page as it was when it opened."""
    browser.run("{terrariumExplorer.flying = null; document.querySelector('.home').click()}")
    browser.run("document.querySelector('.stage').focus()")
    return browser


def selected(page):
    return page.run("document.querySelector('h3')?.textContent ?? null")


def place_of(page, row):
    """Where a point is in the window."""
    x, y = page.run(
        "(() => {const e = terrariumExplorer, b = document.querySelector('.stage').getBoundingClientRect(),"
        f"i = e.points.row.indexOf({row}), x = e.places[2 * i], y = e.places[2 * i + 1];"
        "return [b.left + (x * .96 + 1) / 2 * b.width, b.top + (1 - y * .96) / 2 * b.height]})()"
    )
    return x, y


def places(page):
    return np.array(page.run("(terrariumExplorer.draw(), Array.from(terrariumExplorer.places))")).reshape(-1, 2)


def hyperbolic(points):
    """The (N, N) distances of points of the disk."""
    gap = 1 - (points**2).sum(axis=1)
    away = ((points[:, None] - points[None]) ** 2).sum(axis=2)
    return np.arccosh(1 + 2 * away / gap[:, None] / gap)


def is_isometric(page):
    """Whether the view shows the points that are not at the rim in their true distances."""
    z = places(page)
    seen = (z**2).sum(axis=1) < 0.98
    assert seen.sum() > 3
    radius, angle = (np.array(page.run(f"Array.from(terrariumExplorer.points.{name})")) for name in ("first", "second"))
    true = np.stack([np.cos(angle), np.sin(angle)], axis=1) * np.tanh(radius / 2)[:, None]
    return np.allclose(hyperbolic(z[seen]), hyperbolic(true[seen]), atol=2e-3)


def test_a_search_finds_a_node_and_flies_to_it(page):
    page.press("/")
    page.press(*"node 40", "Enter")
    page.wait("document.querySelector('h3')?.textContent === 'node 40'")
    row = page.run("terrariumExplorer.selected.row")
    page.wait(f"document.querySelector('[data-explorer]').dataset.selected === '{row}'")
    np.testing.assert_allclose(places(page)[row], 0.0, atol=1e-5)
    about = page.run("document.querySelector('.about').innerText")
    assert "Path to the root" in about
    assert "Nearest (hyperbolic distance)" in about


def test_a_click_on_a_point_selects_it_and_shows_its_children(page):
    row = page.run("terrariumExplorer.points.parent.indexOf(0)")
    page.click(*place_of(page, row))
    page.wait(f"document.querySelector('[data-explorer]').dataset.selected === '{row}'")
    assert page.run("terrariumExplorer.selected.child_count") == 3
    assert page.run("document.querySelectorAll('.over path.child').length") == 3
    assert page.run("document.querySelectorAll('.over path.path').length") == 1


def test_keys_walk_from_parent_to_child_and_sibling(page):
    page.run("terrariumExplorer.select(0)")
    walked = []
    for key in "ccnp":
        before = page.run("terrariumExplorer.selected.row")
        page.press(key)
        page.wait(f"terrariumExplorer.selected.row !== {before}")
        walked.append(page.run("terrariumExplorer.selected.row"))
    tree = maps.tree()
    child = tree.children(0)[0]
    grandchildren = tree.children(child)
    assert walked == [child, grandchildren[0], grandchildren[1], child]
    page.press("Escape")
    assert selected(page) is None


def test_every_movement_keeps_all_distances(page):
    assert is_isometric(page)
    start = places(page)
    for key in ("ArrowLeft", "ArrowUp", "+", "+", "-", "ArrowDown"):
        page.press(key)
        assert is_isometric(page)
    assert not np.allclose(places(page), start, atol=1e-2)
    x, y = place_of(page, 0)
    page.mouse("mouseWheel", x + 80, y + 40, deltaX=0, deltaY=-100)
    assert is_isometric(page)
    page.mouse("mousePressed", x, y, button="left", clickCount=1)
    for step in (30, 60, 90):
        page.mouse("mouseMoved", x + step, y - step, button="left", buttons=1)
    page.mouse("mouseReleased", x + 90, y - 90, button="left", clickCount=1)
    assert is_isometric(page)
    page.press("Home")
    np.testing.assert_allclose(places(page), start, atol=1e-6)


def test_the_wheel_brings_nearer_what_is_under_the_pointer(page):
    row = page.run("terrariumExplorer.points.parent.indexOf(0)")
    before = np.linalg.norm(places(page)[row])
    page.mouse("mouseWheel", *place_of(page, row), deltaX=0, deltaY=-100)
    page.wait(f"Math.hypot(...terrariumExplorer.places.slice(2 * {row}, 2 * {row} + 2)) < {before} - 0.02")


def test_dragging_moves_a_point_with_the_pointer(page):
    x, y = place_of(page, 0)
    page.mouse("mousePressed", x, y, button="left", clickCount=1)
    page.mouse("mouseMoved", x + 100, y, button="left", buttons=1)
    page.mouse("mouseReleased", x + 100, y, button="left", clickCount=1)
    places(page)
    np.testing.assert_allclose(place_of(page, 0), (x + 100, y), atol=1.0)


def test_the_view_is_saved_as_svg(page):
    from xml.etree import ElementTree

    page.run("terrariumExplorer.select(1, false)")
    page.wait("terrariumExplorer.selected?.row === 1")
    drawn = ElementTree.fromstring(page.run("terrariumExplorer.svg()"))
    names = {element.tag.rpartition("}")[2] for element in drawn.iter()}
    assert {"circle", "path", "text", "style", "title"} <= names
    inside = (places(page) ** 2).sum(axis=1) < 0.9998
    assert len(drawn.find("{*}g").findall("{*}circle")) == inside.sum()


def test_points_are_drawn(page):
    page.run("terrariumExplorer.select(0)")
    pixels = page.run(
        "(() => {const e = terrariumExplorer, g = e.layer.gl, w = g.canvas.width; e.draw();"
        "const p = new Uint8Array(4 * w * w); g.readPixels(0, 0, w, w, g.RGBA, g.UNSIGNED_BYTE, p);"
        "let n = 0; for (let i = 0; i < p.length; i += 4) n += p[i] + p[i + 1] + p[i + 2] < 700; return n})()"
    )
    assert pixels > maps.NODES
    assert page.screenshot().startswith(b"\x89PNG")
    assert page.errors == []


def test_of_many_points_the_view_gets_those_that_it_sees(tmp_path):
    with serving(maps.disk(max_radius=30.0), drawn=20) as server, Browser(tmp_path) as page:
        page.open(server.address)
        assert page.run("terrariumExplorer.points.row.length") == 20
        before = page.run("Array.from(terrariumExplorer.points.row)")
        leaf = maps.tree().depth.argmax()
        assert leaf not in before
        page.run(f"terrariumExplorer.select({leaf})")
        page.wait(f"terrariumExplorer.points.row.includes({leaf})")
        assert page.run("terrariumExplorer.points.row.length") <= 20


def test_a_map_is_panned_and_scaled(tmp_path):
    with serving(maps.plane()) as server, Browser(tmp_path) as page:
        page.open(server.address)
        page.run("terrariumExplorer.select(7)")
        page.wait("document.querySelector('[data-explorer]').dataset.selected === '7'")
        np.testing.assert_allclose(places(page)[7], 0.0, atol=1e-6)
        shape = places(page) - places(page)[0]
        true = server.points.position - server.points.position[0]
        np.testing.assert_allclose(shape, true * 4.0, atol=1e-4)
        assert page.errors == []
