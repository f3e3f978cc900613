"""Pictures: the median of the training pictures is the rival, and pooled decibels do not flatter."""

import pytest
import torch
from toy_stripes import GridModel, Stripes

from motes.data.base import Dataset
from motes.errors import UserError
from motes.evaluation import Asked, evaluate
from motes.evaluation.background import Background
from motes.models.base import Model
from motes.types.batch import Losses
from motes.types.latents import Code


class Rooms(Dataset):
    """A still room with one bright pixel that moves by row; the test split sees other rows of it."""

    Config = Stripes.Config

    def __init__(self, split="train", count=301, side=16):
        self.split, self.count, self.side, self.read = split, count, side, []

    def __len__(self):
        return self.count

    @property
    def image_shape(self):
        return (1, self.side, self.side)

    @property
    def frames(self):
        return 1

    def pixels(self, rows):
        self.read += rows
        room = torch.arange(self.side**2).view(1, self.side, self.side) % 200
        pictures = room.to(torch.uint8).repeat(len(rows), 1, 1, 1)
        for number, row in enumerate(rows):
            pictures[number, 0, row % self.side, row // self.side % self.side] = 255
        return pictures.numpy()


class Blank(Model):
    """Draws white pictures, but for those whose first pixel is bright."""

    def __init__(self):
        super().__init__()
        self.gain = torch.nn.Parameter(torch.ones(()))

    def loss(self, batch):
        return Losses(self.gain, {})

    def encode(self, image):
        return Code(image.flatten(1))

    def decode(self, latent):
        image = latent.vector.view(-1, 1, 16, 16)
        return torch.where(image[:, :, :1, :1] > 0.9, image, torch.ones_like(image))


def test_the_median_is_the_room_without_what_moves_and_is_read_once():
    opened = {}

    def open(split):
        return opened.setdefault(split, Rooms(split))

    background = Background(open)
    room = torch.arange(256).view(16, 16) % 200
    torch.testing.assert_close(background.median[0, 0], room.double() / 255)
    assert background.median is background.median and len(opened["train"].read) == 256
    assert opened["train"].read == opened["train"].sample(256), "spread over the split"
    assert list(opened) == ["train"]


def test_the_rival_stands_beside_the_reconstruction_and_is_the_better_of_two_bad_ones():
    scores = evaluate(Blank(), Rooms("test"), 20, asked=Asked(("pictures",), open=Rooms))
    assert scores["psnr_median"].value > scores["psnr"].value + 10
    assert scores["psnr_median_pooled"].value > scores["psnr_pooled"].value
    alone = evaluate(Blank(), Rooms("test"), 20, asked=Asked(("pictures",)))
    assert set(alone) - {"lpips"} == {"psnr", "psnr_pooled", "ssim", "mse"}


def test_one_perfect_picture_lifts_the_mean_of_decibels_and_not_the_pooled_ones():
    scores = evaluate(Blank(), Rooms("test"), 20, asked=Asked(("pictures",)))
    wrong = evaluate(Blank(), Rooms("test", count=1), asked=Asked(("pictures",)))
    assert wrong["psnr"].value == pytest.approx(100), "its bright pixel is the first, so it is drawn exactly"
    assert scores["psnr"].value > scores["psnr_pooled"].value + 3
    mse = scores["mse"].value
    assert scores["psnr_pooled"].value == pytest.approx(-10 * torch.log10(torch.tensor(mse)).item(), abs=1e-4)
    assert scores["psnr_pooled"].low <= scores["psnr_pooled"].value <= scores["psnr_pooled"].high


def test_without_training_pictures_the_rival_is_left_out():
    def none(split):
        raise UserError("there is no such split")

    for open in (none, lambda split: Rooms(split, count=0), None):
        assert Background(open).median is None
    scores = evaluate(GridModel(), Stripes(Stripes.Config(), "test"), asked=Asked(("pictures",), open=none))
    assert "psnr" in scores and "psnr_median" not in scores
