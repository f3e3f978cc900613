"""A model that finds a red and a green spot exactly, and films in which they move."""

import csv
from dataclasses import dataclass

import torch
from PIL import Image, ImageDraw
from torch import nn

from motes.apps.cli.main import run_command
from motes.apps.drawing.film import Film
from motes.apps.session.session import Session
from motes.models.base import Model
from motes.ops.points.pixels import positions_of_pixels
from motes.types.latents import Particles


@dataclass(frozen=True)
class SpotsConfig:
    image_size: tuple = (48, 64)
    channels: int = 3
    glimpse_size: int = 10


class Spots(Model):
    """Particle k is the spot of one colour, but the order changes from picture to picture."""

    Config = SpotsConfig

    def __init__(self, size=(48, 64)):
        super().__init__()
        self.config = SpotsConfig(size)
        self.nothing = nn.Parameter(torch.zeros(1))

    def loss(self, batch):
        raise NotImplementedError

    def encode(self, image):
        shown = image[:, :2] > 0.5
        shown = shown & (image[:, 2:] < 0.4)
        rows = torch.arange(image.shape[2], dtype=torch.float32)[:, None]
        columns = torch.arange(image.shape[3], dtype=torch.float32)
        area = shown.sum((2, 3)).clamp_min(1)
        place = torch.stack([(shown * rows).sum((2, 3)) / area, (shown * columns).sum((2, 3)) / area], -1)
        features = torch.eye(2).expand(len(image), -1, -1)
        turned = (image.sum((1, 2, 3)) * 100).long() % 2 == 1
        order = torch.where(turned[:, None], torch.tensor([1, 0]), torch.tensor([0, 1]))
        zeros = torch.zeros_like(place)
        particles = Particles(
            position=positions_of_pixels(place, self.config.image_size),
            log_variance=zeros - 8,
            features=features,
            feature_log_variance=torch.zeros_like(features) - 8,
            presence=(shown.sum((2, 3)) > 3).float(),
            background=zeros[:, 0],
        )
        return particles.reordered(order)

    def decode(self, latent):
        return torch.zeros(len(latent), 3, *self.config.image_size)


def places(frame):
    """Where the red and the green spot are, (row, column) in pixels of a film of 96 x 128."""
    return {"red": (30.0, 20.0 + 3 * frame), "green": (70.0, 100.0 - 3 * frame)}


def picture(frame, hidden=()):
    """One frame; a spot covers 13 pixels in each direction."""
    drawn = Image.new("RGB", (128, 96))
    pen = ImageDraw.Draw(drawn)
    for colour, (row, column) in places(frame).items():
        if colour not in hidden:
            fill = (255, 0, 0) if colour == "red" else (0, 255, 0)
            pen.rectangle([column - 6, row - 6, column + 6, row + 6], fill=fill)
    return drawn


def write_video(path, frames):
    """A video of the moving spots, ten frames a second."""
    with Film(path, 10.0, crf=4) as film:
        for frame in range(frames):
            film.add(picture(frame))
    return path


def command_of(model, name, folder, monkeypatch):
    """Calls a command of motes with this model as its run; it writes to, and gives, folder/out."""
    monkeypatch.setattr(Session, "open", classmethod(lambda cls, *_, **__: cls(model)))
    run = folder / "run"
    run.mkdir()

    def call(*words):
        run_command([name, str(run), *map(str, words), "--out", str(folder / "out")])
        return folder / "out"

    return call


def table(folder):
    with (folder / "tracks.csv").open() as file:
        return list(csv.DictReader(file))
