"""The virus-host graph of NCBI's data: hosts, lineages and ranks of viruses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from terrarium.sources.errors import SourceError
from terrarium.sources.graphs.graph_source import (
    UNDIVIDED,
    GraphSource,
    Names,
    TripleColumns,
    relation_table,
    triple_table,
)
from terrarium.sources.taxonomies.ncbi_package import NcbiPackage

VIRUSES = 10239
INFECTS, HAS_PARENT, HAS_RANK = "infects", "has_parent", "has_rank"
DISPLAY_NAMES = {"has parent": "belongs to", "has rank": "has the rank"}
# Spellings outside the vocabulary of NCBI's field of hosts.
_SPELLINGS = {
    "algae": "eukaryotic algae",
    "plants": "land plants",
    "insects": "invertebrates",
    "human stool": "human",
}


def read_virus_hosts(clade: int | str | None = None, package: NcbiPackage | None = None) -> GraphSource:
    """Read the virus species of a clade that have a known host, with their ancestors, ranks and hosts.

    Triples are (taxon, has_parent, taxon) up to the realm, (taxon, has_rank, rank) and (species, infects, host group).
    The group of an entity is its genus. Entities are named taxon:ID, rank:NAME and host:NAME.

    Args:
        clade: scientific name or tax id; None for all viruses.
        package: the taxonomy; None to open the installed one.

    Raises:
        SourceError: the clade is unknown, or none of its viruses has a known host.
    """
    ncbi = package or NcbiPackage()
    taxa = ncbi.clade(VIRUSES if clade is None else clade).set_index("id")
    hosts = ncbi.hosts()
    hosts = hosts[hosts["id"].isin(taxa.index[taxa["rank"] == "species"])]
    if hosts.empty:
        raise SourceError(
            f"no virus below {clade!r} has a known host: set source.clade to a clade of viruses, or to null"
        )
    kept = _with_ancestors(hosts["id"].to_numpy(), taxa["parent"])
    taxa = taxa.loc[kept]
    genus = _genera(taxa)
    entities, relations, columns = Names(), Names(), TripleColumns()
    labels = [
        (f"taxon:{i}", str(name), str(rank)) for i, name, rank in zip(kept, taxa["name"], taxa["rank"], strict=True)
    ]
    for name, _, _ in labels:
        entities.number(name)
    for taxon, parent, rank in zip(kept, taxa["parent"], taxa["rank"], strict=True):
        own = entities.number(f"taxon:{taxon}")
        if f"taxon:{parent}" in entities.index:
            columns.add(own, relations.number(HAS_PARENT), entities.number(f"taxon:{parent}"))
        columns.add(own, relations.number(HAS_RANK), entities.number(f"rank:{rank}"))
    for taxon, text in zip(hosts["id"], hosts["host"], strict=True):
        for host in host_groups(text):
            columns.add(entities.number(f"taxon:{taxon}"), relations.number(INFECTS), entities.number(f"host:{host}"))
    return GraphSource(
        triple_table(columns.arrays(), entities, relations, UNDIVIDED),
        _entity_table(entities, labels, genus),
        relation_table(relations, targets={INFECTS}, hierarchy=HAS_PARENT, split_by="head").replace(
            {"name": DISPLAY_NAMES}
        ),
        {"lines": len(columns), "viruses": len(hosts), "taxa": len(taxa), "genera": len(set(genus.values()))},
    )


def host_groups(text: str) -> list[str]:
    """Return the groups of a comma-separated field in one spelling, sorted."""
    parts = (" ".join(part.split()) for part in text.split(","))
    return sorted({_SPELLINGS.get(part, part) for part in parts})


def _with_ancestors(ids: np.ndarray, parent: pd.Series) -> list[int]:
    """Return the taxa and their ancestors except the root, sorted."""
    found: set[int] = set()
    above: dict[Any, int] = parent.to_dict()
    for start in ids:
        taxon = int(start)
        while taxon not in found and above.get(taxon, -1) != -1:
            found.add(taxon)
            taxon = above[taxon]
    return sorted(found)


def _genera(taxa: pd.DataFrame) -> dict[int, int]:
    """Return the genus of each taxon that is or belongs to one."""
    rank, above = taxa["rank"].astype(str).to_dict(), taxa["parent"].to_dict()
    found: dict[int, int] = {}
    for start in taxa.index:
        taxon = start
        while taxon in rank and rank[taxon] != "genus":
            taxon = above[taxon]
        if taxon in rank:
            found[start] = taxon
    return found


def _entity_table(entities: Names, labels: list[tuple[str, str, str]], genus: dict[int, int]) -> pd.DataFrame:
    others = [(name, name.partition(":")[2], name.partition(":")[0]) for name in list(entities)[len(labels) :]]
    table = pd.DataFrame([*labels, *others], columns=["entity", "name", "category"]).astype("str")
    groups = {f"taxon:{taxon}": f"taxon:{above}" for taxon, above in genus.items()}
    table["group"] = pd.array([groups.get(name, "") for name in entities], dtype="str")
    return table
