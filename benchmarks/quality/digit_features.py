"""A classifier of the digits, trained in seconds, whose
features say how far drawn digits are from written ones.
"""

from functools import cache
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from motes.apps.drawing.marks import sheet, to_picture
from motes.data.base import Split
from motes.data.published.digits import Digits, DigitsConfig
from motes.nn.blocks.mlp import mlp
from motes.ops.scores.metrics import frechet_distance
from motes.types.latents import Image


@cache
def digits(split: Split) -> tuple[Image, Int[Tensor, "B"]]:
    """All pictures of a split and their classes."""
    data = Digits(DigitsConfig(), split)
    rows = range(len(data))
    return data.batch(rows).image, data.truth(rows).scene["class"]


class Classifier(nn.Module):
    """64 pixels, 64 and 32 hidden numbers; the 32 are the features."""

    def __init__(self, seed: int, steps: int = 1500):
        super().__init__()
        torch.manual_seed(1000 + seed)
        self.body = nn.Sequential(nn.Flatten(), mlp(64, 64, 32), nn.ReLU())
        self.top = nn.Linear(32, 10)
        image, label = digits("train")
        optimizer = torch.optim.Adam(self.parameters(), 2e-3, weight_decay=1e-4)
        for _ in range(steps):
            rows = torch.randint(len(image), (64,))
            optimizer.zero_grad()
            nn.functional.cross_entropy(self.top(self.body(image[rows])), label[rows]).backward()
            optimizer.step()
        self.requires_grad_(False)

    def accuracy(self) -> float:
        image, label = digits("test")
        return (self.top(self.body(image)).argmax(1) == label).float().mean().item()

    def distance(self, drawn: Image, split: Split = "test") -> float:
        """Frechet distance of the features to those of written digits."""
        return frechet_distance(self.body(drawn), self.body(digits(split)[0]))


def mean_squared(drawn: Float[Tensor, "B C H W"], target: Float[Tensor, "B C H W"]) -> float:
    return (drawn - target).square().mean().item()


def draw_rows(rows: list[Image], path: Path, side: int = 32) -> None:
    """A sheet with a row of pictures each."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet([[to_picture(picture, side) for picture in row] for row in rows], 3).save(path, optimize=True)
