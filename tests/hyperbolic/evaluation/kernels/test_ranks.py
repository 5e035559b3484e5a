"""The scores by which ranks are counted."""

import numpy as np

from terrarium.hyperbolic.evaluation.kernels.ranks import new_scores, point_table, score_block
from terrarium.hyperbolic.geometry import ball as geometry
from tests.hyperbolic.trees import random_layout


def test_surrogates_are_the_scores() -> None:
    rng = np.random.default_rng(2)
    layout = random_layout(rng, 40, largest=30.0)
    scores = new_scores(40)
    for u in range(40):
        score_block(u, 0, 40, point_table(layout, 40), scores)
        args = (layout.radius[u], layout.direction[u], layout.radius, layout.direction)
        np.testing.assert_allclose(scores.distance, geometry.excess(*args), rtol=1e-12, atol=1e-300)
        np.testing.assert_allclose(np.log1p(scores.detour), geometry.detour(*args), rtol=1e-12, atol=1e-13)
