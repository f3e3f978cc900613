"""Landmarks: what a linear map can tell is told, what it cannot is not, and nothing is learnt from the pictures that are scored."""

import math

import numpy as np
import pytest
import torch

from motes.evaluation.landmarks import QUESTION
from motes.evaluation.question import Evidence
from motes.types.truth import Truth

EYES = torch.tensor([[-0.3, -0.3], [-0.3, 0.3], [0.0, 0.0], [0.4, -0.2], [0.4, 0.2]])
POINTS = torch.tensor([0.5, -1.0]) / 10


def part(see, make_particles, count, seed, offset=0.0, noise=0.0, particles=12):
    """Particles at random places, of which the first five move the points; their log-variances say how surely: the more, the later."""
    random = torch.Generator().manual_seed(seed)
    position = torch.rand(count, particles, 2, generator=random) - 0.5
    points = (
        EYES * 0 + 0.2 * position[:, :5] + offset * EYES + noise * torch.randn(count, 5, 2, generator=random)
    )
    unsure = -12 + torch.arange(particles) + 0.1 * torch.randn(count, particles, generator=random)
    latent = make_particles(position, log_variance=torch.stack([unsure, unsure], -1))
    return QUESTION.measure(see(latent, Truth(torch.ones(count, 1, dtype=torch.bool), points=points)))


@pytest.fixture
def scores(see, make_particles):
    def scores(test_seed=2, change=lambda parts: parts, **more):
        parts = [
            part(see, make_particles, count, seed, **more)
            for count, seed in ((40, test_seed), (80, 0), (40, 1))
        ]
        test, learn, choose = change(parts)
        statistics = QUESTION.score(Evidence(test, learn, choose))
        return {
            name.removeprefix("landmarks/"): one(torch.ones(1, 40)).item() for name, one in statistics.items()
        }

    return scores


def test_a_linear_relation_is_read_off_by_all_and_by_the_surest_that_hold_it(scores):
    got = scores(offset=1.0)
    assert got["position"] < 1e-2 and got["position/surest"] < 1e-2, "the first five are among the surest six"
    assert got["position/unsurest"] > 5 and got["mean_guess"] > 5
    assert set(got) == {f"{name}{share}{end}" for name in ("position", "position+variance", "position+variance+look")
                        for share in ("", "/surest", "/unsurest") for end in ("", "_2022")} | {"mean_guess", "rival_pixels"}  # fmt: skip


def test_without_an_offset_only_a_constant_column_helps(scores):
    got = scores(offset=1.0)
    assert got["position_2022"] > 20, "the points have a mean, and pixels start at the corner"
    assert got["position+variance_2022"] < 1e-2, "the background's constant log-variance is an offset"
    assert got["position+variance/surest_2022"] > got["position+variance/surest"]


def test_error_is_the_distance_in_percent_of_that_of_the_eyes(scores):
    got = scores(
        offset=1.0,
        change=lambda parts: [{**one, "position": torch.zeros_like(one["position"])} for one in parts],
    )
    assert got["position"] == pytest.approx(got["mean_guess"], rel=1e-6), (
        "nothing to read: the mean is all there is"
    )


def test_agrees_with_numpy_written_out(see, make_particles, scores):
    test, learn = (
        part(see, make_particles, count, seed, offset=1.0, noise=0.02) for count, seed in ((40, 2), (80, 0))
    )
    x, y = (
        [one[name].double().flatten(1).numpy() for one in (learn, test)] for name in ("position", "points")
    )
    weight = np.linalg.lstsq(x[0], y[0], rcond=None)[0]
    error = np.linalg.norm((x[1] @ weight - y[1]).reshape(40, 5, 2), axis=2).mean(1)
    eyes = np.linalg.norm(y[1].reshape(40, 5, 2)[:, 0] - y[1].reshape(40, 5, 2)[:, 1], axis=1)
    assert scores(offset=1.0, noise=0.02)["position_2022"] == pytest.approx(
        (100 * error / eyes).mean(), rel=1e-6
    )


def test_penalties_are_chosen_on_the_validation_pictures(scores):
    def few(parts):
        return [parts[0], {name: value[:27] for name, value in parts[1].items()}, parts[2]]

    got = scores(offset=1.0, noise=0.1, change=few)
    assert (
        got["position"] < got["position_2022"]
        and got["position+variance+look"] < got["position+variance+look_2022"]
    )

    def mirrored(
        parts,
    ):  # validation pictures that agree with nothing learnt: the strongest penalty is the least bad
        return [*few(parts)[:2], {**parts[2], "position": -parts[2]["position"]}]

    assert (
        scores(offset=1.0, noise=0.0, change=mirrored)["position"]
        > scores(offset=1.0, noise=0.0, change=few)["position"]
    )


def test_unknown_points_are_left_out_and_never_counted(scores):
    def with_gaps(parts):
        for number, one in enumerate(parts):
            gaps = torch.rand(one["points"].shape[:2], generator=torch.Generator().manual_seed(number)) < 0.3
            one["points"] = one["points"].masked_fill(
                gaps[..., None] & (torch.arange(5) > 1)[:, None], math.nan
            )
        return parts

    assert scores(offset=1.0, change=with_gaps)["position"] < 1e-2


def test_other_numbers_of_points_are_measured_by_their_box(see, make_particles, scores):
    def without_mouth(parts):
        return [{**one, "points": one["points"][:, :3]} for one in parts]

    got, with_mouth = (
        scores(offset=1.0, noise=0.05, change=change) for change in (without_mouth, lambda parts: parts)
    )
    assert (
        got["position"] == pytest.approx(with_mouth["position"], rel=0.3)
        and got["position"] != with_mouth["position"]
    )
