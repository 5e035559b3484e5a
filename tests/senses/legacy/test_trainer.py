import logging

import pandas as pd
import pytest

from terrarium.senses.legacy.data import EDGE_RELATIONS, build_edges, build_items
from terrarium.senses.legacy.trainer import ReferenceTrainer
from terrarium.senses.training.memory import OutOfMemoryError
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
