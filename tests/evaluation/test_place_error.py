"""Place errors: a habit is told from noise, and what the particle itself tells of its error is measured on pictures held out."""

import math

import pytest
import torch

from motes.evaluation.objects import QUESTION
from motes.types.truth import Truth

SIZE = (64, 64)
COUNT = 60


def pictures(see, make_particles, constant=(0.0, 0.0), from_look=0.0, noise=0.0, count=COUNT, **more):
    """Four things a picture on a coarse grid, each 6 x 6 pixels; their particles are off by so many pixels."""
    random = torch.Generator().manual_seed(1)
    corner = torch.tensor([[8, 8], [8, 40], [40, 8], [40, 40]]) + torch.randint(
        0, 9, (count, 4, 2), generator=random
    )
    looks = torch.randn(count, 4, 2, generator=random)
    off = torch.tensor(constant) + from_look * looks + noise * torch.randn(count, 4, 2, generator=random)
    pixels = corner + 2.5 + off
    turn = [2, 0, 3, 1]
    latent = make_particles((2 * (pixels + 0.5) / 64 - 1)[:, turn], features=looks[:, turn])
    boxes = torch.cat([corner, corner + 5], -1).float()
    return see(latent, Truth(torch.ones(count, 4, dtype=torch.bool), boxes=boxes), size=SIZE, **more)


@pytest.fixture
def scores(see, make_particles, numbers):
    def scores(**more):
        encoded = pictures(see, make_particles, **more)
        return numbers(QUESTION, encoded.latent, encoded.truth, size=SIZE)

    return scores


def test_a_constant_error_is_all_constant(scores):
    got = scores(constant=(0.6, -0.8))
    assert got["position_error_px"] == pytest.approx(1, abs=1e-4)
    assert got["place_error_constant_px"] == pytest.approx(1, abs=1e-4)
    assert got["place_error_without_constant_px"] == pytest.approx(0, abs=1e-4)
    assert got["relative_error"] == pytest.approx(1 / 6, abs=1e-4)


def test_what_the_look_says_of_the_error_is_read_off_it_and_noise_is_not(scores):
    told = scores(from_look=1.0)
    assert told["place_error_r2"] > 0.99 and told["place_error_constant_px"] < 0.3
    noise = scores(noise=1.0)
    assert 0 <= noise["place_error_r2"] < 0.05, "learnt on one half and scored on the other"
    both = scores(constant=(2.0, 0.0), from_look=1.0, noise=1.0)
    assert both["place_error_r2"] == pytest.approx(0.5, abs=0.1), "the constant part has no share in it"
    assert both["place_error_constant_px"] == pytest.approx(2, abs=0.3)


def test_scaling_a_picture_up_does_not_change_the_relative_error(see, make_particles, numbers):
    small = pictures(see, make_particles, constant=(1.0, 0.0))
    first, last = small.truth.boxes[..., :2] * 2, small.truth.boxes[..., 2:] * 2 + 1
    large = Truth(small.truth.present, boxes=torch.cat([first, last], -1))
    got = numbers(QUESTION, small.latent, large, size=(128, 128))
    assert got["relative_error"] == pytest.approx(1 / 6, abs=1e-4)
    assert got["position_error_px"] == pytest.approx(2, abs=1e-3)


def test_one_picture_holds_nothing_out(scores):
    assert math.isnan(scores(count=1, noise=1.0)["place_error_r2"])
    assert scores(count=2, noise=1.0)["place_error_r2"] >= 0


def test_frames_of_one_clip_are_never_in_both_halves(see, make_particles):
    measured = QUESTION.measure(pictures(see, make_particles, frames=6))
    assert measured["unit"].tolist() == [clip for clip in range(10) for _ in range(6)]


def test_matching_and_errors_do_not_depend_on_the_number_of_things_in_other_pictures(see, make_particles):
    """What is kept is by particle, and batches may differ in how many things they know."""
    encoded = pictures(see, make_particles, constant=(1.0, 0.0))
    few = see(
        encoded.latent, Truth(encoded.truth.present[:, :2], boxes=encoded.truth.boxes[:, :2]), size=SIZE
    )
    many, less = QUESTION.measure(encoded), QUESTION.measure(few)
    assert {name: value.shape for name, value in many.items()} == {
        name: value.shape for name, value in less.items()
    }
