import pytest

from terrarium.senses.options import GrowthOptions
from terrarium.senses.training.growth import GrowthState, decide_growth, record_growth

GIVEN = {
    "enabled": True,
    "max_dim": 512,
    "expand_interval": 2,
    "expand_by": 64,
    "rule": "need",
    "saturation_threshold": 0.3,
    "plateau_threshold": 0.01,
    "min_gain_per_doubling": 0.02,
    "new_column_energy": 0.001,
    "prune_threshold": 0.05,
}


def options(**changes):
    return GrowthOptions(**(GIVEN | changes))


def run(losses, active=1.0, dim=128, **changes):
    """Epochs after which columns are added, and the last state."""
    state, grown = GrowthState(), {}
    chosen = options(**changes)
    for epoch, loss in enumerate(losses, start=1):
        decision = decide_growth(chosen, state, epoch=epoch, dim=dim, active=active, validation_loss=loss, seed=0)
        state = decision.state
        if decision.add:
            grown[epoch] = decision.add
            state = record_growth(state, epoch=epoch, dim=dim, added=decision.add, validation_loss=loss)
            dim += decision.add
    return grown, state


def test_while_the_loss_falls_nothing_is_added():
    assert run([10 * 0.9**i for i in range(12)])[0] == {}


def test_a_stalled_loss_asks_for_columns():
    assert run([5.0] * 4)[0] == {4: 64}


def test_columns_that_do_nothing_are_no_reason_to_add_more():
    assert run([5.0] * 12, active=0.5)[0] == {}


def test_growth_ends_when_the_last_one_did_not_pay():
    grown, state = run([5.0] * 20)
    assert grown == {4: 64}
    assert "lowered the validation loss by 0.00%" in state.closed


def test_growth_goes_on_while_it_pays():
    losses = [5.0] * 4 + [4.0] * 4 + [3.2] * 6
    assert list(run(losses)[0]) == [4, 8, 12]
    assert list(run([*losses, *[3.2] * 6])[0]) == [4, 8, 12]


def test_the_largest_size_is_kept():
    grown, _ = run([5.0] * 30, rule="timetable", dim=400)
    assert grown == {2: 64, 4: 48}


def test_the_timetable_grows_at_every_check():
    assert list(run([5.0 - 0.1 * i for i in range(14)], rule="timetable")[0]) == [2, 4, 6, 8, 10, 12]


def test_random_growth_depends_on_the_seed_and_the_epoch_alone():
    first, again = run([5.0] * 30, rule="random", max_dim=4096)[0], run([5.0] * 30, rule="random", max_dim=4096)[0]
    assert first == again
    assert 0 < len(first) < 15


def test_switched_off_nothing_is_added():
    assert run([5.0] * 12, enabled=False)[0] == {}


def test_bad_growth_is_refused():
    with pytest.raises(ValueError, match="greater than 0"):
        options(expand_interval=0)
