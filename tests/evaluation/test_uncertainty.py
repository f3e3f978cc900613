"""Uncertainty: a model that knows when it errs is told from one that does not."""

import math

import pytest
import torch

from motes.evaluation.uncertainty import QUESTION
from motes.types.truth import Truth

RANDOM = torch.Generator().manual_seed(0)
CENTRES = torch.rand(40, 4, 2, generator=RANDOM) * 1.6 - 0.8
ERROR = 0.2 * torch.rand(40, 4, generator=RANDOM)
KNOWN = Truth(torch.ones(40, 4, dtype=torch.bool), CENTRES)


@pytest.fixture
def scores(numbers, make_particles, on_points):
    def scores(log_variance, known=KNOWN, **more):
        position = CENTRES + torch.stack([ERROR, torch.zeros_like(ERROR)], -1)
        return numbers(
            QUESTION, make_particles(on_points(position), log_variance=log_variance, **more), known
        )

    return scores


def nearest_apart():
    position = CENTRES + torch.stack([ERROR, torch.zeros_like(ERROR)], -1)
    return torch.cdist(position, CENTRES).amin(2) * 31 / 2


def test_knowing_ones_error_is_the_best_order(scores):
    apart = nearest_apart()
    got = scores(apart[..., None].expand(-1, -1, 2))
    assert got["rank_correlation"] == pytest.approx(1) and got["aurc"] == pytest.approx(got["aurc_best"])
    assert got["risk@0.25"] < got["risk@0.5"] < got["risk@1"] and got["aurc"] < got["aurc_random"]
    assert got["risk@1"] == pytest.approx(apart.mean().item(), rel=1e-5) and got[
        "aurc_random"
    ] == pytest.approx(got["risk@1"])


def test_the_contrary_is_worse_than_random_and_noise_about_random(scores):
    wrong = scores(-nearest_apart()[..., None].expand(-1, -1, 2))
    assert wrong["rank_correlation"] == pytest.approx(-1) and wrong["aurc"] > wrong["aurc_random"]
    noise = scores(torch.randn(40, 4, 2, generator=RANDOM))
    assert abs(noise["rank_correlation"]) < 0.25 and noise["aurc"] == pytest.approx(
        noise["aurc_random"], rel=0.3
    )


def test_only_believed_particles_count_and_pictures_without_things_are_left_out(scores):
    apart, sure = nearest_apart(), torch.ones(40, 4).index_fill(1, torch.tensor([0]), 0.1)
    unsure = torch.where(sure > 0.5, apart, 30 - apart)[..., None].expand(-1, -1, 2)
    got = scores(unsure, certainty=sure)
    assert got["rank_correlation"] == pytest.approx(1) and got["rank_correlation_all"] < 0.9
    empty = Truth(torch.zeros(40, 4, dtype=torch.bool), CENTRES)
    assert all(math.isnan(value) for value in scores(unsure, empty).values())
