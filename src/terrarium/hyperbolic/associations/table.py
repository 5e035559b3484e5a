"""Read associations: typed links from nodes to others, such as virus, infects, vertebrates."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.data.groups import group_labels
from terrarium.hyperbolic.options import AssociationOptions
from terrarium.sources.errors import SourceError
from terrarium.sources.graphs.virus_host import INFECTS, host_groups
from terrarium.sources.taxonomies.ncbi_package import NcbiPackage

VIRUS_HOST = "virus_host"
TRAIN, VALIDATION, TEST = SPLITS = ("train", "validation", "test")
COLUMNS = ("node", "relation", "other")
_SEPARATORS = {".csv": ",", ".tsv": "\t"}


def read_associations(source: str | None, taxa: pd.DataFrame) -> pd.DataFrame:
    """Read associations and keep those of the taxa.

    Args:
        source: a CSV or TSV file with the columns node (id or name), relation and other; "virus_host" for the hosts in
            NCBI's package.
        taxa: id and name of the nodes.

    Returns:
        Distinct rows of node (id), relation and other, sorted.

    Raises:
        SourceError: no source, a file without these columns, or none of its nodes is among the taxa.
    """
    if source is None:
        raise SourceError("source.associations is null: set it to a CSV or TSV file, or to virus_host")
    table = _virus_hosts() if source == VIRUS_HOST else _read_file(Path(source))
    ids = pd.Series(taxa["id"].to_numpy(), taxa["id"].astype(str))
    named = taxa.drop_duplicates("name", keep=False)
    names = pd.Series(named["id"].to_numpy(), named["name"].astype(str))
    node = table["node"].map(ids).fillna(table["node"].map(names))
    known = table.assign(node=node)[node.notna()].astype({"node": np.int32})
    if known.empty:
        raise SourceError(
            f"source.associations {source}: none of its {len(table):,} links is of one of the {len(taxa):,} taxa; "
            "the column node must have their ids or names"
        )
    return known.drop_duplicates().sort_values(list(COLUMNS), ignore_index=True)


def split_associations(
    associations: pd.DataFrame, tree: Hierarchy, taxon_ranks: pd.Series, options: AssociationOptions
) -> pd.DataFrame:
    """Add the column split: train, validation or test. All links of a node are in one split.

    Args:
        associations: node, relation and other.
        tree: N nodes.
        taxon_ranks: (N,) rank of each row.
        options: val_fraction, test_fraction, seed, and split_rank: nodes of one group of this rank stay together.

    Raises:
        SourceError: a split would be empty.
    """
    rows = tree.rows(associations["node"])
    unit = rows.astype(np.int64)
    if options.split_rank is not None:
        groups = group_labels(tree, taxon_ranks, options.split_rank)[rows]
        unit = np.where(groups >= 0, groups, unit)
    units, which = np.unique(unit, return_inverse=True)
    place = np.random.default_rng(options.seed).permutation(len(units))[which] / len(units)
    split = np.where(place < options.test_fraction, TEST, TRAIN)
    is_validation = (place >= options.test_fraction) & (place < options.test_fraction + options.val_fraction)
    split = np.where(is_validation, VALIDATION, split)
    empty = [name for name in (TRAIN, VALIDATION, TEST) if not (split == name).any()]
    if empty:
        raise SourceError(
            f"the split of {len(units):,} nodes or groups leaves no link for {empty[0]}: raise the fractions, or "
            "set associations.split_rank to null"
        )
    return associations.assign(split=split)


def _virus_hosts() -> pd.DataFrame:
    hosts = NcbiPackage().hosts()
    links = [
        (str(node), INFECTS, group)
        for node, text in zip(hosts["id"], hosts["host"], strict=True)
        for group in host_groups(text)
    ]
    return pd.DataFrame(links, columns=list(COLUMNS))


def _read_file(file: Path) -> pd.DataFrame:
    separator = _SEPARATORS.get(file.suffix.lower())
    if separator is None or not file.is_file():
        raise SourceError(f"source.associations {file} is not a .csv or .tsv file, nor {VIRUS_HOST}")
    try:
        table = pd.read_csv(file, sep=separator, dtype=str, keep_default_na=False)
    except (ValueError, pd.errors.ParserError) as error:
        raise SourceError(f"{file.name} cannot be read: {str(error).splitlines()[0]}") from error
    table.columns = [str(column).strip().lower() for column in table.columns]
    missing = [column for column in COLUMNS if column not in table]
    if missing:
        raise SourceError(f"{file.name} has the columns {list(table.columns)}: it must have {', '.join(COLUMNS)}")
    table = table[list(COLUMNS)].apply(lambda column: column.str.strip())
    empty = (table == "").any(axis=1)
    if empty.any():
        raise SourceError(f"{file.name} has an empty cell in row {int(np.argmax(empty)) + 1}")
    return table
