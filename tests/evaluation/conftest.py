"""A model that draws discs where its particles are, and a maker of what a question gets to see."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from motes.evaluation.question import EncodedBatch, Evidence
from motes.models.base import Model
from motes.models.motion.rivals import SteadyMotion
from motes.ops.points.pixels import pixels_of_points
from motes.ops.rendering.composite import render
from motes.ops.rendering.footprints import Footprints
from motes.ops.rendering.glimpse import place_glimpses
from motes.ops.scores import readout
from motes.types.batch import Batch, Losses
from motes.types.clips import ParticleClip
from motes.types.latents import Particles


class Discs(Model):
    """Every particle is an opaque disc that fills its window; its first feature is its grey."""

    def __init__(self, side=9, size=(32, 32)):
        super().__init__()
        self.side = side
        self.size = size
        self.shift = nn.Parameter(torch.zeros(()))

    def loss(self, batch):
        return Losses(self.shift, {})

    def encode(self, image):
        raise NotImplementedError

    def decode(self, latent):
        background = torch.zeros(len(latent.presence), 1, 32, 32)
        return render(self.glimpses(latent), latent.position, latent.presence, background)

    def shares(self, latent):
        windows = place_glimpses(self.glimpses(latent)[:, :, :1], latent.position, self.size)
        return Footprints.of(windows, latent.presence, self.size).on_canvas()

    def glimpses(self, latent):
        steps = torch.arange(self.side) - (self.side - 1) / 2
        disc = (steps[:, None] ** 2 + steps**2 <= (self.side / 2) ** 2).float()
        grey = latent.features[..., :1, None, None] * disc
        return torch.stack([disc.expand_as(grey[:, :, 0]), grey[:, :, 0]], 2)


class PredictingDiscs(Discs):
    """Discs that are predicted to go on as they went; clips of them are drawn on canvases of their size.

    Another draw reads them a little lower, and each update a little more to the left.
    """

    usual_updates = 2

    def redraw(self, image, updates=None, draw=0):
        moved = torch.tensor([0.05 * draw, -0.05 * (updates or 0)])
        return replace(self.seen, position=self.seen.position + moved)

    def decode(self, latent):
        drawn = latent.particles if isinstance(latent, ParticleClip) else latent
        background = torch.zeros(len(drawn.presence), 1, *self.size)
        return render(self.glimpses(drawn), drawn.position, drawn.presence, background)

    def predict(self, seen, frames, steps, actions=None, samples=0, seed=0):
        return SteadyMotion(self.size).predict(seen, frames, steps, actions, samples)


def particles(position, presence=None, **more):
    """Particles at these places, all there unless told otherwise."""
    position = torch.as_tensor(position, dtype=torch.float32)
    zeros = torch.zeros_like(position)
    presence = torch.ones_like(position[..., 0]) if presence is None else torch.as_tensor(presence)
    features = more.pop("features", zeros)
    given = {
        "log_variance": zeros,
        "feature_log_variance": torch.zeros_like(features),
        "certainty": None,
        **more,
    }
    return Particles(
        position=position,
        features=features,
        presence=presence,
        background=torch.zeros_like(features[:, 0]),
        **given,
    )


def drawn_at(points, size=(32, 32)):
    """The positions of particles that lie on these points of the truth."""
    sides = torch.tensor(size)
    return 2 * (pixels_of_points(torch.as_tensor(points), size) + 0.5) / sides - 1


@pytest.fixture
def brief_readouts(monkeypatch):
    """Networks of probes learn for some steps only: for tests that say nothing of how well they learn."""
    monkeypatch.setattr(readout, "STEPS", 100)


@pytest.fixture
def make_particles():
    return particles


@pytest.fixture
def on_points():
    return drawn_at


@pytest.fixture
def see():
    def see(latent, truth, size=(32, 32), frames=1, side=9, predicts=False):
        count = len(latent.presence)
        batch = Batch(torch.zeros(count, 1, *size), torch.arange(count), frames=frames)
        model = (PredictingDiscs if predicts else Discs)(side, size)
        model.seen = latent
        return EncodedBatch(model, batch, latent, truth)

    return see


@pytest.fixture
def numbers(see):
    """The scores of one question about particles and truth, every picture counting once."""

    def numbers(question, latent, truth, **more):
        measured = question.measure(see(latent, truth, **more))
        statistics = question.score(Evidence(measured))
        return {
            name: statistic(torch.ones(1, len(latent.presence))).item()
            for name, statistic in statistics.items()
        }

    return numbers
