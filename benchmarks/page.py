"""Fill the tables of docs/benchmarks.md from benchmarks/results: python -m benchmarks.page."""

import re
from typing import NamedTuple

from benchmarks.results import ROOT, markdown_lines, read_results

PAGE = ROOT / "docs" / "benchmarks.md"
COLUMNS = ("task", "data", "metric", "Terrarium", "baseline", "untrained")
BLOCK = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", flags=re.DOTALL)


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
    baseline: Cell | None = None
    untrained: Cell | None = None


_OBJECTIVES, _VIRUS, _TU = "objectives_echinodermata", "virus_host", "scenes_tu"
_LDS, _DELETION, _WORDNET = "influence_lds", "influence_deletion", "wordnet_reconstruction"
_SIMLEX = "SimLex-999, best pair of senses (path similarity 0.437)"
_SHORTCUT = "the shortcut: plain, last checkpoint, relation vectors alone"
_DEFAULT = "default: factored weights, share, all checkpoints, all layers"


def _layouts(task: str, column: str) -> KeyRow:
    cells = [Cell(_OBJECTIVES, row, column) for row in ("detour", "constructed", "inherited")]
    return KeyRow(task, "Echinodermata", column, cells[0], cells[1]._replace(note="constructed"), cells[2])


def _seed_0(task: str, row: str, metric: str) -> KeyRow:
    return KeyRow(task, "Mammalia", metric, Cell("hyperbolic_quality", row, "Mammalia, seed 0"))


def _hosts(data: str, split: str) -> KeyRow:
    relatives = Cell(_VIRUS, f"{split}: nearest relatives", "tail MRR", "nearest relatives")
    return KeyRow("hosts of unseen viruses", data, "tail MRR", Cell(_VIRUS, f"{split}: trained", "tail MRR"), relatives)


def _senses(task: str, row: str, metric: str, baseline: Cell | None = None) -> KeyRow:
    value, random = (Cell("senses_quality", row, column) for column in ("median", "random vectors"))
    return KeyRow(task, "WordNet 3.0", metric, value, baseline, random)


def _left_out(graph: str) -> KeyRow:
    baseline = Cell(_LDS, _SHORTCUT, graph, "last checkpoint, relation vectors")
    return KeyRow("predict retraining", graph, "LDS", Cell(_LDS, _DEFAULT, graph), baseline)


def _removal(graph: str) -> KeyRow:
    cells = (Cell(_DELETION, row, f"{graph}, 50") for row in ("influence, default", "shared entity"))
    value, baseline = cells
    return KeyRow("remove 50 triples, retrain", graph, "drop", value, baseline._replace(note="shared entity"))


def _scenes(task: str, row: str) -> KeyRow:
    value, kernel, encoder = (
        Cell("scenes_quality", row, column) for column in ("trained", "WL kernel", "untrained encoder")
    )
    return KeyRow(task, "simulator, test scenes", row, value, kernel._replace(note="WL kernel"), encoder)


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
        _layouts("rank ancestors", "MAP by detour"),
        _layouts("rank ancestors", "MAP by distance"),
        _layouts("rank parent and children", "edge MAP"),
        _layouts("keep depth", "r"),
        _layouts("place held-out leaves", "leaves placed by detour"),
        _seed_0("rank ancestors", "ancestor MAP by detour", "MAP by detour"),
        KeyRow(
            "rank ancestors",
            "WordNet mammals",
            "MAP by distance",
            Cell(_WORDNET, "mammals, seed 0", "MAP"),
            Cell(_WORDNET, "published: Nickel and Kiela 2017, mammals", "MAP", "Nickel and Kiela 2017"),
        ),
        KeyRow(
            "rank ancestors",
            "WordNet nouns",
            "MAP by distance",
            Cell(_WORDNET, "nouns, seed 0", "MAP"),
            Cell(_WORDNET, "published: 2017, nouns", "MAP", "Nickel and Kiela 2017"),
        ),
    ],
    "senses": [
        _senses("word similarity", _SIMLEX, "SimLex-999, Spearman"),
        _senses("antonyms against near synonyms", "against near synonyms (similar to)", "AUC"),
        _senses("direction of is-a", "is-a direction, held-out links", "accuracy"),
        _senses("predict relations", "held-out relations, filtered MRR", "MRR"),
        _senses("sparsity", "exact zeros", "fraction of zeros"),
    ],
    "knowledge_graph": [
        KeyRow(
            "link prediction, ComplEx",
            "WN18RR",
            "test MRR",
            Cell("knowledge_graph_wn18rr", "WN18RR", "test MRR"),
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
        _scenes("classify situations", "linear probe, macro F1"),
        _scenes("classify situations", "nearest neighbours, macro F1"),
        _scenes("retrieve situations", "retrieval, mean average precision"),
        _molecules("MUTAG"),
        _molecules("PROTEINS"),
    ],
}


def render(text: str) -> str:
    """Return the page with every marked table filled from the results."""
    return BLOCK.sub(lambda found: f"{found[1]}{family_table(found[2])}\n{found[3]}", text)


def family_table(family: str) -> str:
    """Return a family's key rows as a Markdown table, without columns that are empty in all of them."""
    rows = [COLUMNS, *([row.task, row.data, row.metric, *map(_shown, row[3:])] for row in TABLES[family])]
    used = [column for column in range(len(COLUMNS)) if any(row[column] for row in rows[1:])]
    shown = [[row[column] for column in used] for row in rows]
    return markdown_lines([shown[0], ["---"] * len(used), *shown[1:]])


def _shown(cell: Cell | None) -> str:
    """Return the text of a cell; ValueError if the results have not exactly one such row."""
    if cell is None:
        return ""
    table = read_results(cell.file)
    found = table.loc[table.iloc[:, 0] == cell.row, cell.column]
    if len(found) != 1:
        raise ValueError(f"benchmarks/results/{cell.file}.csv has {len(found)} rows named {cell.row!r}, expected one")
    return f"{found.iloc[0]}, {cell.note}" if cell.note else str(found.iloc[0])


if __name__ == "__main__":
    PAGE.write_text(render(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
