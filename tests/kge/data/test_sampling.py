import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from terrarium.kge.data.ancestors import Ancestors
from terrarium.kge.data.sampling import EntitySampler

ANCESTORS = Ancestors(np.array([1, 2, 2, 7, 9]), np.array([0, 0, 1, 12, 0]))
"""0 is the parent of 1 and 9, 1 of 2; 7 has the word 12."""


@given(st.integers(0, 99), st.lists(st.integers(0, 9), min_size=1), st.lists(st.integers(0, 9), min_size=1))
def test_a_sample_holds_all_that_a_batch_reads_and_stands_for_all_entities(seed, answers, queries):
    answers, queries = np.array(answers), np.array(queries)
    made = EntitySampler(10, 4, ANCESTORS).draw(np.random.default_rng(seed), answers, queries)
    assert np.array_equal(made.rows, np.unique(made.rows))
    for entities in (answers, queries):
        assert np.array_equal(made.rows[made.positions(entities)], entities)
    scored = made.rows[made.scored]
    assert len(set(scored)) == len(scored)
    assert (made.weight[np.isin(scored, answers)] == 1).all()
    if len(scored) > len(set(answers)):
        assert np.isclose(made.weight.sum(), 10)
    read = set(scored) | set(queries)
    pairs = {(e, a) for e, a in zip(*ANCESTORS, strict=True) if e in read}
    assert set(zip(made.rows[made.entity], made.rows[made.ancestor], strict=True)) == pairs


def test_the_drawn_entities_are_estimated_without_bias():
    """The mean of the weighted sum over many draws is the sum over all entities."""
    values, sampler, answers = np.arange(30.0), EntitySampler(30, 8, None), np.array([3, 4])
    rng = np.random.default_rng(0)
    sums = []
    for _ in range(3000):
        made = sampler.draw(rng, answers, answers)
        sums.append((values[made.rows[made.scored]] * made.weight).sum())
    assert abs(np.mean(sums) - values.sum()) < 4 * np.std(sums) / np.sqrt(len(sums))
