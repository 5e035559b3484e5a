"""Fill the tables of the benchmark pages and write docs/claims.md: python -m benchmarks.page."""

import re
from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from benchmarks.results import PROVENANCE, RESULTS, ROOT, markdown_lines, read_results
from terrarium.claims.judge import judge
from terrarium.claims.judge import read_results as read_cells
from terrarium.claims.ledger import claim_table
from terrarium.claims.page import ledger_markdown

PAGE = ROOT / "docs" / "benchmarks.md"
PAGES = [PAGE, *sorted((ROOT / "docs" / "benchmarks").glob("*.md"))]
CLAIMS = ROOT / "docs" / "claims.md"
COLUMNS = ("task", "data", "metric", "Terrarium", "baseline", "untrained")
BLOCK = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", flags=re.DOTALL)
FILE_BLOCK = re.compile(r"(<!-- file: (\w+)((?:; [^;>]+)*) -->\n).*?(<!-- end -->)", flags=re.DOTALL)
"""A whole results file, or the named columns of it."""
SCREEN = "screen"


class Cell(NamedTuple):
    """A cell of a results file: the row whose first column is `row`; `note` says what the number belongs to."""

    file: str
    row: str
    column: str
    note: str = ""


class KeyRow(NamedTuple):
    """A row of a family's table; without a baseline or an untrained value its cell is empty."""

    task: str
    data: str
    metric: str
    value: Cell
    baseline: Cell | str | None = None
    untrained: Cell | None = None


_VIRUS, _TU = "virus_host", "scenes_tu"
_OTHER_LAYOUTS = ("combinatorial", "inherited, equal steps")
_LARGE_LAYOUTS = ("cones", "combinatorial")
_LOWEST = "100,000 lowest tax ids"
_LDS, _DELETION, _WORDNET = "influence_averaged", "influence_deletion", "wordnet_reconstruction"


def _layout(task: str, data: str, layout: str, radius: int, metric: str) -> KeyRow:
    cells = [
        Cell("hyperbolic_radius", f"{data}, {name}, radius {radius}", metric) for name in (layout, *_OTHER_LAYOUTS)
    ]
    where = f"{data}, radius {radius}"
    return KeyRow(task, where, f"{metric}, {layout}", cells[0], cells[1]._replace(note="combinatorial"), cells[2])


def _whole(task: str, metric: str) -> KeyRow:
    cones, other = (Cell("hyperbolic_whole", f"all of NCBI, {name}, radius 34", metric) for name in _LARGE_LAYOUTS)
    return KeyRow(task, "all of NCBI, radius 34", f"{metric}, cones", cones, other._replace(note="combinatorial"))


def _wordnet(data: str, published: str) -> KeyRow:
    value = Cell("hyperbolic_wordnet_caps", f"{data}, caps refitted for second parents", "MAP")
    baseline = Cell(_WORDNET, published, "MAP", "Nickel and Kiela 2017")
    return KeyRow("rank ancestors", f"WordNet {data}", "MAP by distance, caps", value, baseline)


def _hosts(data: str, split: str) -> KeyRow:
    relatives = Cell(_VIRUS, f"{split}: nearest relatives", "tail MRR", "nearest relatives")
    return KeyRow("hosts of unseen viruses", data, "tail MRR", Cell(_VIRUS, f"{split}: trained", "tail MRR"), relatives)


def _senses(task: str, row: str, metric: str, baseline: Cell | str | None = None) -> KeyRow:
    value, untrained = (Cell("senses_quality", row, column) for column in ("median", "untrained"))
    return KeyRow(task, "WordNet 3.0", metric, value, baseline, untrained)


def _similarity(task: str, row: str) -> KeyRow:
    return _senses(task, row, f"{row}, Spearman", Cell("senses_formulas", "Lin similarity", row, "Lin similarity"))


def _antonyms(task: str, pairs: str) -> KeyRow:
    name = "against near synonyms" if pairs == "near synonyms" else "against random adjectives"
    text = "the same, text alone" if pairs == "near synonyms" else f"{name}, text alone"
    baseline = Cell("senses_quality", text, "median", "text alone")
    return _senses(task, f"held-out antonyms {name}, AUC", "AUC", baseline)


def _left_out(graph: str) -> KeyRow:
    name = graph.lower()
    baseline = Cell(_LDS, f"{name}: plain gradients", "LDS", "TracInCP")
    return KeyRow("predict retraining", graph, "LDS", Cell(_LDS, f"{name}: as configured", "LDS"), baseline)


def _removal(graph: str) -> KeyRow:
    cells = (Cell(_DELETION, row, f"{graph}, 50") for row in ("influence, default", "shared entity"))
    value, baseline = cells
    return KeyRow("remove 50 triples, retrain", graph, "drop", value, baseline._replace(note="shared entity"))


def _scenes(task: str, data: str, metric: str) -> KeyRow:
    value, kernel = (Cell("scenes_graphlets", f"{data}: {metric}", column) for column in ("graphlets", "WL kernel"))
    return KeyRow(task, f"{data}, test scenes", metric, value, kernel._replace(note="WL kernel"))


def _molecules(data: str) -> KeyRow:
    kernel = Cell(_TU, data, "WL subtree kernel", "WL subtree kernel")
    return KeyRow(
        "graph classification",
        data,
        "accuracy %",
        Cell(_TU, data, "trained"),
        kernel,
        Cell(_TU, data, "untrained encoder"),
    )


TABLES: dict[str, list[KeyRow]] = {
    "hyperbolic": [
        _layout("rank ancestors", "Mammalia", "cones", 12, "MAP by detour"),
        _layout("rank ancestors", "Mammalia", "caps", 12, "MAP by distance"),
        _layout("rank parent and children", "Mammalia", "cones", 12, "edge MAP"),
        _layout("keep path lengths", "Mammalia", "cones", 12, "Spearman of path lengths"),
        _layout("rank ancestors", "Mammalia", "cones", 6, "MAP by detour"),
        _layout("rank parent and children", "Mammalia", "cones", 6, "edge MAP"),
        _layout("rank ancestors", _LOWEST, "cones", 34, "MAP by detour"),
        _layout("rank ancestors", _LOWEST, "caps", 34, "MAP by distance"),
        _layout("rank parent and children", _LOWEST, "cones", 34, "edge MAP"),
        _whole("rank ancestors", "MAP by detour"),
        _whole("rank parent and children", "edge MAP"),
        _wordnet("mammals", "published: Nickel and Kiela 2017, mammals"),
        _wordnet("nouns", "published: 2017, nouns"),
    ],
    "senses": [
        *(_similarity("word similarity", f"SimLex-999{part}") for part in ("", ", nouns", ", verbs")),
        _similarity("word similarity", "WordSim-353, similarity"),
        _similarity("word relatedness", "WordSim-353, relatedness"),
        _antonyms("antonyms against near synonyms", "near synonyms"),
        _antonyms("antonyms against random adjectives", "random adjectives"),
        _senses("direction of is-a", "is-a direction, held-out links", "accuracy"),
        _senses("direction of is-a, distant", "is-a direction, distant ancestors", "accuracy"),
        _senses("predict relations", "held-out relations, filtered MRR", "MRR"),
        _senses("sparsity", "exact zeros", "fraction of zeros"),
    ],
    "knowledge_graph": [
        KeyRow(
            "link prediction, ComplEx",
            "WN18RR",
            "test MRR",
            Cell("knowledge_graph_settings", "wn18rr: defaults", "test MRR", "1,006 CPU s"),
            Cell("knowledge_graph_wn18rr", "WN18RR", "test MRR", "all entities scored, 2,612 CPU s"),
        ),
        *(
            KeyRow(f"link prediction, {model}", graph, "test MRR", Cell(f"knowledge_graph_{file}", row, column))
            for model, file, graph, row, column in (
                ("ConvE", "conve", "UMLS", "UMLS", "test MRR"),
                ("ConvE", "conve", "Kinship", "Kinship", "test MRR"),
                ("ComplEx", "complex", "Kinship", "Kinship", "test MRR, median (seeds)"),
                ("ComplEx", "complex", "UMLS", "UMLS", "test MRR, median (seeds)"),
            )
        ),
        _hosts("virus-host", "test"),
        _hosts("virus-host, new genera", "whole genera held out"),
    ],
    "influence": [_left_out("UMLS"), _left_out("Kinship"), _removal("UMLS"), _removal("Kinship")],
    "scenes": [
        *(
            _scenes(task, data, metric)
            for data in ("simulator", "CARLA")
            for task, metric in (
                ("classify situations", "linear probe, macro F1"),
                ("classify situations", "nearest neighbours, macro F1"),
                ("retrieve situations", "retrieval, mean average precision"),
            )
        ),
        _molecules("MUTAG"),
        _molecules("PROTEINS"),
    ],
}


SCREEN_ROWS: dict[str, KeyRow] = {
    "hyperbolic": TABLES["hyperbolic"][0],
    "senses": TABLES["senses"][0],
    "knowledge_graph": _hosts("virus-host", "test")._replace(
        untrained=Cell(_VIRUS, "test: majority host", "tail MRR", "majority host")
    ),
    "influence": _removal("UMLS")._replace(untrained=Cell(_DELETION, "random", "UMLS, 50", "random triples")),
    "scenes": TABLES["scenes"][0]._replace(
        untrained=Cell("scenes_quality", "linear probe, macro F1", "untrained encoder", "untrained encoder")
    ),
}
"""The row of each family on docs/benchmarks.md; `benchmarks.screen` measures them again."""
SCREEN_COMMANDS = {
    "hyperbolic": "python -m benchmarks hyperbolic_clades",
    "senses": "python -m benchmarks senses_quality",
    "knowledge_graph": "python -m benchmarks virus_hosts",
    "influence": "python -m benchmarks influence_validation",
    "scenes": "python -m benchmarks scenes_graphlets",
}
"""Shorter than the command in the file, where that names every option."""


def render(text: str) -> str:
    """Return a page with every marked table filled from the results."""
    text = BLOCK.sub(lambda found: f"{found[1]}{_marked_table(found[2])}\n{found[3]}", text)
    return FILE_BLOCK.sub(lambda found: f"{found[1]}{file_table(found[2], found[3].split('; ')[1:])}\n{found[4]}", text)


def render_claims() -> str:
    """Return docs/claims.md from the ledger's rows, the results, and the measurements in `claims.csv`."""
    claims = claim_table()
    measurements = read_results("claims").astype({"number": float})
    return ledger_markdown(judge(claims, read_cells(str(RESULTS), claims), measurements))


def _marked_table(name: str) -> str:
    return screen_table() if name == SCREEN else family_table(name)


def screen_table() -> str:
    """Return one row per family, with the command that measured it."""
    header = ("family", *COLUMNS[:4], "best public baseline", "untrained", "command")
    rows = []
    for family, row in SCREEN_ROWS.items():
        command = f"`{SCREEN_COMMANDS[family]}`"
        cells = (row.task, row.data, row.metric, *map(cell_text, row[3:]))
        rows.append([f"[{family.replace('_', ' ')}](benchmarks/{family}.md)", *cells, command])
    return markdown_lines([list(header), ["---"] * len(header), *rows])


def file_table(name: str, columns: Sequence[str] = ()) -> str:
    """Return a results file as a Markdown table: the named columns, or all but where it came from."""
    table = read_results(name)
    chosen = list(columns) or [column for column in table.columns if column not in PROVENANCE]
    return markdown_lines([chosen, ["---"] * len(chosen), *table[chosen].to_numpy().tolist()])


def family_table(family: str) -> str:
    """Return a family's key rows as a Markdown table, without columns that are empty in all of them."""
    rows = [COLUMNS, *([row.task, row.data, row.metric, *map(cell_text, row[3:])] for row in TABLES[family])]
    used = [column for column in range(len(COLUMNS)) if any(row[column] for row in rows[1:])]
    shown = [[row[column] for column in used] for row in rows]
    return markdown_lines([shown[0], ["---"] * len(used), *shown[1:]])


def cell_text(cell: Cell | str | None) -> str:
    """Return the text of a cell; ValueError if the results have not exactly one such row."""
    if cell is None or isinstance(cell, str):
        return cell or ""
    text = str(_cell_row(cell)[cell.column])
    return f"{text}, {cell.note}" if cell.note else text


def _cell_row(cell: Cell) -> "pd.Series[str]":
    table = read_results(cell.file)
    found = table[table.iloc[:, 0] == cell.row]
    if len(found) != 1:
        raise ValueError(f"benchmarks/results/{cell.file}.csv has {len(found)} rows named {cell.row!r}, expected one")
    return found.iloc[0]


if __name__ == "__main__":
    for page in PAGES:
        page.write_text(render(page.read_text(encoding="utf-8")), encoding="utf-8")
    CLAIMS.write_text(render_claims(), encoding="utf-8")
