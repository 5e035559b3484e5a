"""Write vectors in the formats of other tools."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terrarium.hyperbolic.use.embedding import HyperbolicEmbedding
from terrarium.kge.use.embedding import GraphEmbedding
from terrarium.scenes.use.embedding import SceneEmbedding
from terrarium.senses.use.embedding import SenseEmbedding
from terrarium.use.indexes import write_index

Embedding = HyperbolicEmbedding | SenseEmbedding | GraphEmbedding | SceneEmbedding
Vectors = NDArray[np.floating]
_CARD = """---
configs:
- config_name: default
  data_files: data/*.parquet
---
# {title}

{count:,} vectors in {dim} dimensions, written by Terrarium. Columns: {columns}.
"""


def table_of(embedding: Embedding, coordinates: str = "ball") -> tuple[pd.DataFrame, Vectors]:
    """Return what describes the rows of an embedding, and their vectors.

    Args:
        embedding: N rows.
        coordinates: of hyperbolic points. ball: tanh(r / 2) u; tangent: r u, the logarithmic map at the origin, which
            keeps large radii in float32; lorentz: (cosh r, sinh r u), one dimension more.

    Returns:
        A table of N rows whose first column is a unique name, and (N, d) values.

    Raises:
        ValueError: no such coordinates, or coordinates for another family.
    """
    if not isinstance(embedding, HyperbolicEmbedding):
        if coordinates != "ball":
            raise ValueError("these are vectors already: leave coordinates out")
        return _rows_of(embedding), embedding.vectors
    radius, direction = embedding.layout.radius[:, None], embedding.layout.direction
    match coordinates:
        case "ball":
            points = np.tanh(radius / 2.0) * direction
        case "tangent":
            points = radius * direction
        case "lorentz":
            points = np.hstack([np.cosh(radius), np.sinh(radius) * direction])
        case _:
            raise ValueError(f"no coordinates {coordinates!r}: use one of ball, tangent, lorentz")
    nodes = embedding.nodes.assign(radius=embedding.layout.radius)
    nodes.insert(0, "label", unique_names(nodes["name"].fillna(nodes["id"].astype(str)), nodes["id"]))
    return nodes, points


def _rows_of(embedding: SenseEmbedding | GraphEmbedding | SceneEmbedding) -> pd.DataFrame:
    if isinstance(embedding, SenseEmbedding):
        return embedding.senses
    return embedding.entities if isinstance(embedding, GraphEmbedding) else embedding.graphs


def unique_names(names: pd.Series, ids: pd.Series) -> pd.Series:
    """Return names that occur once; those of several rows get their id in parentheses."""
    repeated = names.duplicated(keep=False)
    return names.where(~repeated, names + " (" + ids.astype(str) + ")")


def write_word2vec(folder: Path, rows: pd.DataFrame, vectors: Vectors) -> list[Path]:
    """Write `vectors.txt` in the text format of word2vec; spaces in names become underscores."""
    path = folder / "vectors.txt"
    with path.open("w", encoding="utf-8") as file:
        file.write(f"{vectors.shape[0]} {vectors.shape[1]}\n")
        for name, vector in zip(_tokens(rows), vectors.tolist(), strict=True):
            file.write(f"{name} {' '.join(map(repr, vector))}\n")
    return [path]


def write_word2vec_binary(folder: Path, rows: pd.DataFrame, vectors: Vectors) -> list[Path]:
    """Write `vectors.bin` in the binary format of word2vec (float32); spaces in names become underscores."""
    path = folder / "vectors.bin"
    with path.open("wb") as file:
        file.write(f"{vectors.shape[0]} {vectors.shape[1]}\n".encode())
        for name, vector in zip(_tokens(rows), np.asarray(vectors, "<f4"), strict=True):
            file.write(f"{name} ".encode() + vector.tobytes() + b"\n")
    return [path]


def write_projector(folder: Path, rows: pd.DataFrame, vectors: Vectors) -> list[Path]:
    """Write `vectors.tsv`, `metadata.tsv` and `projector_config.pbtxt` for the Embedding Projector and TensorBoard."""
    tensors, metadata, config = folder / "vectors.tsv", folder / "metadata.tsv", folder / "projector_config.pbtxt"
    np.savetxt(tensors, vectors, delimiter="\t", fmt="%.9g")
    plain = rows.replace(r"[\t\r\n]", " ", regex=True)
    plain.to_csv(metadata, sep="\t", index=False)
    config.write_text(
        f'embeddings {{\n  tensor_path: "{tensors.name}"\n  metadata_path: "{metadata.name}"\n}}\n', encoding="utf-8"
    )
    return [tensors, metadata, config]


def write_parquet(folder: Path, rows: pd.DataFrame, vectors: Vectors) -> list[Path]:
    """Write `vectors.parquet`: what describes the rows, and columns x0, x1, ..."""
    path = folder / "vectors.parquet"
    _joined(rows, vectors).to_parquet(path, index=False)
    return [path]


def write_safetensors(folder: Path, rows: pd.DataFrame, vectors: Vectors) -> list[Path]:
    """Write `vectors.safetensors` with the tensor `vectors`, and `names.json`, a list in the same order."""
    from safetensors.numpy import save_file

    path, names = folder / "vectors.safetensors", folder / "names.json"
    save_file({"vectors": np.ascontiguousarray(vectors)}, path)
    names.write_text(json.dumps(rows.iloc[:, 0].tolist(), ensure_ascii=False), encoding="utf-8")
    return [path, names]


def write_qdrant(folder: Path, rows: pd.DataFrame, vectors: Vectors) -> list[Path]:
    """Write `points.jsonl`, one point a line: id (the row), vector and payload, as Qdrant's upsert takes them."""
    path = folder / "points.jsonl"
    payloads = json.loads(rows.to_json(orient="records", force_ascii=False, double_precision=15))
    with path.open("w", encoding="utf-8") as file:
        for row, (payload, vector) in enumerate(zip(payloads, vectors.tolist(), strict=True)):
            file.write(json.dumps({"id": row, "vector": vector, "payload": payload}, ensure_ascii=False) + "\n")
    return [path]


def write_datasets(folder: Path, rows: pd.DataFrame, vectors: Vectors) -> list[Path]:
    """Write a folder for `datasets.load_dataset`: `data/train-00000-of-00001.parquet` and a card."""
    card, path = folder / "README.md", folder / "data" / "train-00000-of-00001.parquet"
    path.parent.mkdir(exist_ok=True)
    rows.assign(vector=list(vectors)).to_parquet(path, index=False)
    columns = ", ".join([*rows.columns, "vector"])
    title = "Embeddings"
    card.write_text(_CARD.format(title=title, count=len(rows), dim=vectors.shape[1], columns=columns), encoding="utf-8")
    return [path, card]


def write_kgx(folder: Path, graph: GraphEmbedding, predictions: pd.DataFrame) -> list[Path]:
    """Write predictions as a graph in KGX's TSV format.

    Args:
        folder: an existing folder.
        graph: the model with its entities.
        predictions: `knowledge_graph.predictions`, with the columns head, relation, tail, score, rank and known.

    Returns:
        nodes.tsv (id, name, category) and edges.tsv (id, subject, predicate, object, knowledge_level, agent_type,
        score, rank), with the predictions that the graph does not know.
    """
    nodes, edges = folder / "nodes.tsv", folder / "edges.tsv"
    new = predictions[predictions["known"] == ""].reset_index(drop=True)
    table = pd.DataFrame(
        {
            "id": [f"terrarium:{number}" for number in range(len(new))],
            "subject": new["head"],
            "predicate": new["relation"],
            "object": new["tail"],
            "knowledge_level": "prediction",
            "agent_type": "computational_model",
            "score": new["score"],
            "rank": new["rank"],
        }
    )
    table.to_csv(edges, sep="\t", index=False)
    used = graph.entities[graph.entities["entity"].isin(pd.concat([new["head"], new["tail"]]))]
    named = used[["entity", "name", "category"]].rename(columns={"entity": "id"})
    named.assign(category=named["category"].replace("", "biolink:NamedThing")).to_csv(nodes, sep="\t", index=False)
    return [nodes, edges]


def write_newick(folder: Path, embedding: HyperbolicEmbedding) -> list[Path]:
    """Write `tree.nwk`: the tree of first parents, with hyperbolic distances as branch lengths."""
    tree, layout = embedding.tree, embedding.layout
    from terrarium.hyperbolic.geometry.ball import pairwise

    child = np.arange(1, len(tree))
    length = np.append(0.0, pairwise(layout, child, tree.parent[1:].astype(np.int64)))
    text = [""] * len(tree)
    below: list[list[str]] = [[] for _ in range(len(tree))]
    for row in range(len(tree) - 1, -1, -1):
        inner = f"({','.join(reversed(below[row]))})" if below[row] else ""
        text[row] = f"{inner}{_newick_label(embedding.name_of(row))}" + (f":{length[row]:.9g}" if row else ";\n")
        if row:
            below[tree.parent[row]].append(text[row])
        below[row] = []
    path = folder / "tree.nwk"
    path.write_text(text[0], encoding="utf-8")
    return [path]


WRITERS: dict[str, Callable[[Path, pd.DataFrame, Vectors], list[Path]]] = {
    "word2vec": write_word2vec,
    "word2vec-binary": write_word2vec_binary,
    "projector": write_projector,
    "parquet": write_parquet,
    "safetensors": write_safetensors,
    "qdrant": write_qdrant,
    "datasets": write_datasets,
}
INDEXES = ("faiss", "hnswlib")
FORMATS = (*WRITERS, *INDEXES, "newick")


def export(embedding: Embedding, form: str, folder: str | Path, coordinates: str = "ball") -> list[Path]:
    """Write an embedding in the format of another tool.

    Args:
        embedding: what `terrarium.load` returned.
        form: one of `FORMATS`; newick for hierarchies only.
        folder: where to write; made if it does not exist. Files of the same names are replaced.
        coordinates: of hyperbolic points, see `table_of`.

    Returns:
        The files.

    Raises:
        ValueError: no such format, or it does not fit the embedding.
    """
    if form not in FORMATS:
        raise ValueError(f"no format {form!r}: use one of {', '.join(FORMATS)}")
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    if form == "newick":
        if not isinstance(embedding, HyperbolicEmbedding):
            raise ValueError("newick is for hierarchies; this family has none")
        return write_newick(target, embedding)
    if form in INDEXES:
        names = table_of(embedding)[0].iloc[:, 0].astype(str).tolist()
        points = (
            embedding.layout
            if isinstance(embedding, HyperbolicEmbedding)
            else np.asarray(embedding.vectors, np.float32)
        )
        return write_index(target, form, names, points)
    return WRITERS[form](target, *table_of(embedding, coordinates))


def _tokens(rows: pd.DataFrame) -> list[str]:
    """Return the names without white space; those that then collide get a number."""
    names = rows.iloc[:, 0].astype(str).str.replace(r"\s+", "_", regex=True)
    count = names.groupby(names).cumcount()
    return names.where(count == 0, names + "_" + count.astype(str)).tolist()


def _joined(rows: pd.DataFrame, vectors: Vectors) -> pd.DataFrame:
    columns = pd.DataFrame(vectors, columns=[f"x{i}" for i in range(vectors.shape[1])], index=rows.index)
    return pd.concat([rows, columns], axis=1)


def _newick_label(name: str) -> str:
    """Return a quoted label; a quote inside is doubled."""
    doubled = name.replace("'", "''")
    return f"'{doubled}'"
