"""Correlations against scipy, and norms."""

import numpy as np
import pytest
from scipy import stats

from terrarium.common.statistics import pearson, spearman
from terrarium.hyperbolic.evaluation.norms import depth_correlations, norm_statistics
from terrarium.hyperbolic.geometry.ball import norm_of_radius
from terrarium.training.progress import _SHOWN_IN_LOG, _numbers


def test_equals_scipy() -> None:
    rng = np.random.default_rng(0)
    depth = rng.integers(0, 9, 500).astype(np.int16)
    radius = depth + rng.uniform(0.0, 3.0, 500)
    found = depth_correlations(depth, radius)
    assert found["depth_norm_pearson"] == pytest.approx(stats.pearsonr(depth, norm_of_radius(radius))[0])
    assert found["depth_norm_spearman"] == pytest.approx(stats.spearmanr(depth, norm_of_radius(radius))[0])
    assert found["depth_radius_pearson"] == pytest.approx(stats.pearsonr(depth, radius)[0])
    assert found["depth_radius_spearman"] == pytest.approx(stats.spearmanr(depth, radius)[0])


def test_radius_in_proportion_to_depth_gives_1() -> None:
    depth = np.arange(20)
    found = depth_correlations(depth, depth * 1.7)
    assert found["depth_radius_pearson"] == pytest.approx(1.0)
    assert found["depth_radius_spearman"] == pytest.approx(1.0)
    assert found["depth_norm_pearson"] < 0.8


def test_a_constant_side_gives_0() -> None:
    assert pearson(np.arange(5), np.full(5, 0.3)) == 0.0
    assert spearman(np.full(5, 2), np.arange(5)) == 0.0


def test_norms_are_judged_in_their_dtype() -> None:
    norm = np.array([0.0, 0.5, 1.0 - 1e-9, 1.25])
    wide, narrow = (norm_statistics(np.arange(4), values) for values in (norm, norm.astype(np.float32)))
    assert wide["min_norm"] == 0.0
    assert wide["max_norm"] == 1.25
    assert wide["mean_norm"] == pytest.approx((0.5 + 1.0 + 1.25) / 4)
    assert wide["fraction_outside"] == 0.25
    assert narrow["fraction_outside"] == 0.5


def test_a_norm_that_is_not_a_number_counts_as_outside() -> None:
    assert norm_statistics(np.arange(2), np.array([np.nan, 0.1]))["fraction_outside"] == 0.5


def test_the_line_of_an_epoch_shows_the_mean_norm() -> None:
    first = _numbers({"loss": 1.0, **norm_statistics(np.arange(3), np.array([0.1, 0.5, 0.9]))}, _SHOWN_IN_LOG)
    assert "mean_norm 0.5" in first
