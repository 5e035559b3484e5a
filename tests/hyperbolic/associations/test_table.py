"""Reading typed links, and their split."""

import numpy as np
import pandas as pd
import pytest

from terrarium.hyperbolic.associations.table import SPLITS, read_associations, split_associations
from terrarium.hyperbolic.data.groups import group_labels
from terrarium.sources.errors import SourceError
from tests.hyperbolic.associations.links import genera, options

TAXA = pd.DataFrame({"id": [1, 2, 3, 4], "name": ["virus", "Aichivirus A", "twice", "twice"]})


def write(tmp_path, text: str, name: str = "links.csv") -> str:
    (tmp_path / name).write_text(text)
    return str(tmp_path / name)


@pytest.mark.parametrize(("name", "separator"), [("links.csv", ","), ("links.tsv", "\t")])
def test_nodes_are_named_by_id_or_name(tmp_path, name, separator):
    lines = [
        ("Node", "relation", "other"),
        ("2", "infects", "human"),
        ("Aichivirus A", "infects", "human"),
        ("virus", "has", "a shell"),
        ("unknown", "infects", "human"),
        ("twice", "infects", "human"),
    ]
    file = write(tmp_path, "\n".join(separator.join(line) for line in lines), name)
    found = read_associations(file, TAXA)
    assert found.to_dict("list") == {
        "node": [1, 2],
        "relation": ["has", "infects"],
        "other": ["a shell", "human"],
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("node,relation\n1,infects\n", r"links\.csv has the columns .* it must have node, relation, other"),
        ("node,relation,other\n1,,human\n", r"links\.csv has an empty cell in row 1"),
        ("node,relation,other\n9,infects,human\n", "none of its 1 links is of one of the 4 taxa"),
        ("node,relation,other\n", "none of its 0 links"),
    ],
)
def test_a_broken_file_is_named(tmp_path, text, message):
    with pytest.raises(SourceError, match=message):
        read_associations(write(tmp_path, text), TAXA)


def test_a_source_must_be_given():
    with pytest.raises(SourceError, match=r"source\.associations is null: set it to"):
        read_associations(None, TAXA)
    with pytest.raises(SourceError, match=r"nowhere\.xlsx is not a \.csv or \.tsv file"):
        read_associations("nowhere.xlsx", TAXA)


def test_the_hosts_of_the_package():
    found = read_associations(
        "virus_host",
        pd.DataFrame({"id": [11320], "name": ["Influenza A virus"]}).assign(
            id=[694009], name=["Severe acute respiratory syndrome-related coronavirus"]
        ),
    )
    assert set(found["relation"]) == {"infects"}
    assert set(found["node"]) == {694009}


@pytest.mark.parametrize("split_rank", [None, "genus"])
def test_all_links_of_a_node_or_group_are_in_one_split(split_rank):
    tree, ranks, links = genera()
    found = split_associations(links, tree, ranks, options(split_rank=split_rank))
    unit = found["node"]
    if split_rank is not None:
        unit = pd.Series(group_labels(tree, ranks, split_rank)[tree.rows(found["node"])])
    assert (found.groupby(unit.to_numpy())["split"].nunique() == 1).all()
    share = found["split"].value_counts(normalize=True)
    assert set(share.index) == set(SPLITS)
    assert share["test"] == pytest.approx(0.2, abs=0.07)
    again = split_associations(links, tree, ranks, options(split_rank=split_rank, seed=1))
    assert (again["split"] != found["split"]).any()


def test_too_few_groups_are_refused():
    tree, ranks, links = genera()
    with pytest.raises(SourceError, match="the split of 1 nodes or groups leaves no link for"):
        split_associations(links, tree, np.where(ranks == "family", "family", "x"), options(split_rank="family"))
