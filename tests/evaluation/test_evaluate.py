"""`evaluate`: every score that fits, whatever the batches, and the model as it was."""

from dataclasses import dataclass, replace

import pytest
import torch
from torch import nn

from motes.data.shapes import Config, Shapes
from motes.errors import UserError
from motes.evaluation import evaluate
from motes.models.base import Model
from motes.ops.types import Losses, Particles

DATA = Shapes(Config(count=1, held_out=30), "test")


@dataclass(frozen=True)
class Code:
    image: torch.Tensor


class Copyist(Model):
    """Draws what it sees, a little off; knows nothing of particles."""

    def __init__(self):
        super().__init__()
        self.off = nn.Parameter(torch.tensor(0.1))
        self.frozen = nn.Dropout(0.5).eval()

    def loss(self, batch):
        return Losses(self.off, {})

    def encode(self, image):
        assert not self.training and not torch.is_grad_enabled() and not torch.is_inference_mode_enabled()
        return Code(image)

    def decode(self, latent):
        return (latent.image - 0.5) * 0.8 + 0.5 + 0 * self.off


class Oracle(Copyist):
    """Knows the truth, but for the first thing of each picture; the next particle is doubted, and one is nowhere near."""

    def __init__(self):
        super().__init__()
        self.seen = 0

    def encode(self, image):
        truth = DATA.truth(range(self.seen, self.seen + len(image)))
        self.seen += len(image)
        position, presence = truth.centres.clone(), truth.present.float()
        presence[:, 0] = 0
        zeros = torch.zeros_like(position)
        particles = Particles(position, zeros, zeros, zeros, presence, torch.zeros(len(image), 2), image.mean(1, keepdim=True))
        return replace(particles, certainty=torch.ones_like(presence).index_fill(1, torch.tensor([1]), 0.2))

    def decode(self, latent):
        return latent.bypass.expand(-1, 3, -1, -1)


def test_only_what_fits_is_scored_and_does_not_depend_on_the_batches():
    scores = evaluate(Copyist(), DATA, batch=30)
    assert set(scores) == {"psnr", "ssim", "mse", "loss"}
    for name, one in evaluate(Copyist(), DATA, batch=7).items():
        assert one.value == pytest.approx(scores[name].value, rel=1e-5)
        assert one.low <= one.value <= one.high
    assert scores["psnr"].value == pytest.approx(20, abs=2)  # errors of at most 0.1


def test_particles_are_held_against_the_truth():
    scores, things = evaluate(Oracle(), DATA, batch=8), DATA.truth(range(30)).present.sum(1)
    assert scores["found"].value == pytest.approx(((things - 2).sum() / things.sum()).item())
    assert scores["clean"].value == 1 and scores["distance"].value < 1e-6
    assert scores["count_error"].value == pytest.approx(2)


def test_limit_and_progress():
    told = []
    evaluate(Copyist(), DATA, limit=10, batch=4, progress=lambda done, of: told.append((done, of)))
    assert told == [(4, 10), (8, 10), (10, 10)]
    with pytest.raises(UserError, match="nothing to score"):
        evaluate(Copyist(), DATA, limit=0)


def test_every_module_is_left_in_its_mode():
    model = Copyist().train()
    model.frozen.eval()
    evaluate(model, DATA, limit=2)
    assert model.training and not model.frozen.training
    model.decode = lambda latent: 1 / 0
    with pytest.raises(ZeroDivisionError):
        evaluate(model, DATA, limit=2)
    assert model.training
