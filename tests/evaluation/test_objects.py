"""Objects: scores count what they say."""

import math

import pytest
import torch

from motes.evaluation.objects import QUESTION
from motes.types.truth import Truth


def truth(centres, present):
    return Truth(torch.tensor(present), torch.tensor(centres))


@pytest.fixture
def scores(numbers):
    return lambda latent, known, size=(101, 101): numbers(QUESTION, latent, known, size=size)


def test_found_clean_distance_and_count(scores, make_particles, on_points):
    places = on_points([[[0.0, 0.0], [0.9, 0.9], [-0.5, 0.5]]], (101, 101))
    found = make_particles(places, [[1.0, 1.0, 0.2]])
    got = scores(found, truth([[[0.1, 0.0], [-0.5, 0.5], [0.9, 0.9]]], [[True, True, False]]))
    assert got["found"] == 0.5  # the second object's particle is absent, the third object is
    assert got["clean"] == 0.5
    assert got["distance"] == pytest.approx(0.05)
    assert got["count_error"] == 0 and got["count_right"] == 1


def test_doubted_particles_do_not_count(scores, make_particles):
    found = make_particles([[[0.0, 0.0], [0.5, 0.5]]], [[1.0, 1.0]], certainty=torch.tensor([[0.9, 0.1]]))
    got = scores(found, truth([[[0.0, 0.0]]], [[True]]))
    assert got["count_error"] == 0 and got["clean"] == 1


def test_nothing_there_scores_nothing_and_does_not_divide_by_zero(scores, make_particles):
    got = scores(make_particles([[[0.0, 0.0]]], [[0.0]]), truth([[[0.0, 0.0]]], [[True]]))
    assert got["found"] == 0 and got["clean"] == 0 and got["count_error"] == 1 and got["pck@0.1"] == 0
    assert math.isnan(got["position_error_px"]), "nothing was matched"
    nobody = scores(make_particles([[[0.0, 0.0]]], [[1.0]]), truth([[[0.0, 0.0]]], [[False]]))
    assert math.isnan(nobody["found"]) and nobody["clean"] == 0


def test_places_are_matched_one_to_one_in_pixels(scores, make_particles, on_points):
    places = on_points([[[0.0, 0.0], [0.0, 0.1], [0.9, 0.9]]], (101, 101))
    found = make_particles(places, [[1.0, 1.0, 1.0]])
    known = truth([[[0.0, 0.03], [0.0, 0.07], [-0.9, 0.9]]], [[True, True, True]])
    got = scores(found, known)
    assert got["position_error_px"] == pytest.approx((1.5 + 1.5 + 90) / 3, abs=1e-4), "one unit is 50 pixels"
    assert got["position_error"] == pytest.approx(got["position_error_px"] / 100)
    assert got["pck@0.02"] == pytest.approx(2 / 3) and got["found"] == pytest.approx(2 / 3)
    crowd = make_particles(on_points([[[0.0, 0.05]]], (101, 101)), [[1.0]])
    alone = scores(crowd, known)
    assert alone["found"] == pytest.approx(2 / 3), "both of the near ones have a particle near"
    assert alone["pck@0.1"] == pytest.approx(1 / 3), "but only one is matched"


def test_centres_follow_from_masks_or_boxes_where_they_are_not_known(scores, make_particles, on_points):
    masks = torch.zeros(1, 1, 21, 41, dtype=torch.bool)
    masks[:, :, 4:7, 30:41] = True
    boxes = torch.tensor([[[4.0, 30.0, 6.0, 40.0]]])
    found = make_particles(on_points([[[-0.5, 0.75]]], (21, 41)), [[1.0]])
    for known in (
        Truth(torch.ones(1, 1, dtype=torch.bool), masks=masks),
        Truth(torch.ones(1, 1, dtype=torch.bool), boxes=boxes),
    ):
        assert scores(found, known, (21, 41))["position_error_px"] == pytest.approx(0, abs=1e-5)
