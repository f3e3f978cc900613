"""Track scores count what they say, clip by clip."""

import math

import pytest
import torch

from motes.evaluation.clips.tracks import QUESTION
from motes.types.truth import Truth

FRAMES = 12


def paths(clips=2):
    """Two things that move along rows of their own: centres of the truth, N 2 2."""
    time = torch.linspace(-0.7, 0.7, FRAMES)
    still = torch.full_like(time, 0.5)
    both = torch.stack([torch.stack([-still, time], -1), torch.stack([still, -time], -1)], 1)
    return both.repeat(clips, 1, 1)


def truth(centres, present=None):
    """Things with boxes of 8 pixels in pictures of 32."""
    present = torch.ones(centres.shape[:2], dtype=torch.bool) if present is None else present
    middle = (centres + 1) * 15.5
    boxes = torch.cat([middle - 3.5, middle + 3.5], -1)
    return Truth(present, centres, boxes=boxes)


def turned(position):
    """The particles of every second frame in the other order."""
    position = position.clone()
    position[1::2] = position[1::2].flip(1)
    return position


def test_followed_things_are_right_though_particles_change_their_numbers(numbers, make_particles, on_points):
    centres = paths()
    latent = make_particles(turned(on_points(centres)))
    scores = numbers(QUESTION, latent, truth(centres), frames=FRAMES)
    assert scores["mota"] == scores["idf1"] == pytest.approx(1)
    assert scores["hota"] == pytest.approx(1, abs=1e-4)
    assert scores["motp_px"] == pytest.approx(0, abs=1e-4)
    assert scores["switches_per_1000"] == 0
    assert math.isnan(scores["survived"])
    # by their numbers they exchange themselves in every frame but the first of each clip
    assert scores["number_switches_per_1000"] == pytest.approx(1000 * (FRAMES - 1) / FRAMES)
    assert scores["number_mota"] == pytest.approx(1 / FRAMES)
    assert scores["number_idf1"] == pytest.approx(0.5)


def test_missing_and_false_particles_lower_mota_as_they_count(numbers, make_particles, on_points):
    centres = paths(clips=1)
    position = torch.cat([on_points(centres), torch.zeros(FRAMES, 1, 2)], 1)
    presence = torch.ones(FRAMES, 3)
    presence[:, 1] = 0
    scores = numbers(QUESTION, make_particles(position, presence), truth(centres), frames=FRAMES)
    # one of two things is missed in all frames, and the particle in the middle is false in all
    assert scores["mota"] == pytest.approx(1 - (FRAMES + FRAMES) / (2 * FRAMES))
    assert scores["idf1"] == pytest.approx(0.5)
    assert scores["deta"] == pytest.approx(1 / 3, abs=1e-4)


def test_a_thing_that_comes_back_from_hiding_survives_if_its_track_does(numbers, make_particles, on_points):
    centres = paths(clips=1)
    present = torch.ones(FRAMES, 2, dtype=torch.bool)
    present[4:7, 0] = False
    scores = numbers(
        QUESTION, make_particles(on_points(centres), present.float()), truth(centres, present), frames=FRAMES
    )
    assert scores["survived"] == 1
    assert scores["mota"] == pytest.approx(1)


def test_distance_is_measured_in_diameters(numbers, make_particles, on_points):
    centres = paths(clips=1)
    # boxes are 8 pixels wide: two pixels are a quarter of that
    for off, right in ((1.9, 1.0), (2.1, -1.0)):
        position = on_points(centres) + torch.tensor([2 * off / 32, 0])
        scores = numbers(QUESTION, make_particles(position), truth(centres), frames=FRAMES)
        assert scores["mota"] == pytest.approx(right)
