"""Masks: particles that stand on the things cut the picture as the truth does; clips are scored over space and time."""

import math
from dataclasses import replace

import pytest
import torch
from torch.nn.functional import one_hot

from motes.evaluation.masks import QUESTION
from motes.evaluation.question import Evidence
from motes.types.truth import Truth

PLACES = torch.tensor([[[-0.5, -0.5], [0.5, 0.5], [0.5, -0.4]], [[-0.5, 0.5], [0.4, 0.4], [0.0, 0.0]]])


@pytest.fixture
def truth(see, make_particles):
    """Of two pictures of three discs each: what the drawing model itself shows."""
    owners = see(make_particles(PLACES), None).owners
    masks = one_hot(owners, 4).permute(0, 3, 1, 2)[:, 1:].bool()
    return Truth(masks.any((2, 3)), masks=masks)


def test_the_right_particles_in_any_order_are_perfect(numbers, make_particles, truth):
    got = numbers(QUESTION, make_particles(PLACES[:, [1, 0, 2]]), truth)
    assert all(value == pytest.approx(1) for value in got.values()) and len(got) == 6


def test_a_lost_thing_lowers_what_it_should(numbers, make_particles, truth):
    got = numbers(QUESTION, make_particles(PLACES, presence=torch.tensor([[1.0, 1.0, 0.0]] * 2)), truth)
    assert got["miou"] == pytest.approx(2 / 3) and got["mbo"] == pytest.approx(2 / 3)
    assert 0 < got["ari"] < 1 and 0.5 < got["covering_unweighted"] < got["covering"] < 1
    assert got["ari_fg"] == pytest.approx(1), "its pixels stay together: why ARI-FG is never read alone"


def test_doubted_particles_own_no_pixel(numbers, make_particles, truth):
    sure = torch.tensor([[0.9, 0.9, 0.1]] * 2)
    doubted = numbers(QUESTION, make_particles(PLACES, certainty=sure), truth)
    absent = numbers(QUESTION, make_particles(PLACES, presence=(sure > 0.5).float()), truth)
    assert doubted["miou"] == pytest.approx(absent["miou"])


def test_nothing_true_is_left_out_and_nothing_predicted_is_zero(numbers, make_particles, truth):
    got = numbers(QUESTION, make_particles(PLACES, presence=torch.zeros(2, 3)), truth)
    assert got["miou"] == 0 and got["mbo"] == 0 and got["ari"] == 0 and got["ari_fg"] == 0
    empty = replace(truth, masks=truth.masks & torch.tensor([True, False]).view(2, 1, 1, 1))
    assert numbers(QUESTION, make_particles(PLACES), empty)["miou"] == pytest.approx(1), (
        "the other picture has no thing to find"
    )
    nothing = numbers(QUESTION, make_particles(PLACES), replace(truth, masks=torch.zeros_like(truth.masks)))
    assert math.isnan(nothing["miou"]) and math.isnan(nothing["ari_fg"]) and nothing["ari"] == 0


def test_particles_that_change_roles_are_right_in_each_frame_but_not_over_time(
    numbers, make_particles, truth
):
    still = replace(truth, masks=truth.masks[:1].repeat(2, 1, 1, 1))
    steady = numbers(QUESTION, make_particles(PLACES[[0, 0]]), still, frames=2)
    swapped = numbers(
        QUESTION, make_particles(torch.stack([PLACES[0], PLACES[0][[1, 2, 0]]])), still, frames=2
    )
    assert steady["ari_fg_over_time"] == pytest.approx(1) and steady["miou_over_time"] == pytest.approx(1)
    assert (
        swapped["ari_fg"] == pytest.approx(1)
        and swapped["ari_fg_over_time"] < 0.7
        and swapped["miou_over_time"] < 0.7
    )


def test_clips_may_be_seen_one_after_the_other(see, make_particles, truth):
    places = torch.stack([PLACES[0], PLACES[0][[1, 2, 0]]])
    frames = Truth.cat([truth, truth[[1, 0]]])
    together = QUESTION.measure(see(make_particles(torch.cat([places, places])), frames, frames=2))
    pieces = [see(make_particles(places), frames[clip : clip + 2], frames=2) for clip in (0, 2)]
    pieces[1] = replace(pieces[1], batch=replace(pieces[1].batch, index=torch.tensor([2, 3])))
    pieces = [QUESTION.measure(piece) for piece in pieces]
    apart = {name: torch.cat([piece[name] for piece in pieces]) for name in together}
    times = torch.ones(1, 4)
    for name, statistic in QUESTION.score(Evidence(together)).items():
        torch.testing.assert_close(QUESTION.score(Evidence(apart))[name](times), statistic(times))
