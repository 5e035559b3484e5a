from click.testing import CliRunner

from terrarium.cli import cli
from terrarium.training.checkpointing.store import TrainingStore

from ..project import ROOT
from ..training.toy import train, train_until


def prune(data_root, *options):
    """Output of `kedro terrarium prune`."""
    command = ["terrarium", "prune", "--env=test", f"--params=data_root={data_root}", *options]
    done = CliRunner().invoke(cli, command, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_it_lists_and_removes_trainings_of_all_families(tmp_path, monkeypatch):
    """Also where `data_root` has a bracket."""
    monkeypatch.chdir(ROOT)
    root = tmp_path / "a[b"
    finished = train(root / "06_models/senses/training_state").checkpoints
    unfinished = train_until(root / "06_models/hyperbolic/links/training_state", 3)
    finished.mark_archived(str(tmp_path))
    assert f"would remove {finished.folder} (finished after epoch 8" in prune(root, "--dry-run")
    assert "2 trainings to remove" in prune(root, "--dry-run", "--unarchived")
    assert finished.folder.exists()
    assert "1 trainings removed" in prune(root)
    assert (finished.folder.exists(), unfinished.exists()) == (False, True)
    assert f"removed {unfinished} (unfinished, reached epoch 2" in prune(root, "--unarchived")
    assert not unfinished.exists()
    assert prune(root).endswith("0 trainings removed\n")
    assert TrainingStore(unfinished.parent).folder.exists()
