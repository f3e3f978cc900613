"""A survey finds what is known of generated worlds, at any size, and says it in two lines."""

from dataclasses import FrozenInstanceError
from functools import cache

import numpy as np
import pytest
import torch

from motes.data.base import Dataset
from motes.data.source import Source
from motes.data.survey.survey import survey
from motes.errors import UserError
from motes.models import MODELS
from motes.models.particles.parts import check_particle_sizes


class Pictures(Dataset):
    """Pictures from an array, N C H W, with values in [0, 1]."""

    def __init__(self, array, split="train"):
        self.array = np.round(np.clip(array, 0, 1) * 255).astype(np.uint8)

    image_shape = property(lambda self: self.array.shape[1:])
    frames = 1

    def __len__(self):
        return len(self.array)

    def pixels(self, rows):
        return self.array[list(rows)]


@cache
def seen_of(name, **options):
    return survey(Source(name, options).open("train"), 96)


def test_shapes_stand_before_a_still_background_and_are_of_one_size():
    seen = seen_of("shapes")
    assert seen.background == "a still background" and seen.stood == 0 and not seen.varied
    assert abs(seen.choice.glimpse_size - 16) <= 2 and 8 <= seen.choice.num_particles <= 12
    assert abs(seen.sides[1] - 12) <= 1 and seen.things == (3, 5)
    assert seen.choice.patch_size == 8 and seen.choice.image_size == (64, 64)


@pytest.mark.parametrize(
    ("name", "options", "window", "particles"),
    [
        pytest.param("shapes", {"background": "photograph"}, 16, 10, marks=pytest.mark.slow),
        ("balls", {"frames": 4}, 22, 7),
        ("sprites", {}, 32, 7),
        pytest.param("scenes", {}, 20, 11, marks=pytest.mark.slow),
        pytest.param("traffic", {"count": 500}, 16, 11, marks=pytest.mark.slow),
    ],
)
def test_windows_hold_the_things_of_a_world_and_particles_are_more_than_they(
    name, options, window, particles
):
    seen = seen_of(name, **options)
    assert abs(seen.choice.glimpse_size - window) <= 2
    assert abs(seen.choice.num_particles - particles) <= 2


@pytest.mark.parametrize(
    "name", ["sprites", *(pytest.param(name, marks=pytest.mark.slow) for name in ("shapes", "scenes"))]
)
def test_pictures_twice_as_large_get_windows_twice_as_large_and_as_many_particles(name):
    small, large = (seen_of(name, image_size=(side, side)) for side in (64, 128))
    assert abs(large.choice.glimpse_size - 2 * small.choice.glimpse_size) <= 4
    assert abs(large.choice.num_particles - small.choice.num_particles) <= 1
    assert large.choice.patch_size == 2 * small.choice.patch_size
    assert large.background == small.background


def test_every_picture_may_have_a_plain_background_of_its_own():
    seen = seen_of("sprites")
    assert seen.background == "a plain background, another in each" and seen.clean is None and seen.varied
    assert seen_of("sprites", background="textures").background == "another background in each"


def test_changing_light_is_told_from_another_background():
    random = np.random.default_rng(0)
    scene = random.random((1, 3, 32, 32)) * 0.5 + 0.2
    light = random.uniform(0.6, 1.4, (60, 1, 1, 1))
    assert survey(Pictures(scene * light)).background == "a still background in changing light"
    assert survey(Pictures(scene.repeat(60, 0))).background == "a still background"
    assert survey(Pictures(random.random((60, 3, 32, 32)))).background == "another background in each"


def test_a_thing_that_stands_still_most_of_the_time_is_a_thing():
    random = np.random.default_rng(0)
    scene = 0.3 + 0.4 * random.random((3, 48, 48)).repeat(1, 0)
    film = scene[None].repeat(100, 0)
    standing = random.random(100) < 0.6
    film[standing, :, 20:32, 10:20] = np.array([0.9, 0.1, 0.1])[:, None, None]
    seen = survey(Pictures(film))
    assert seen.background == "a still background"
    assert seen.clean is not None
    assert np.abs(seen.clean.numpy() - scene).max() < 0.05
    assert 0.03 < seen.stood < 0.07, "12 x 10 of 48 x 48 pixels"
    assert "% of it covered" in seen.explained()
    for row, boxes in seen.boxes.items():
        expected = [[20, 10, 31, 19]] if standing[row] else []
        assert boxes.tolist() == expected


def test_boxes_are_those_of_the_things():
    truth = Source("shapes").open("train").truth(list(seen_of("shapes").boxes))
    assert truth is not None and truth.boxes is not None
    for number, boxes in enumerate(seen_of("shapes").boxes.values()):
        true = truth.boxes[number][truth.present[number]]
        for box in boxes.float():
            # of things that touch, the box is that of all
            covered = (true[:, :2] >= box[:2] - 1) & (true[:, 2:] <= box[2:] + 1)
            inside = true[covered.all(1)]
            hull = torch.cat([inside[:, :2].amin(0), inside[:, 2:].amax(0)])
            assert (hull - box).abs().max() <= 1


def test_small_things_want_larger_pictures():
    seen = seen_of("shapes", size=(4, 5))
    assert seen.choice.image_size == (128, 128) and seen.choice.glimpse_size <= 8


def test_where_nothing_moves_the_sizes_are_usual_ones():
    seen = survey(Pictures(np.full((30, 3, 64, 64), 0.5)))
    assert seen.sides == (0, 0, 0) and seen.things == (0, 0) and seen.choice.glimpse_size == 16
    assert "only usual" in seen.explained()


@pytest.mark.parametrize("size", [(64, 64), (35, 35), (48, 80), (28, 28), (100, 60), (8, 8)])
@pytest.mark.parametrize("count", [1, 3, 40])
def test_choices_are_sizes_that_the_model_takes(size, count):
    random = np.random.default_rng(0)
    pictures = np.full((count, 3, *size), 0.2)
    for number in range(count):
        row = random.integers(0, size[0] - size[0] // 4)
        column = random.integers(0, size[1] - size[1] // 4)
        pictures[number, :, row : row + size[0] // 4, column : column + size[1] // 5 + 1] = 0.9
    options = vars(survey(Pictures(pictures)).choice)
    check_particle_sizes(MODELS["dlp"].Config(**{**options, "image_size": size}))


def test_two_lines_say_what_was_chosen_and_what_overrules_it():
    seen = seen_of("shapes")
    assert len(seen.explained().splitlines()) == 2
    for option in (
        "--model.glimpse-size",
        "--model.num-particles",
        "--model.patch-size",
        "--data.image-size",
    ):
        assert option in seen.explained()
    told = seen.explained(["glimpse_size"])
    assert "--model.glimpse-size" not in told and "windows of" not in told and "particles" in told
    assert len(seen.explained(list(vars(seen.choice))).splitlines()) == 2


def test_a_survey_is_the_same_each_time_and_does_not_touch_the_random_numbers_of_training():
    torch.manual_seed(0)
    before = torch.get_rng_state()
    data = Source("shapes").open("train")
    first, second = survey(data, 20), survey(data, 20)
    assert torch.equal(torch.get_rng_state(), before)
    assert first.choice == second.choice and list(first.boxes) == list(second.boxes)
    with pytest.raises(FrozenInstanceError):
        first.stood = 1.0  # pyright: ignore[reportAttributeAccessIssue]


def test_no_picture_cannot_be_looked_at():
    with pytest.raises(UserError, match="no pictures"):
        survey(Pictures(np.zeros((0, 3, 8, 8))))
