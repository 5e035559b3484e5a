"""The documentation site: it builds without a warning, its links lead somewhere, and it needs no network."""

import os
import posixpath
import re
import subprocess
import sys
from html.parser import HTMLParser
from importlib.util import find_spec

import pytest

from scripts.site_hooks import API, modules, site_place
from tests.project import ROOT, environment


class Links(HTMLParser):
    """Ids, links and loaded resources of a page."""

    def __init__(self):
        super().__init__()
        self.ids, self.links, self.loaded = set(), [], []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.ids |= {given[name] for name in ("id", "name") if given.get(name)}
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        if given.get("src") or (tag == "link" and given.get("rel") == "stylesheet"):
            self.loaded.append(given.get("src") or given.get("href"))


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The pages of the built site by path."""
    if find_spec("mkdocs") is None or find_spec("mkdocstrings") is None:
        assert not os.environ.get("CI"), "MkDocs is missing: pip install -c constraints.txt -e '.[docs]'"
        pytest.skip("MkDocs is not installed: pip install -c constraints.txt -e '.[docs]'")
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", str(folder)],
        cwd=ROOT,
        env=environment(NO_MKDOCS_2_WARNING="1"),
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    pages = {}
    for path in folder.rglob("*.html"):
        pages[path.relative_to(folder).as_posix()] = parser = Links()
        parser.feed(path.read_text(encoding="utf-8"))
    return folder, pages


def test_every_link_of_the_site_leads_somewhere(site):
    folder, pages = site
    broken = []
    for page, parsed in pages.items():
        for link in parsed.links:
            if re.match(r"(https?|mailto):", link):
                continue
            target, _, anchor = link.partition("#")
            place = posixpath.normpath(posixpath.join(posixpath.dirname(page), target)) if target else page
            if page == "404.html" or (folder / place).is_dir():
                continue
            if not (folder / place).is_file() or (anchor and place in pages and anchor not in pages[place].ids):
                broken.append(f"{page}: {link}")
    assert broken == []


def test_a_page_loads_nothing_from_the_network(site):
    _, pages = site
    loaded = {link for parsed in pages.values() for link in parsed.loaded}
    assert loaded
    assert not [link for link in loaded if link.startswith(("http", "//"))]


def test_the_api_names_the_functions_that_users_call(site):
    _, pages = site
    ids = set().union(*(parsed.ids for name, parsed in pages.items() if name.startswith("reference/api/")))
    assert {"terrarium.use.load", "terrarium.hyperbolic.geometry.ball.detour", "terrarium.training.fit.fit"} <= ids


def test_every_library_package_has_a_page_of_the_api():
    packages = {path.name for path in (ROOT / "src/terrarium").iterdir() if (path / "__init__.py").is_file()}
    documented = {name.split(".")[1] for names in API.values() for name in names if "." in name}
    assert packages - documented == {"commands", "pipelines"}


def test_modules_are_listed_by_their_dotted_name():
    found = modules("terrarium.hierarchy")
    assert "terrarium.hierarchy.tree" in found
    assert found == sorted(found)


@pytest.mark.parametrize(
    ("target", "place"),
    [
        ("docs/senses.md", "senses.md"),
        ("CONTRIBUTING.md", "contributing.md"),
        ("notebooks/scenes.ipynb", "tutorials/scenes.md"),
        ("LICENSE", "files/LICENSE"),
        ("benchmarks/results/senses_quality.csv", "files/benchmarks/results/senses_quality.csv"),
        ("nowhere.txt", None),
    ],
)
def test_a_file_of_the_repository_has_a_place_in_the_site(target, place):
    assert site_place(target) == place
