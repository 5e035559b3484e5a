"""Exports are read back by the readers of the tools that they are for."""

import json

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file

from terrarium.hyperbolic.use.embed import embed
from terrarium.hyperbolic.use.embedding import HyperbolicEmbedding
from terrarium.senses.use.embedding import SenseEmbedding
from terrarium.use.exports import FORMATS, WRITERS, export, table_of, unique_names

PAIRS = [("big cat", "cats"), ("house cat", "cats"), ("cats", "mammals"), ("it's a dog", "mammals")]


@pytest.fixture(scope="module")
def cats():
    return embed(PAIRS, dim=3, max_radius=8.0)


@pytest.fixture(scope="module")
def senses():
    vectors = pd.DataFrame(
        {
            "sense_key": ["a%1", "b%1"],
            "lemma": ["a", "b"],
            "pos": "n",
            "sense_number": 1,
            "synset": ["a.n.01", "b.n.01"],
        }
    )
    vectors[["x0", "x1"]] = np.array([[1, 0], [0, 2]], np.float32)
    return SenseEmbedding(vectors, pd.DataFrame({"synset": vectors["synset"], "gloss": ["tab\tin it", "x"]}))


@pytest.mark.parametrize("form", ["word2vec", "word2vec-binary"])
def test_gensim_reads_word2vec(cats, tmp_path, form):
    keyed = pytest.importorskip("gensim.models.keyedvectors", reason="pip install gensim")
    (file,) = export(cats, form, tmp_path)
    vectors = keyed.KeyedVectors.load_word2vec_format(file, binary=form == "word2vec-binary")
    assert len(vectors) == len(cats)
    assert vectors["house_cat"] == pytest.approx(cats.vector("house cat"), rel=1e-6)


def test_word2vec_text_has_a_header_and_one_line_a_row(cats, tmp_path):
    (file,) = export(cats, "word2vec", tmp_path)
    first, *lines = file.read_text(encoding="utf-8").splitlines()
    assert first == f"{len(cats)} 3"
    read = {name: np.array(values, float) for name, *values in (line.split(" ") for line in lines)}
    assert (read["it's_a_dog"] == cats.vector("it's a dog")).all()


def test_word2vec_binary_has_the_bytes_of_each_row(cats, tmp_path):
    (file,) = export(cats, "word2vec-binary", tmp_path)
    content = file.read_bytes()
    assert content.startswith(f"{len(cats)} 3\n".encode())
    assert b"house_cat " + cats.vector("house cat").astype("<f4").tobytes() + b"\n" in content


def test_the_projector_gets_as_many_lines_as_points_and_a_header(senses, tmp_path):
    tensors, metadata, config = export(senses, "projector", tmp_path)
    assert (np.loadtxt(tensors, delimiter="\t") == senses.vectors).all()
    lines = metadata.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 1 + len(senses)
    assert all(line.count("\t") == lines[0].count("\t") for line in lines)
    assert '"vectors.tsv"' in config.read_text(encoding="utf-8")


def test_parquet_and_safetensors_keep_every_bit(cats, tmp_path):
    (table,) = export(cats, "parquet", tmp_path)
    tensors, names = export(cats, "safetensors", tmp_path)
    read = pd.read_parquet(table)
    _, points = table_of(cats)
    assert (read[["x0", "x1", "x2"]].to_numpy() == points).all()
    assert (load_file(tensors)["vectors"] == points).all()
    assert json.loads(names.read_text(encoding="utf-8")) == read["label"].tolist()


def test_tensorboard_reads_the_projector(cats, tmp_path):
    plugin = pytest.importorskip("tensorboard.plugins.projector", reason="pip install tensorboard")
    from google.protobuf import text_format

    tensors, metadata, config = export(cats, "projector", tmp_path)
    read = plugin.ProjectorConfig()
    text_format.Parse(config.read_text(encoding="utf-8"), read)
    (told,) = read.embeddings
    assert (tmp_path / told.tensor_path, tmp_path / told.metadata_path) == (tensors, metadata)


def test_dendropy_reads_newick(cats, tmp_path):
    dendropy = pytest.importorskip("dendropy", reason="pip install dendropy")
    (file,) = export(cats, "newick", tmp_path)
    tree = dendropy.Tree.get(path=str(file), schema="newick", suppress_internal_node_taxa=False)
    lengths = {node.taxon.label: node.edge_length for node in tree.preorder_node_iter()}
    assert set(lengths) == {cats.name_of(row) for row in range(len(cats))}
    assert lengths["house cat"] == pytest.approx(cats.distance("cats", "house cat"))


def test_predictions_are_a_graph_in_kgx(tmp_path):
    from terrarium.kge.data.ingestion import read_graph
    from terrarium.kge.use.embedding import GraphEmbedding
    from terrarium.use.exports import write_kgx
    from tests.kge.graphs import options
    from tests.kge.use.test_trained import trained_family

    graph = GraphEmbedding(trained_family())
    found = graph.predict("p01", "lives_in", k=3, known=True)
    table = found.rename(columns={"entity": "tail"}).assign(head="p01", relation="lives_in")
    write_kgx(tmp_path, graph, table)
    source = options().source.model_copy(
        update={"path": str(tmp_path), "kind": "kgx", "nodes": "nodes.tsv", "edges": "edges.tsv"}
    )
    read = read_graph(source)
    new = set(found["entity"][found["known"] == ""])
    assert set(read.triples["tail"]) == new
    assert set(read.triples["head"]) <= {"p01"}


def test_qdrant_gets_an_id_a_vector_and_a_payload_a_line(cats, tmp_path):
    (file,) = export(cats, "qdrant", tmp_path)
    points = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert [point["id"] for point in points] == list(range(len(cats)))
    assert points[1]["payload"]["name"] == cats.name_of(1)
    assert np.array(points[1]["vector"]) == pytest.approx(cats.vector(cats.name_of(1)))


def test_hugging_face_reads_the_folder(cats, tmp_path):
    datasets = pytest.importorskip("datasets", reason="pip install datasets")
    export(cats, "datasets", tmp_path / "out")
    read = datasets.load_dataset(str(tmp_path / "out"), split="train", cache_dir=str(tmp_path / "cache"))
    assert read["name"] == cats.nodes["name"].tolist()
    assert np.array(read["vector"]).shape == (len(cats), 3)


def test_the_folder_for_hugging_face_has_a_card_that_names_its_files(cats, tmp_path):
    table, card = export(cats, "datasets", tmp_path)
    assert table.relative_to(tmp_path).match("data/*.parquet")
    assert "data_files: data/*.parquet" in card.read_text(encoding="utf-8")
    assert np.stack(pd.read_parquet(table)["vector"].to_list()).shape == (len(cats), 3)


def test_newick_has_the_edges_and_their_lengths(cats, tmp_path):
    (file,) = export(cats, "newick", tmp_path)
    graph = read_newick(file.read_text(encoding="utf-8"))
    assert set(graph.edges) == {(parent, child) for child, parent in PAIRS}
    assert graph["cats"]["house cat"]["length"] == pytest.approx(cats.distance("cats", "house cat"))


def read_newick(text: str) -> nx.DiGraph:
    """Read quoted Newick with lengths by a stack, apart from the writer."""
    graph, stack, ready, at = nx.DiGraph(), [[]], [], 0
    while text[at] != ";":
        if text[at] == "(":
            stack.append([])
        elif text[at] == ")":
            ready = stack.pop()
        elif text[at] == "'":
            end = at + 1
            while text[end] != "'" or text[end + 1] == "'":
                end += 2 if text[end] == "'" else 1
            name, at = text[at + 1 : end].replace("''", "'"), end + 1
            length = 0.0
            if text[at] == ":":
                end = min(i for i in (text.find(",", at), text.find(")", at), len(text)) if i > 0)
                length, at = float(text[at + 1 : end]), end
            for child, size in ready:
                graph.add_edge(name, child, length=size)
            stack[-1].append((name, length))
            ready = []
            continue
        at += 1
    return graph


@pytest.mark.parametrize("coordinates", ["ball", "tangent", "lorentz"])
def test_coordinates_are_those_of_the_points(cats, coordinates):
    _, points = table_of(cats, coordinates)
    radius = cats.layout.radius
    if coordinates == "lorentz":
        inner = -(points[:, 0] ** 2) + (points[:, 1:] ** 2).sum(axis=1)
        assert inner == pytest.approx(-np.ones(len(cats)), abs=1e-6)
        assert np.arccosh(points[:, 0]) == pytest.approx(radius, abs=1e-6)
    else:
        norm = np.linalg.norm(points, axis=1)
        assert norm == pytest.approx(np.tanh(radius / 2) if coordinates == "ball" else radius)


def test_repeated_names_are_told_apart_by_their_ids(cats):
    names = unique_names(pd.Series(["a", "b", "a"]), pd.Series([1, 2, 3]))
    assert names.tolist() == ["a (1)", "b", "a (3)"]
    twins = HyperbolicEmbedding(cats.nodes.assign(name="twin"), cats.tree, cats.layout)
    assert table_of(twins)[0]["label"].is_unique


def test_what_does_not_fit_is_refused(cats, senses, tmp_path):
    with pytest.raises(ValueError, match="no format 'excel': use one of word2vec"):
        export(cats, "excel", tmp_path)
    with pytest.raises(ValueError, match="newick is for hierarchies"):
        export(senses, "newick", tmp_path)
    with pytest.raises(ValueError, match="no coordinates 'disk'"):
        table_of(cats, "disk")
    with pytest.raises(ValueError, match="leave coordinates out"):
        table_of(senses, "tangent")


def test_the_command_offers_the_formats_that_there_are():
    from terrarium.commands.export import FORMATS as offered

    assert tuple(offered) == (*FORMATS, "kgx")
    assert (*WRITERS, "faiss", "hnswlib", "newick") == FORMATS
