import pytest

from terrarium.sources.errors import SourceError
from terrarium.sources.graphs.virus_host import host_groups, read_virus_hosts
from terrarium.sources.taxonomies.ncbi_package import NcbiPackage


@pytest.fixture(scope="module")
def ebola():
    return read_virus_hosts("Filoviridae")


def test_a_virus_has_its_lineage_ranks_and_hosts(ebola):
    triples = ebola.triples.astype(str)
    species = ebola.entities.set_index("name").loc["Orthomarburgvirus marburgense", "entity"]
    of = triples[triples["head"] == species].groupby("relation")["tail"].agg(set)
    assert of["has_rank"] == {"rank:species"}
    assert len(of["has_parent"]) == 1
    assert all(host.startswith("host:") for host in of["infects"])
    assert set(triples["relation"]) == {"has_parent", "has_rank", "infects"}
    assert set(triples["split"]) == {"undivided"}


def test_only_infects_is_asked_about_and_entities_have_names_and_genera(ebola):
    relations = ebola.relations.set_index("relation")
    assert relations["is_target"].to_dict() == {"has_parent": False, "has_rank": False, "infects": True}
    assert relations["is_hierarchy"].to_dict() == {"has_parent": True, "has_rank": False, "infects": False}
    entities = ebola.entities.set_index("entity")
    genera = entities[entities["category"] == "genus"]
    assert (genera["group"] == genera.index).all()
    species = entities[entities["category"] == "species"]
    assert (species["group"] != "").any()
    assert entities.loc["host:human", "name"] == "human"


def test_every_virus_has_a_host_and_every_host_a_virus(ebola):
    infects = ebola.triples[ebola.triples["relation"] == "infects"].astype(str)
    species = ebola.entities[ebola.entities["category"] == "species"]["entity"]
    assert set(infects["head"]) == set(species)
    assert ebola.counts["viruses"] == len(species)


def test_a_clade_without_hosts_is_refused():
    with pytest.raises(SourceError, match="no virus below 'Hominidae' has a known host"):
        read_virus_hosts("Hominidae")


def test_odd_spellings_become_the_groups():
    assert host_groups("human,human  stool,vertebrates") == ["human", "vertebrates"]
    assert host_groups("land plants,plants") == ["land plants"]
    assert host_groups("algae,eukaryotic algae") == ["eukaryotic algae"]
    assert host_groups("insects,invertebrates") == ["invertebrates"]


def test_the_packages_hosts_are_32_texts():
    hosts = NcbiPackage().hosts()
    assert len(hosts) == 207_227
    assert hosts["host"].nunique() == 32
    assert hosts["id"].is_monotonic_increasing
