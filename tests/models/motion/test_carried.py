"""What the last picture shows of each thing goes along with it."""

import pytest
import torch

from motes.models.base import Model
from motes.models.motion.carried import Cutouts, carried
from motes.ops.rendering.painting import LayerSizes, Painting
from motes.types.clips import ParticleClip
from motes.types.latents import Particles

SIZE = (24, 32)


def disc(row, column, radius=4.0):
    rows = torch.arange(SIZE[0])[:, None] - row
    columns = torch.arange(SIZE[1]) - column
    return (radius + 0.5 - (rows**2 + columns**2).sqrt()).clamp(0, 1)


def striped(row, column):
    """A picture of a disc with stripes of its own, which no glimpse of the model has, on a floor with a gradient."""
    stripes = ((torch.arange(SIZE[1]) - column) % 2 * 0.5 + 0.5).expand(3, *SIZE)
    floor = torch.linspace(0.1, 0.3, SIZE[0])[:, None].expand(3, *SIZE)
    return torch.lerp(floor, stripes, disc(row, column))[None]


def place(row, column):
    return torch.tensor([[(row + 0.5) * 2 / SIZE[0] - 1, (column + 0.5) * 2 / SIZE[1] - 1]])


class Flat(Model):
    """A model that draws every thing as a grey disc, a window of 6 pixels magnified to 12."""

    def loss(self, batch):
        raise NotImplementedError

    def encode(self, image):
        raise NotImplementedError

    def painting(self, latent, picture=0):
        rows = (torch.arange(6) - 2.5).square()
        alpha = (4.5 - 2 * (rows[:, None] + rows).sqrt()).clamp(0, 1)
        glimpse = torch.stack([alpha, *(torch.full_like(alpha, 0.5) for _ in range(3))])
        one = latent[picture]
        count = one.count
        background = torch.linspace(0.1, 0.3, SIZE[0])[:, None].expand(3, *SIZE)
        sizes = LayerSizes(torch.full((count, 2), 2.0), torch.zeros(count, 2))
        glimpses = glimpse.expand(count, -1, -1, -1)
        return Painting.of(glimpses, one.position[0], one.presence[0], background, sizes)

    def decode(self, latent):
        return torch.stack([self.painting(latent, row).picture for row in range(len(latent))])


def clip(*positions):
    """A clip of one frame for each position, B = 1."""
    position = torch.stack(positions)
    shape = position.shape[:2]
    return ParticleClip.of_slots(
        Particles(
            position=position,
            log_variance=torch.zeros_like(position) - 8,
            features=torch.zeros(*shape, 2),
            feature_log_variance=torch.zeros(*shape, 2),
            presence=torch.ones(shape),
            background=torch.zeros(len(positions), 1),
        ),
        frames=len(positions),
    )


def test_what_stands_still_is_the_last_picture_exactly():
    last = striped(10, 9)
    still = clip(place(10, 9), place(10, 9))
    assert torch.allclose(carried(Flat(), still, still, last), last.expand(2, -1, -1, -1), atol=1e-6)


def test_what_moves_takes_its_own_pixels_along():
    model = Flat()
    given = clip(place(10, 8))
    future = clip(place(10, 14), place(10, 20))
    truth = torch.cat([striped(10, 14), striped(10, 20)])
    ours = (carried(model, given, future, striped(10, 8)) - truth).square().mean()
    drawn = (model.decode(future.particles) - truth).square().mean()
    copied = (striped(10, 8) - truth).square().mean()
    assert ours < 0.3 * drawn < 0.3 * copied


def test_where_a_thing_was_is_the_background_and_elsewhere_the_last_picture():
    last = striped(10, 8)
    # a speck that belongs to no thing
    last[:, :, 20, 28] = 0.9
    moved = carried(Flat(), clip(place(10, 8)), clip(place(10, 22)), last)[0]
    floor = torch.linspace(0.1, 0.3, SIZE[0])
    assert moved[:, 10, 8] == pytest.approx(floor[10].expand(3), abs=0.02)
    assert torch.equal(moved[:, 20, 28], last[0, :, 20, 28])


def test_a_thing_that_leaves_uncovers_what_is_behind_it():
    given = clip(place(10, 8))
    gone = given.particles.with_tensors({"presence": torch.zeros(1, 1)})
    future = ParticleClip(gone, given.track, given.source, frames=1)
    picture = carried(Flat(), given, future, striped(10, 8))[0]
    assert picture[:, 10, 8] == pytest.approx(torch.linspace(0.1, 0.3, SIZE[0])[10].expand(3), abs=0.02)


def test_what_was_outside_of_the_picture_comes_in_as_it_was_at_the_edge():
    last = striped(0, 8)
    picture = carried(Flat(), clip(place(0, 8)), clip(place(8, 8)), last)[0]
    # rows above the middle, which the last picture did not show
    torch.testing.assert_close(picture[:, 6, 7:10], last[0, :, 0, 7:10], rtol=0, atol=0.05)


def test_without_a_thing_the_last_picture_stays():
    nothing = clip(place(10, 8))
    nothing = ParticleClip(nothing.particles, torch.full((1, 1), -1), torch.full((1, 1), -1), frames=1)
    last = striped(10, 8)
    assert torch.equal(carried(Flat(), nothing, nothing, last), last)


def test_layers_are_as_fine_as_the_picture():
    painting = Flat().painting(clip(place(10, 8)).particles)
    layers = Cutouts.of(painting, striped(10, 8)).layers
    # stripes of one pixel, which a glimpse of 2 pixels a pixel could not hold
    assert layers.shape[-1] >= 12 and layers[0, 0, 1, 6].diff().abs().amax() > 0.3
