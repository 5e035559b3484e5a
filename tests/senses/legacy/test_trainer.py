import itertools
import logging
import os

import numpy as np
import pandas as pd
import pytest
import torch

from terrarium.senses.data.ingestion import read_lexicon
from terrarium.senses.data.relations import RELATIONS
from terrarium.senses.legacy.data import EDGE_RELATIONS, build_edges, build_items
from terrarium.senses.legacy.kernel import adam_step, add_gradient
from terrarium.senses.legacy.trainer import ReferenceTrainer
from terrarium.senses.options import SourceOptions
from terrarium.senses.training.memory import OutOfMemoryError
from terrarium.sources.errors import SourceError
from terrarium.sources.wordnet import find_wordnet
from terrarium.training.checkpointing.store import TrainingStore
from terrarium.training.fit import fit
from tests.senses.lexicon import options, tables
from tests.training.toy import same


@pytest.fixture(scope="module")
def data():
    made = tables()
    items = build_items(made["synsets"], made["senses"])
    return items, build_edges(items, made["senses"], made["relations"])


def chosen(**changes):
    return options(**{f"reference__{name}": value for name, value in changes.items()}).reference


def train(folder, data, **changes):
    given = chosen(**changes)
    trainer = ReferenceTrainer(*data, given.model, given.training)
    return fit(trainer, options=given.training, store=TrainingStore(folder), fingerprint={"data": "small"})


@pytest.mark.slow
def test_wordnet_gives_naomi2s_counts():
    try:
        folder = find_wordnet()
    except SourceError as error:
        assert not os.environ.get("CI"), "WordNet is missing: .ci/run installs it"
        pytest.skip(str(error))
    lexicon = read_lexicon(SourceOptions(path=str(folder), relations=None, similarity={}))
    items = build_items(lexicon.synsets, lexicon.senses)
    edges = build_edges(items, lexicon.senses, lexicon.relations)
    counts = edges["relation"].value_counts()
    assert len(items) == 157_306
    assert len(edges) == 15_671_914
    assert counts[EDGE_RELATIONS.index("hypernym")] == counts[EDGE_RELATIONS.index("hyponym")] == 2_138_929
    assert counts[EDGE_RELATIONS.index("meronym")] == counts[EDGE_RELATIONS.index("holonym")] == 5_270_436
    assert counts[EDGE_RELATIONS.index("similar")] == 853_184
    assert EDGE_RELATIONS.index("antonym") not in counts


def test_edges_are_the_product_of_prefixes(data):
    items, edges = data
    made = tables()
    names = items["item"].tolist()
    first = made["senses"].drop_duplicates("synset_row").set_index("synset_row")["lemma"]
    expected = []
    taxonomic = made["relations"][made["relations"]["relation"] == RELATIONS.index("hypernym")]
    for head, tail in zip(taxonomic["head"], taxonomic["tail"], strict=True):
        ends = [[i for i, n in enumerate(names) if n.startswith(f"{first[row]}_")] for row in (head, tail)]
        expected += itertools.product(*ends)
    found = edges[edges["relation"] == EDGE_RELATIONS.index("hypernym")]
    assert sorted(zip(found["head"], found["tail"], strict=True)) == sorted(expected)
    mirrored = edges[edges["relation"] == EDGE_RELATIONS.index("hyponym")]
    assert sorted(zip(mirrored["tail"], mirrored["head"], strict=True)) == sorted(expected)


def test_without_relations_there_is_nothing_to_train_on(data):
    made = tables()
    with pytest.raises(SourceError, match="there are no edges"):
        build_edges(data[0], made["senses"], made["relations"][:0])


def test_the_kernel_is_the_loss_and_its_gradient():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(7, 5)).astype(np.float32)
    head, tail = rng.integers(0, 7, 20).astype(np.int32), rng.integers(0, 7, 20).astype(np.int32)
    target = rng.random(20).astype(np.float32)
    gradient = np.zeros_like(rows)
    total = add_gradient(rows, head, tail, target, 1 / 20, gradient)
    x = torch.from_numpy(rows).double().requires_grad_()
    apart = head != tail
    distance = (x[head[apart]] - x[tail[apart]]).norm(dim=1)
    same = float((target[~apart] ** 2).sum())
    loss = ((distance - torch.from_numpy(target[apart])) ** 2).sum()
    assert total == pytest.approx(loss.item() + same, rel=1e-5)
    (loss / 20).backward()
    assert np.allclose(gradient, x.grad.numpy(), atol=1e-5)


def test_the_step_is_torchs_adam_with_clipping():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(6, 4)).astype(np.float32)
    first, second = np.zeros_like(rows), np.zeros_like(rows)
    x = torch.nn.Parameter(torch.from_numpy(rows.copy()))
    adam = torch.optim.Adam([x], lr=0.05)
    for step in range(1, 6):
        gradient = rng.normal(size=rows.shape).astype(np.float32)
        x.grad = torch.from_numpy(gradient.copy()) + 0.1 * torch.sign(x.detach())
        torch.nn.utils.clip_grad_norm_([x], 1.0)
        adam.step()
        adam_step(rows, gradient, first, second, step, 0.05, 1.0, 0.1)
        assert (gradient == 0).all()
    assert np.allclose(rows, x.detach().numpy(), atol=1e-5)


def test_growth_always_happens_and_resets_the_optimizer(tmp_path, data, caplog):
    caplog.set_level(logging.INFO)
    history = train(tmp_path, data).history
    assert history["dim"].tolist() == [24, 24, 40, 40]
    assert "Reinitialized optimizer with new dimensions" in caplog.text
    assert "[Epoch 2] Adding 16 dimensions (24 -> 40)" in caplog.text


def test_a_resumed_training_equals_an_uninterrupted_one(tmp_path, data):
    whole = train(tmp_path / "whole", data)
    store = TrainingStore(tmp_path / "killed")
    given = chosen()
    trainer = ReferenceTrainer(*data, given.model, given.training)
    epoch = trainer.epoch

    def killed(number):
        if number == 4:
            raise KeyboardInterrupt
        return epoch(number)

    trainer.epoch = killed
    with pytest.raises(KeyboardInterrupt):
        fit(trainer, options=given.training, store=store, fingerprint={"data": "small"})
    again = ReferenceTrainer(*data, given.model, given.training)
    assert same(whole, fit(again, options=given.training, store=store, fingerprint={"data": "small"}))


def test_what_will_not_fit_is_refused(data):
    given = chosen(training__memory_limit_gb=1e-6)
    with pytest.raises(OutOfMemoryError, match="40 dimensions need"):
        ReferenceTrainer(*data, given.model, given.training)


def test_an_edge_of_a_relation_without_target_is_an_error_of_the_options(data):
    items, edges = data
    assert set(edges["relation"]) <= {EDGE_RELATIONS.index(name) for name in chosen().training.targets}
    assert isinstance(items, pd.DataFrame)
