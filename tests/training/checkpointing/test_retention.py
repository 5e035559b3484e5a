from hypothesis import given
from hypothesis import strategies as st

from terrarium.training.checkpointing.retention import Best, EveryKth, Last, dispensable


def test_policies_choose_what_they_name():
    best_of = {1: 1, 2: 2, 3: 2, 4: 2, 5: 5, 6: 5}
    assert Last(2).keep(best_of) == {5, 6}
    assert EveryKth(3).keep(best_of) == {3, 6}
    assert EveryKth(0).keep(best_of) == set()
    assert Best(1).keep(best_of) == {5}
    assert Best(3).keep(best_of) == {2, 5}
    assert dispensable([Last(1), EveryKth(4)], best_of) == {1, 2, 3, 5}
    assert dispensable([], {}) == set()


@given(st.lists(st.booleans(), max_size=40), st.integers(1, 6), st.integers(0, 5))
def test_every_newest_checkpoint_keeps_the_best_it_points_to(improves, count, step):
    saved: dict[int, int] = {}
    best = 1
    for epoch, improved in enumerate(improves, start=1):
        best = epoch if improved else best
        saved[epoch] = best if best in saved else epoch
        best = saved[epoch]
        for old in dispensable([Last(count), Best(count), EveryKth(step)], saved):
            del saved[old]
        newest = sorted(saved)[-count:]
        assert len(newest) == min(count, epoch)
        assert {saved[e] for e in newest} <= saved.keys()
