"""Rivals of landmarks: what the pixels say linearly is read off them, and they learn from no picture that is scored."""

from dataclasses import replace

import pytest
import torch

from motes.evaluation.landmark_rivals import LEAST, Pixels, small_pictures
from motes.evaluation.landmarks import QUESTION
from motes.evaluation.question import Evidence
from motes.types.batch import Batch
from motes.types.truth import Truth

EYES = torch.tensor([[-0.3, -0.3], [-0.3, 0.3], [0.0, 0.0], [0.4, -0.2], [0.4, 0.2]])


def part(see, make_particles, count, seed, seen=True):
    """Two stripes of brightness, and points that move with them; the particles know nothing."""
    random = torch.Generator().manual_seed(seed)
    shift = torch.rand(count, 2, generator=random) - 0.5
    image = torch.full((count, 1, 48, 48), 0.5)
    if seen:
        image[:, :, :24] += 0.8 * shift[:, 0].view(-1, 1, 1, 1)
        image[..., 24:] += 0.1 * shift[:, 1].view(-1, 1, 1, 1)
    points = EYES + 0.3 * shift[:, None]
    latent = make_particles(torch.rand(count, 3, 2, generator=random) - 0.5)
    truth = Truth(torch.ones(count, 1, dtype=torch.bool), points=points)
    return QUESTION.measure(replace(see(latent, truth), batch=Batch(image, torch.arange(count))))


def scores(see, make_particles, **more):
    parts = [part(see, make_particles, count, seed, **more) for count, seed in ((40, 2), (120, 0), (40, 1))]
    return {name: one(torch.ones(1, 40)).item() for name, one in QUESTION.score(Evidence(*parts)).items()}


def test_pixels_that_hold_the_points_beat_particles_that_do_not(see, make_particles):
    got = scores(see, make_particles)
    assert got["rival_pixels"] < 1 < got["landmarks/position"]
    assert QUESTION.rivals.keys() == got.keys() - {"rival_pixels", "landmarks/mean_guess"}


def test_pixels_that_hold_nothing_are_the_mean_face(see, make_particles):
    got = scores(see, make_particles, seen=False)
    assert got["rival_pixels"] == pytest.approx(got["landmarks/mean_guess"], rel=1e-3)


def test_as_many_components_as_the_largest_reading_but_fewer_than_pictures():
    random = torch.Generator().manual_seed(0)
    pictures = {"picture": torch.randint(0, 255, (50, 1, 8, 8), generator=random).byte()}
    for asked, wanted in ((3, LEAST), (20, 20), (1000, 49)):
        assert Pixels(pictures, asked).columns(pictures).shape == (50, wanted)
    one = {"picture": pictures["picture"][:1]}
    assert Pixels(one, 20).columns(one).isfinite().all()


def test_small_pictures_are_means_of_blocks_and_never_larger():
    image = torch.rand(2, 3, 64, 20)
    small = small_pictures(image)
    assert small.shape == (2, 3, 32, 20) and small.dtype == torch.uint8
    torch.testing.assert_close(small[:, :, 3] / 255, image[:, :, 6:8].mean(2), atol=0.003, rtol=0)
