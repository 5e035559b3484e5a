"""The documentation names what exists, and is short and plain; test_commands_of_pages.py runs its commands."""

import ast
import re

import pytest
import yaml

from tests.project import ROOT
from tests.test_parameters import parameters

README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
PROSE = [
    *PAGES,
    *sorted((ROOT / "conf").rglob("*.yml")),
    *(path for kind in ("*.py", "*.j2") for path in sorted((ROOT / "src").rglob(kind))),
]
"""Files of prose; of a module, its docstrings."""
WIDTH = 100
ODD = (
    *("anew", r"fore(?:tell|told)\w*", r"the (?:original|documents?)(?:'s)?", r"documented recipes?"),
    *("the bar", "beside", r"a step an epoch"),
    *(r"(?:a|an|one) (?:row|number|step|value|line) an? \w+", r"stands? (?:in|with|for itself|beside)"),
)
"""Words and phrases that our pages do not use, as regular expressions."""


def plain_lines(path):
    """Lines that must be prose of limited width: no code blocks, tables, comments or generated blocks."""
    inside = False
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if line.startswith("```"):
            inside = not inside
        elif not inside and not line.lstrip().startswith(("|", "<!--")) and not line.startswith("    "):
            yield number, line


def prose(path):
    """The text of a page, a parameter file or a template, or the docstrings of a module; outputs quote the data."""
    text = path.read_text(encoding="utf-8")
    if path.parent.name == "tutorials":
        return re.sub(r"^\|.*$", "", text, flags=re.MULTILINE)
    if path.suffix != ".py":
        return text
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, documented)]
    return "\n".join(ast.get_docstring(node) or "" for node in nodes)


@pytest.mark.parametrize("path", PROSE, ids=lambda path: str(path.relative_to(ROOT)))
def test_words_are_plain(path):
    text = " ".join(prose(path).split())
    found = [match[0] for odd in ODD for match in re.finditer(rf"\b{odd}\b", text, flags=re.IGNORECASE)]
    assert not found


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_pages_wrap(path):
    """Tables and lines with links may be longer."""
    assert not [f"{n}: {line}" for n, line in plain_lines(path) if len(line) > WIDTH and "](" not in line]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
        assert target.startswith("https://") or (path.parent / target).exists(), target


def anchors(path):
    """The anchors of a page's headings, as GitHub and the site name them."""
    text = re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    plain = (re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower() for heading in headings)
    return {re.sub(r"[^\w\- ]", "", heading).strip().replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_anchors_are_headings(path):
    for target, anchor in re.findall(r"\]\(([^)#\s:]*)#([^)]*)\)", path.read_text(encoding="utf-8")):
        assert anchor in anchors(path.parent / target if target else path), f"{target}#{anchor}"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_recipes_that_are_named_exist(path):
    for name in re.findall(r"recipes/[a-z_]+/[a-z0-9_]+", path.read_text(encoding="utf-8")):
        assert (ROOT / "conf" / name).is_dir() or name.endswith("/mine"), name


def test_every_reference_recipe_is_described():
    page = (ROOT / "docs" / "reference-recipes.md").read_text(encoding="utf-8")
    for family, pattern in (("hyperbolic", "v[0-9]*"), ("senses", "naomi2*"), ("scenes", "graph_embedding_*")):
        for folder in (ROOT / "conf" / "recipes" / family).glob(pattern):
            assert f"`{folder.name}`" in page


def options_of_systems():
    """Rows of the tables in docs/reference-recipes.md: option of the system, its value, our parameter, our default."""
    page = (ROOT / "docs" / "reference-recipes.md").read_text(encoding="utf-8")
    return re.findall(r"^\| `([^`]+)` \| ([^|]+) \| `([a-z_.]+)` \| ([^|]+) \|$", page, flags=re.MULTILINE)


def value_at(path, tree):
    for name in path.split("."):
        tree = tree[name]
    return tree


def test_options_of_the_reference_systems_have_parameters_with_the_stated_defaults():
    rows = options_of_systems()
    assert len(rows) == 9 + 9 + 14 + 5 + 17
    defaults = parameters("local") | yaml.safe_load((ROOT / "conf/base/globals.yml").read_text(encoding="utf-8"))
    for option, _, path, stated in rows:
        assert value_at(path, defaults) == yaml.safe_load(stated), option


def test_graph_embedding_v2_has_the_stated_values():
    """The tables say values in the system's own terms, such as true for mixed precision."""
    tree = parameters("recipes/scenes/graph_embedding_v2")
    rows = [row for row in options_of_systems() if row[2].startswith("scenes.")]
    own_terms = {"use_mixed_precision": "bf16-mixed", "optimizer": "adamw", "use_warmup": 3}
    for key, stated, path, _ in rows:
        assert value_at(path, tree) == own_terms.get(key, yaml.safe_load(stated)), key


def test_datasets_that_the_recipes_page_names_exist():
    from terrarium.pipeline_registry import register_pipelines

    page = (ROOT / "docs" / "reference-recipes.md").read_text(encoding="utf-8")
    names = set(re.findall(r"`(hyperbolic\.\w+)`", page))
    assert names
    assert names <= register_pipelines()["hyperbolic"].datasets()


def test_the_readme_is_short():
    assert len(README.splitlines()) < 150


def test_the_architecture_names_nodes_and_datasets_that_exist():
    """The stage tables of docs/architecture.md, row by row."""
    from terrarium.pipeline_registry import register_pipelines

    pipelines = register_pipelines()
    nodes = {node.name.rpartition(".")[2] for pipeline in pipelines.values() for node in pipeline.nodes}
    data = {name.rpartition(".")[2] for pipeline in pipelines.values() for name in pipeline.all_outputs()}
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    stages = "ingestion|features|training|evaluation|reporting"
    rows = re.findall(rf"^\| (?:{stages}) \| ([^|]+) \| ([^|]+) \|$", text, flags=re.MULTILINE)
    assert rows
    for names, known in ((0, nodes), (1, data)):
        for name in {name for row in rows for name in re.findall(r"`(\w+)`", row[names])}:
            assert name in known, name
