"""Results with names: a long table, the original's JSON and CSV, and paths as sentences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from terrarium.influence.data.queries import named
from terrarium.influence.scoring.topk import Strongest
from terrarium.kge.data.graph import Triples

ENDS = ["head", "head_name", "relation", "relation_name", "tail", "tail_name"]
CSV = {"head": "Head", "head_name": "Head_label", "relation": "Rel", "relation_name": "Rel_label"}
CSV |= {"tail": "Tail", "tail_name": "Tail_label"}


def score_table(
    tests: pd.DataFrame,
    found: Strongest,
    train: Triples,
    self_influence: pd.Series,
    entities: pd.DataFrame,
    relations: pd.DataFrame,
) -> pd.DataFrame:
    """A row a test triple, side and rank; `self_influence` is that of training triples by their place.

    A side has fewer rows than were asked for where fewer training triples have its sign.

    Columns: test, test_head ... test_tail_name, test_self_influence, side, rank, place, train_head ... train_tail_name,
    score, self_influence.
    """
    tables = [_side(tests, name, *side, train, entities, relations) for name, side in found.sides.items()]
    table = pd.concat(tables, ignore_index=True)
    table["self_influence"] = self_influence.reindex(table["place"]).to_numpy()
    return table.sort_values(["test", "side", "rank"], ascending=[True, False, True], ignore_index=True)


def _side(
    tests: pd.DataFrame,
    name: str,
    places: np.ndarray,
    scores: np.ndarray,
    counted: np.ndarray,
    train: Triples,
    entities: pd.DataFrame,
    relations: pd.DataFrame,
) -> pd.DataFrame:
    test, rank = np.nonzero(counted)
    place = places[counted]
    asked = tests[[*ENDS, "self_influence"]].iloc[test].add_prefix("test_").reset_index(drop=True)
    own = pd.DataFrame({"test": test, "side": name, "rank": rank + 1, "place": place, "score": scores[counted]})
    edges = named(train[place], entities, relations)[ENDS].add_prefix("train_")
    return pd.concat([own, asked, edges], axis=1)


def as_json(scores: pd.DataFrame) -> list[dict[str, Any]]:
    """A list of triples asked about, each with its self-influence and its training triples, strongest first."""
    found = []
    for _, rows in scores.groupby("test", sort=True):
        first = rows.iloc[0]
        strongest = rows.sort_values("score", key=np.abs, ascending=False, kind="stable")
        found.append(
            {
                **{f"test_{name}": first[f"test_{name}"] for name in ENDS},
                "self_influence": float(first["test_self_influence"]),
                "influences": [_influence(row) for row in strongest.to_dict("records")],
            }
        )
    return found


def _influence(row: Any) -> dict[str, Any]:
    numbers = {"influence": float(row["score"]), "self_influence": float(row["self_influence"])}
    return {f"train_{name}": row[f"train_{name}"] for name in ENDS} | numbers


def as_csv(scores: pd.DataFrame) -> str:
    """The original's 14 columns."""
    names = {f"{kind}_{name}": f"{kind.title()}{label}" for kind in ("test", "train") for name, label in CSV.items()}
    names |= {"score": "TracInScore", "test_self_influence": "SelfInfluence"}
    return str(scores[list(names)].rename(columns=names).to_csv(index=False, lineterminator="\n"))


def sentence(row: Any, prefix: str = "train_") -> str:
    """head relation tail, by names."""
    return f"{row[f'{prefix}head_name']} {row[f'{prefix}relation_name']} {row[f'{prefix}tail_name']}"
