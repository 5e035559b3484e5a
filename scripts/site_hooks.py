"""What the documentation site needs besides `docs/`: loaded by MkDocs (`hooks` in mkdocs.yml).

Pages link to files of the repository as GitHub shows them. The site holds a copy of those that it has no page for, so
that every link works without a network.
"""

from __future__ import annotations

import os
import posixpath
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
PAGES = {"CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md", "README.md": "index.md"}
"""Pages of the site by the file of the repository that they show."""
COPIES = ("benchmarks/results/*.csv", "src/terrarium/**/*.yml", "LICENSE")
"""Files that are copied into the site, below `files/`."""
API = {
    "index": ("terrarium", "terrarium.use"),
    "hyperbolic": ("terrarium.hyperbolic",),
    "senses": ("terrarium.senses",),
    "kge": ("terrarium.kge",),
    "influence": ("terrarium.influence",),
    "scenes": ("terrarium.scenes",),
    "shared": (
        *("terrarium.common", "terrarium.hierarchy", "terrarium.sources", "terrarium.training"),
        *("terrarium.reporting", "terrarium.claims", "terrarium.datasets", "terrarium.hooks", "terrarium.runner"),
    ),
}
"""Packages of each page of the API."""
TITLES = {"kge": "Knowledge graph", "index": "API", "shared": "Shared packages"}
_LINK = re.compile(r"(\]\()([^)#\s:]+)((?:#[^)]*)?\))")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add pages that show files of the repository, the API, and the files that pages link to."""
    from mkdocs.structure.files import File

    for source, page in PAGES.items():
        if page != "index.md":
            files.append(File.generated(config, page, abs_src_path=str(ROOT / source)))
    for name, packages in API.items():
        files.append(File.generated(config, f"reference/api/{name}.md", content=api_page(name, packages)))
    for pattern in COPIES:
        for path in sorted(ROOT.glob(pattern)):
            place = path.relative_to(ROOT).as_posix()
            files.append(File.generated(config, f"files/{place}", abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Return a page whose links to files of the repository lead to their page or copy in the site."""
    uri = page.file.src_uri
    sources = {target: source for source, target in PAGES.items() if target != "index.md"}
    folder = posixpath.dirname(sources.get(uri, f"docs/{uri}"))

    def replaced(match: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(folder, match[2]))
        place = site_place(target)
        return (
            match[0]
            if place is None
            else f"{match[1]}{posixpath.relpath(place, posixpath.dirname(uri) or '.')}{match[3]}"
        )

    return _LINK.sub(replaced, markdown)


def site_place(target: str) -> str | None:
    """Return where the site has a file of the repository, by its path from the root; None if it is unknown."""
    if target in PAGES:
        return PAGES[target]
    if target.startswith("docs/"):
        return target.removeprefix("docs/")
    if target.endswith(".ipynb"):
        return f"tutorials/{Path(target).stem}.md"
    return f"files/{target}" if (ROOT / target).is_file() else None


def api_page(name: str, packages: tuple[str, ...]) -> str:
    """Return the Markdown of a page of the API: a section for each module of the packages, in the order of the tree."""
    title = TITLES.get(name, name.capitalize())
    lines = [f"# {title}", "", "Functions and classes by module, from their docstrings.", ""]
    for package in packages:
        lines += [f"## {package}", "", *(f"::: {module}\n" for module in modules(package))]
    return "\n".join(lines) + "\n"


def modules(package: str) -> list[str]:
    """Return a package and its public modules by dotted name."""
    folder = ROOT / "src" / package.replace(".", "/")
    paths = [folder / "__init__.py"] if package == "terrarium" else sorted(folder.rglob("*.py"))
    found = []
    for path in paths:
        parts = path.relative_to(ROOT / "src").with_suffix("").parts
        names = parts[:-1] if parts[-1] == "__init__" else parts
        if not any(part.startswith("_") for part in names) and os.path.getsize(path) > 100:
            found.append(".".join(names))
    return found
