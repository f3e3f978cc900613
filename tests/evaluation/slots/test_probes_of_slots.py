"""Slots are matched to things by their masks, and what their codes hold is read."""

import pytest
import torch

from motes.evaluation.probes import QUESTION
from motes.evaluation.question import EncodedBatch, Evidence, missing
from motes.models.base import Model
from motes.ops.scores import readout
from motes.types.batch import Batch
from motes.types.slots import Slots
from motes.types.truth import Truth

SIDE = 12


class Told(Model):
    def loss(self, batch):
        raise NotImplementedError

    def encode(self, image):
        raise NotImplementedError

    def decode(self, latent):
        return latent.mixed()

    def shares(self, latent):
        return latent.shares


def encoded(count, seed, lost=False):
    """Two things of 4 x 4 pixels, each in one half; slot 2 is the ground, and slots stand in another order."""
    random = torch.Generator().manual_seed(seed)
    row = torch.randint(0, SIDE - 4, (count, 2), generator=random)
    masks = torch.zeros(count, 2, SIDE, SIDE, dtype=torch.bool)
    for picture in range(count):
        for thing in range(2):
            top = int(row[picture, thing])
            masks[picture, thing, top : top + 4, 6 * thing : 6 * thing + 4] = True
    middle = (row + 1.5) / (SIDE - 1) * 2 - 1
    column = torch.tensor([1.5, 7.5]) / (SIDE - 1) * 2 - 1
    centres = torch.stack([middle, column.expand(count, 2)], -1)
    size = torch.randn(count, 2, generator=random)
    shape = torch.randint(0, 2, (count, 2), generator=random)
    factors = {"size": size, "shape": shape}
    truth = Truth(masks.any((2, 3)), centres, masks=masks, factors=factors)
    codes = torch.stack([middle, size, shape.float(), torch.zeros(count, 2)], -1)
    codes = torch.cat([codes, torch.zeros(count, 1, 4)], 1)
    ground = ~masks.any(1, keepdim=True)
    logits = 9.0 * torch.cat([masks, ground], 1)
    order = [2, 1, 0]
    presence = torch.ones(count, 3)
    presence[:, order.index(0)] = 0.0 if lost else 1.0
    latent = Slots(codes[:, order], torch.full_like(codes, -20), presence, logits[:, order])
    image = torch.zeros(count, 1, SIDE, SIDE)
    return EncodedBatch(Told(), Batch(image, torch.arange(count)), latent, truth)


@pytest.fixture
def scores(monkeypatch):
    monkeypatch.setattr(readout, "STEPS", 200)

    def scores(**more):
        test, learn, choose = (
            QUESTION.measure(encoded(count, seed, **more)) for count, seed in ((40, 2), (200, 0), (40, 1))
        )
        statistics = QUESTION.score(Evidence(test, learn, choose))
        return {name: statistic(torch.ones(1, 40)).item() for name, statistic in statistics.items()}

    return scores


def test_what_codes_hold_is_read_of_the_slot_that_owns_the_thing(scores):
    got = scores()
    assert got["probes/matched"] == 1
    assert got["probes/size/linear/r2"] > 0.999 and got["probes/shape/linear/accuracy"] == 1
    # the column is in no code
    assert 0.4 < got["probes/position/linear/r2"] < 0.6
    assert got["probes/disentanglement"] > 0.9 and got["probes/completeness"] > 0.8


def test_a_thing_whose_slot_is_left_out_is_guessed(scores):
    got = scores(lost=True)
    # the ground's slot is left for it
    assert got["probes/size/linear/r2"] < 0.8


def test_slots_without_true_masks_cannot_be_matched():
    seen = encoded(3, 0)
    assert missing(QUESTION, seen) is None
    blind = EncodedBatch(seen.model, seen.batch, seen.latent, Truth(seen.truth.present, seen.truth.centres))
    assert "factors" in missing(QUESTION, blind)
    factors = Truth(seen.truth.present, seen.truth.centres, factors=seen.truth.factors)
    assert "matched" in missing(QUESTION, EncodedBatch(seen.model, seen.batch, seen.latent, factors))
