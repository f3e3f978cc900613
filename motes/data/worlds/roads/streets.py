"""Generated streets: sky, road, houses, cars and trees, each class with its own texture and shading, and the
layout that says what is where."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from motes.data.base import Split
from motes.data.kept import Drawn
from motes.data.worlds.generated import Generated, to_bytes
from motes.data.worlds.roads.street_drawing import street
from motes.types.truth import Truth

FINE = 2  # points a pixel's side
CLASSES = ("sky", "road", "building", "car", "tree")


@dataclass(frozen=True)
class StreetsConfig:
    """Windows, clouds, leaves, grain and colours are not in the layout: many pictures have the same."""

    # rows, columns
    image_size: tuple[int, int] = (48, 80)
    # 1: grey
    channels: int = 3
    # training pictures
    count: int = 4000
    # pictures of the validation split, and of the test split
    held_out: int = 500
    # another seed gives other pictures
    seed: int = 0


class Streets(Generated):
    """`Truth.scene["layout"]`: of each pixel the class, a place in CLASSES."""

    Config = StreetsConfig
    area = 2**17

    def __init__(self, config: StreetsConfig, split: Split = "train"):
        super().__init__(config, split)
        self._drawn = Drawn(self._draw)

    def truth(self, rows: Sequence[int]) -> Truth:
        layout = torch.from_numpy(self._drawn(self._checked(rows).tolist())[1]).long()
        return Truth(torch.ones(len(layout), 1, dtype=torch.bool), scene={"layout": layout})

    def _paint(self, rows: np.ndarray) -> np.ndarray:
        return self._drawn(rows.tolist())[0]

    def _draw(self, rows: list[int]) -> tuple[np.ndarray, np.ndarray]:
        colour, classes = street(self._dice(rows), self.config.image_size, FINE)
        corners = [colour[:, row::FINE, column::FINE] for row in range(FINE) for column in range(FINE)]
        total = corners[0]
        for one in corners[1:]:
            total = total + one
        return to_bytes(total / FINE**2), classes[:, ::FINE, ::FINE].astype(np.uint8)
