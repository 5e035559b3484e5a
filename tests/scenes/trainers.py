"""Trainers of the small scenes of the tests."""

from terrarium.scenes.training.trainer import SceneTrainer
from terrarium.training.checkpointing.store import TrainingStore
from terrarium.training.fit import fit
from tests.scenes.scenery import options, problem


def make(**changes):
    chosen = options(**changes)
    return SceneTrainer(problem(chosen), chosen.model, chosen.training), chosen


def train(folder, epochs=3, **changes):
    trainer, chosen = make(training__max_epochs=epochs, **changes)
    return fit(trainer, options=chosen.training, store=TrainingStore(folder), fingerprint={"data": "small"})
