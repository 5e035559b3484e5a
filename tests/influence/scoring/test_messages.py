import pytest

from terrarium.influence.scoring.messages import warn_about_late_checkpoints


@pytest.mark.parametrize(("epochs", "warns"), [([12, 13, 14], True), ([3, 6, 13, 14], False), ([14], False)])
def test_only_late_checkpoints_are_warned_about(epochs, warns, caplog):
    warn_about_late_checkpoints(epochs)
    assert ("keep_every" in caplog.text) == warns
