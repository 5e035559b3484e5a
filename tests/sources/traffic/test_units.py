import numpy as np
import pandas as pd
import pytest

from terrarium.sources.errors import SourceError
from terrarium.sources.traffic.units import check_clocks, check_units, snap_times


@pytest.fixture
def tracks():
    """Two road users at 5 and 10 m/s along x, at 10 Hz for two seconds."""
    time = np.arange(20) / 10
    return pd.concat(
        pd.DataFrame(
            {
                "source": "a", "scene": "s", "actor": actor, "time_s": time, "x_m": speed * time, "y_m": 0.0,
                "speed_mps": speed, "heading_rad": 0.0,
            }
        )
        for actor, speed in (("1", 5.0), ("2", 10.0))
    ).reset_index(drop=True)  # fmt: skip


@pytest.mark.parametrize(
    ("column", "factor", "message"),
    [
        ("time_s", 1e9, "time_s is in nanoseconds: divide it by 1e9"),
        ("time_s", 1e6, "time_s is in microseconds"),
        ("time_s", 1e3, "time_s is in milliseconds: divide it by 1,000"),
        ("speed_mps", 3.6, "speed_mps is in km/h: divide it by 3.6"),
        ("speed_mps", 2.237, "speed_mps is in miles per hour"),
        ("speed_mps", 1.944, "speed_mps is in knots"),
        ("x_m", 100.0, r"move 100 times as far as speed_mps and time_s say: check the units"),
    ],
)
def test_other_units_are_told_by_displacement_and_speed(tracks, column, factor, message):
    check_units(tracks)
    with pytest.raises(SourceError, match=message):
        check_units(tracks.assign(**{column: tracks[column] * factor}))


def test_degrees_are_told_by_angles_above_2_pi(tracks):
    check_units(tracks.assign(heading_rad=2 * np.pi))
    with pytest.raises(SourceError, match="convert it from degrees to radians"):
        check_units(tracks.assign(heading_rad=90.0))


@pytest.mark.parametrize("factor", [1e9, 1e12])
def test_a_scene_of_standing_road_users_that_lasts_for_years_is_refused(tracks, factor):
    standing = tracks.assign(speed_mps=0.0, x_m=0.0, time_s=tracks["time_s"] * factor)
    with pytest.raises(SourceError, match=r"a scene of a lasts .* check that time_s is in seconds"):
        check_units(standing)


def test_few_steps_and_standing_road_users_are_not_judged(tracks):
    check_units(tracks.iloc[:5].assign(speed_mps=50.0))
    check_units(tracks.assign(speed_mps=0.0))


def test_times_that_were_rounded_differently_are_one_instant(tracks):
    summed = np.cumsum(np.full(20, np.float32(0.1)), dtype=np.float32) - np.float32(0.1)
    noisy = tracks["time_s"].where(tracks["actor"] == "1", np.concatenate([summed, summed]).astype(float))
    assert noisy.nunique() > 20
    snapped = snap_times(tracks.assign(time_s=noisy))
    assert snapped["time_s"].nunique() == 20
    assert np.allclose(snapped["time_s"], tracks["time_s"], atol=1e-5)


def test_other_times_stay_to_the_last_bit(tracks):
    assert snap_times(tracks)["time_s"].equals(tracks["time_s"])
    irregular = tracks.assign(time_s=np.cumsum(np.tile([0.05, 0.3], 20)))
    assert snap_times(irregular)["time_s"].equals(irregular["time_s"])


def test_two_rows_of_a_road_user_at_one_instant_are_told(tracks):
    again = tracks.iloc[[3]].assign(time_s=0.3000001)
    with pytest.raises(SourceError, match=r"actor 1 of scene s of a has two rows at 0.30*1? s"):
        snap_times(pd.concat([tracks, again], ignore_index=True))


def test_clocks_that_are_apart_are_told(tracks):
    check_clocks(tracks)
    late = tracks["time_s"] + 0.03 * (tracks["actor"] == "2")
    with pytest.raises(SourceError, match=r"scene s of a: the clocks of actor 1 and actor 2 are 0.03 s apart"):
        check_clocks(tracks.assign(time_s=late))


def test_holes_and_uneven_steps_that_all_share_are_no_other_clock(tracks):
    rng = np.random.default_rng(0)
    check_clocks(tracks[rng.random(len(tracks)) < 0.7])
    uneven = np.cumsum(rng.uniform(0.03, 0.17, 20))
    check_clocks(tracks.assign(time_s=np.concatenate([uneven, uneven])))
    check_clocks(tracks[tracks["actor"] == "1"])
