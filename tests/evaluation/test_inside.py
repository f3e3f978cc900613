"""Inside: a small thing is found only by a particle on it, and chance is what another picture's particles get."""

import math

import pytest
import torch

from motes.evaluation.inside import in_boxes, in_masks
from motes.evaluation.objects import QUESTION
from motes.types.truth import Truth

SIZE = (41, 61)


def l_shaped():
    """A thing that fills two sides of its box, rows 10 to 19 and columns 20 to 29."""
    mask = torch.zeros(1, 1, *SIZE, dtype=torch.bool)
    mask[0, 0, 10:20, 20:22] = True
    mask[0, 0, 18:20, 20:30] = True
    return mask


def positions(*pixels):
    return 2 * (torch.tensor([pixels], dtype=torch.float32) + 0.5) / torch.tensor(SIZE) - 1


@pytest.fixture
def scores(numbers, make_particles):
    def scores(*pixels, masks=None, boxes=None, presence=None):
        known = l_shaped() if masks is None else masks
        present = torch.ones(known.shape[:2], dtype=torch.bool)
        truth = Truth(present, masks=known if boxes is None else None, boxes=boxes)
        return numbers(QUESTION, make_particles(positions(*pixels), presence), truth, size=SIZE)

    return scores


def test_beside_in_the_box_and_in_the_mask_are_told_apart(scores):
    on, in_box, near = scores((15, 21)), scores((14, 25)), scores((15.5, 31))
    assert (on["found_inside_mask"], on["found_inside_box"], on["found"]) == (1, 1, 1)
    assert (in_box["found_inside_mask"], in_box["found_inside_box"], in_box["found"]) == (0, 1, 1)
    assert (near["found_inside_mask"], near["found_inside_box"], near["clean"]) == (0, 0, 0)
    beside = scores((16, 18.9))
    assert (beside["found"], beside["clean"]) == (1, 1), "a tenth of the side is more than the thing's arm"
    assert (beside["found_inside_box"], beside["clean_inside_box"], beside["clean_inside_mask"]) == (0, 0, 0)


def test_a_box_ends_where_its_last_pixel_does_and_the_truth_names_that_pixel(scores):
    boxes = torch.tensor([[[10.0, 20.0, 19.0, 29.0]]])
    for pixel, inside in (((9.6, 19.6), 1), ((19.4, 29.4), 1), ((9.4, 25), 0), ((15, 29.6), 0)):
        of_boxes, of_masks = scores(pixel, boxes=boxes), scores(pixel)
        assert of_boxes["found_inside_box"] == of_masks["found_inside_box"] == inside, pixel
        assert "found_inside_mask" not in of_boxes


def test_what_is_in_a_mask_is_in_its_box_and_outside_of_the_picture_is_its_rim():
    random = torch.Generator().manual_seed(0)
    places = torch.rand(1, 200, 2, generator=random) * 44 - 2
    mask = torch.zeros(1, 1, 40, 40, dtype=torch.bool)
    mask[..., 30:, 25:] = True
    inside = in_masks(places, mask)
    assert (
        inside.any()
        and (in_boxes(places.clamp(-0.5, 39.5), torch.tensor([[[30.0, 25, 40, 40]]])) >= inside).all()
    )
    corner = torch.tensor([[[39.5, 39.5]]])
    assert in_masks(corner, mask).all() and in_boxes(corner, torch.tensor([[[30.0, 25, 40, 40]]])).all()


def test_exactly_one_particle_counts_things_that_have_any(scores):
    masks = torch.cat([l_shaped(), l_shaped().roll(20, 3), l_shaped().roll(15, 2)], 1)
    both = scores((15, 21), (16, 20), (15, 41), (0, 0), masks=masks)
    assert both["one_particle"] == pytest.approx(1 / 2), "of two things with a particle, one has two"
    assert both["found_inside_mask"] == pytest.approx(2 / 3) and both["clean_inside_mask"] == pytest.approx(
        3 / 4
    )
    doubted = scores((15, 21), (16, 20), (15, 41), masks=masks, presence=[[1.0, 0.0, 1.0]])
    assert doubted["one_particle"] == 1
    assert math.isnan(scores((0, 0))["one_particle"])


def test_only_centres_give_no_inside(numbers, make_particles):
    truth = Truth(torch.ones(1, 1, dtype=torch.bool), torch.zeros(1, 1, 2))
    got = numbers(QUESTION, make_particles(torch.zeros(1, 1, 2)), truth)
    assert got["found"] == 1 and not [name for name in got if "inside" in name]
    assert "one_particle" not in got and "relative_error" not in got


def in_two_places(see, make_particles, frames=1):
    """Three pictures: the thing and its particle are left, left, right."""
    left, right = torch.tensor([15.0, 21.0]), torch.tensor([15.0, 41.0])
    pixels = torch.stack([left, left, right])[:, None]
    masks = torch.cat([l_shaped(), l_shaped(), l_shaped().roll(20, 3)])
    latent = make_particles(2 * (pixels + 0.5) / torch.tensor(SIZE) - 1)
    return see(latent, Truth(torch.ones(3, 1, dtype=torch.bool), masks=masks), size=SIZE, frames=frames)


def test_chance_is_what_the_particles_of_the_next_picture_get(see, make_particles):
    measured = QUESTION.measure(in_two_places(see, make_particles))
    assert measured["found_inside_mask"].tolist() == [1, 1, 1]
    for name in (
        "found",
        "clean",
        "found_inside_box",
        "clean_inside_box",
        "found_inside_mask",
        "clean_inside_mask",
    ):
        assert measured[f"chance_{name}"].tolist() == [1, 0, 0], name
    of_clip = QUESTION.measure(in_two_places(see, make_particles, frames=3))
    assert of_clip["chance_found"].tolist() == [1, 0, 0], "a single clip: from frame to frame"


def test_chance_of_clips_is_another_clips(see, make_particles):
    encoded = in_two_places(see, make_particles)
    six = see(encoded.latent[[0, 0, 2, 2, 1, 1]], encoded.truth[[0, 0, 2, 2, 1, 1]], size=SIZE, frames=2)
    assert six.others.tolist() == [2, 3, 4, 5, 0, 1]
    assert QUESTION.measure(six)["chance_found_inside_mask"].tolist() == [0, 0, 0, 0, 1, 1]


def test_a_picture_that_is_alone_has_no_chance_level(scores):
    got = scores((15, 21))
    assert got["found_inside_mask"] == 1
    assert all(math.isnan(value) for name, value in got.items() if name.startswith("chance_"))
