"""Small artifacts that the tests of figures and report share."""

import numpy as np
import pandas as pd

from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.geometry.ball import Layout, norm_of_radius, to_ball
from terrarium.hyperbolic.layouts.initial import inherited_directions

NASTY = "Virus <b>&</b> \"x\" 'y' </script>"
RANKS = ("no rank", "class", "order", "family", "species")


def history(epochs: int = 4) -> pd.DataFrame:
    names = ("loss", "learning_rate", "seconds", "min_norm", "mean_norm", "max_norm", "fraction_outside")
    rows = {"epoch": np.arange(1, epochs + 1), **{name: np.linspace(0.9, 0.1, epochs) for name in names}}
    table = pd.DataFrame(rows).assign(depth_norm_pearson=np.nan)
    return table.assign(best=table["epoch"] == epochs)


def vectors(branching: int = 3, levels: int = 4, dim: int = 5) -> pd.DataFrame:
    """A full tree whose depths are ranks; one taxon has a name made to break HTML."""
    parents = [-1]
    start = 0
    for _ in range(levels):
        level = range(start, len(parents))
        start = len(parents)
        parents += [node for node in level for _ in range(branching)]
    tree = Hierarchy.from_parents(np.arange(len(parents)), np.array(parents))
    layout = Layout(0.5 * tree.depth.astype(float), inherited_directions(tree, dim, 0.3, 0))
    table = pd.DataFrame(
        {
            "id": tree.ids,
            "name": [f"taxon {i}" for i in tree.ids],
            "rank": [RANKS[min(depth, len(RANKS) - 1)] for depth in tree.depth],
            "depth": tree.depth,
            "parent": np.where(tree.parent < 0, -1, tree.ids[tree.parent]),
            "radius": layout.radius,
        }
    )
    table.loc[1, "name"] = NASTY
    points = pd.DataFrame(to_ball(layout), columns=[f"x{i}" for i in range(dim)])
    return pd.concat([table, points], axis=1)


def depths(table: pd.DataFrame) -> pd.DataFrame:
    radius = 0.6 * table["depth"]
    return pd.DataFrame(
        {"id": table["id"], "depth": table["depth"], "target_radius": radius, "target_norm": norm_of_radius(radius)}
    )


def rank_metrics(ranks: tuple[str, ...] = ("order", "family"), trained: float = 1.4) -> pd.DataFrame:
    columns = ("layout", "rank", "groups", "separation", "hop_separation", "purity", "purity_chance", "purity_ceiling")
    rows = [
        (layout, rank, 3, value, 1.9, value / 2, 0.2, 1.0)
        for layout, value in (("trained", trained), ("inherited", 1.2), ("random", 0.9))
        for rank in ranks
    ]
    return pd.DataFrame(rows, columns=columns)


def layout_metrics(trained: float = 0.9) -> pd.DataFrame:
    values = [trained, 0.4, 0.2]
    table = pd.DataFrame({"layout": ["trained", "inherited", "random"], "reconstruction_queries": [120.0, 50.0, 50.0]})
    more = dict.fromkeys(("ancestor_map_detour", "ancestor_map_distance", "edge_map", "depth_norm_pearson"), values)
    less = {name: [1.0 / v for v in values] for name in ("ancestor_mean_rank_detour", "ancestor_mean_rank_distance")}
    return table.assign(**more, **less, max_norm=0.9)


def metrics() -> dict[str, float]:
    shares = {f"{what}_difference_{k}": 0.5 for what in ("pairs", "fraction") for k in ("1", "2", "3_or_more")}
    precision = {
        f"{what}_{kind}": 0.0 for what in ("past_safe_radius", "duplicates") for kind in ("float64", "float32")
    }
    return {"taxa": 121.0, "max_depth": 4.0, "pairs": 426.0, "max_radius": 2.0, "max_norm": 0.76, **shares, **precision}


def misplaced() -> pd.DataFrame:
    row = ("family", 3, "Panthera tigris", "Felidae", 0.1, "Canidae", 0.9)
    return pd.DataFrame(
        [row], columns=["rank", "id", "name", "group", "own_fraction", "neighbour_group", "neighbour_fraction"]
    )


def radius_metrics() -> pd.DataFrame:
    names = ("ancestor_map_detour", "ancestor_map_distance", "edge_map", "hops_spearman")
    rows = [
        ("rays", radius, trained, precision, *([0.5 if precision == "float32" else 1.0] * len(names)))
        for radius in (34.0, 6.0)
        for trained in (False, True)
        for precision in ("float64", "float32")
    ]
    return pd.DataFrame(rows, columns=["layout", "max_radius", "trained", "precision", *names])
