from terrarium.scenes.training.run_log import format_log
from tests.scenes.scenery import options
from tests.scenes.trainers import train


def test_the_log_has_one_line_per_epoch(tmp_path):
    chosen = options()
    text = format_log(train(tmp_path).history, chosen.training)
    assert len(text.splitlines()) == 4
    for part in ("epoch 3, cycle 1", "warm-up factor 1.000", "learning rate", "patience", "best so far: saved"):
        assert part in text
