import pytest

from terrarium.senses.options import GrowthOptions
from terrarium.senses.training.growth import GrowthState, decide_growth

GIVEN = {
    "enabled": True,
    "max_dim": 512,
    "expand_interval": 2,
    "expand_by": 64,
    "rule": "need",
    "plateau_threshold": 0.01,
    "min_gain_per_doubling": 0.02,
    "new_column_energy": 0.001,
    "prune_threshold": 0.05,
}


def options(**changes):
    return GrowthOptions(**(GIVEN | changes))


def run(losses, trial=0.0, dim=128, **changes):
    """Epochs after which columns are added; `trial` is the fraction by which columns lower the loss at once."""
    state, grown = GrowthState(), {}
    chosen = options(**changes)
    for epoch, loss in enumerate(losses, start=1):
        decision = decide_growth(
            chosen,
            state,
            epoch=epoch,
            dim=dim,
            validation_loss=loss,
            trial_loss=lambda count, loss=loss: loss * (1 - trial),
            seed=0,
        )
        state = decision.state
        if decision.add:
            grown[epoch] = decision.add
            state = GrowthState(epoch)
            dim += decision.add
    return grown


def test_columns_are_added_when_they_lower_the_loss_by_enough_per_doubling():
    """128 + 64 is 0.585 doublings: 2 % per doubling are 1.17 %."""
    assert run([5.0] * 3, trial=0.0118) == {2: 64}
    assert run([5.0] * 3, trial=0.0116) == {}


def test_a_size_that_still_gains_is_kept():
    """Checks are after epochs 2, 4 and 6; between the first two the loss falls by 4 %."""
    falling = [5.0, 5.0, 4.9, 4.8, 4.8, 4.8]
    state, epochs = GrowthState(), []
    for epoch, loss in enumerate(falling, start=1):
        given = {"dim": 128, "validation_loss": loss, "trial_loss": lambda count: 0.0, "seed": 0}
        decision = decide_growth(options(), state, epoch=epoch, **given)
        state = decision.state
        epochs += [epoch] if decision.add else []
    assert epochs == [2, 6]


def test_the_trial_costs_nothing_between_checks_and_at_the_largest_size():
    def fail(count):
        raise AssertionError

    for epoch, dim in ((1, 128), (3, 128), (2, 512)):
        given = {"dim": dim, "validation_loss": 5.0, "trial_loss": fail, "seed": 0}
        assert decide_growth(options(), GrowthState(), epoch=epoch, **given).add == 0


def test_the_largest_size_is_kept():
    grown = run([5.0] * 30, rule="timetable", dim=400)
    assert grown == {2: 64, 4: 48}


def test_the_timetable_grows_at_every_check():
    assert list(run([5.0 - 0.1 * i for i in range(14)], rule="timetable")) == [2, 4, 6, 8, 10, 12]


def test_random_growth_depends_on_the_seed_and_the_epoch_alone():
    first, again = (run([5.0] * 30, rule="random", max_dim=4096) for _ in range(2))
    assert first == again
    assert 0 < len(first) < 15


def test_switched_off_nothing_is_added():
    assert run([5.0] * 12, trial=0.5, enabled=False) == {}


def test_bad_growth_is_refused():
    with pytest.raises(ValueError, match="greater than 0"):
        options(expand_interval=0)
