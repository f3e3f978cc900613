"""Generated chairs, each class seen from all around, with masks: what a generator that is told class and
view learns from."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from motes.data.base import Dataset, Split
from motes.data.kept import Drawn
from motes.data.truth_from_masks import boxes_of, centres_of
from motes.data.worlds.chairs.anatomy import Part, chair
from motes.data.worlds.chairs.drawing import Eye, draw
from motes.data.worlds.dice import Dice
from motes.data.worlds.generated import grey, to_bytes
from motes.data.worlds.portable import PI, cosine, sine
from motes.errors import UserError
from motes.types.truth import Truth


@dataclass(frozen=True)
class ChairsConfig:
    """Some classes are seen from every side in training; of the others, only every few sides, and the rest
    is held out."""

    # rows, columns
    image_size: tuple[int, int] = (64, 64)
    # 1: grey
    channels: int = 3
    # chairs
    classes: int = 40
    # sides from which a chair is seen, evenly around
    azimuths: int = 24
    # degrees above the floor
    elevations: tuple[float, ...] = (20.0, 40.0)
    # share of the classes of which training sees every few azimuths only
    sparse: float = 0.5
    # those; what lies between goes to validation and test by turns
    every: int = 4
    # rays a pixel's side
    fine: int = 2
    # another seed, other chairs
    seed: int = 0


class Chairs(Dataset):
    """A row is a class and a view; `scene` has the class, and the view as azimuth and elevation in
    radians."""

    Config = ChairsConfig

    def __init__(self, config: ChairsConfig, split: Split = "train"):
        _check(config)
        self.config = config
        self.split = split
        self._sides = config.azimuths * len(config.elevations)
        self._pairs = self._listed()
        self._chairs: dict[int, list[Part]] = {}
        self._drawn = Drawn(self._draw)

    def __len__(self) -> int:
        return len(self._pairs)

    def pixels(self, rows: Sequence[int]) -> np.ndarray:
        return self._drawn(rows)[0]

    def truth(self, rows: Sequence[int]) -> Truth:
        covered = np.unpackbits(self._drawn(rows)[1], -1, self.config.image_size[1]).astype(bool)
        classes, view = self._told(np.asarray(rows, np.int64))
        return Truth(
            present=torch.ones(len(covered), 1, dtype=torch.bool),
            centres=torch.from_numpy(centres_of(covered[:, None])),
            boxes=torch.from_numpy(boxes_of(covered[:, None])),
            masks=torch.from_numpy(covered[:, None]),
            whole=torch.from_numpy(covered[:, None]),
            scene={"class": torch.from_numpy(classes), "view": torch.from_numpy(view.astype(np.float32))},
        )

    def _listed(self) -> np.ndarray:
        """The split's pairs of class and view, as one number each, in an order without order."""
        config = self.config
        every = np.arange(config.classes * self._sides)
        classes = every // self._sides
        azimuth = every % self._sides % config.azimuths
        sparse = np.floor((classes + 1) * config.sparse) > np.floor(classes * config.sparse)
        away = sparse & (azimuth % config.every > 0)
        order = np.argsort(Dice.of_rows(config.seed, "train", every).uniform("order"), kind="stable")
        held = order[away[order]]
        return {"train": order[~away[order]], "validation": held[0::2], "test": held[1::2]}[self.split]

    def _told(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Classes, and views as azimuth and elevation in radians."""
        classes, side = np.divmod(self._pairs[rows], self._sides)
        level, turn = np.divmod(side, self.config.azimuths)
        elevation = np.array(self.config.elevations)[level] * PI / 180
        return classes, np.stack([turn * 2 * PI / self.config.azimuths, elevation], -1)

    def _draw(self, rows: list[int]) -> tuple[np.ndarray, np.ndarray]:
        """Pixels, and masks with eight pixels in a byte."""
        pictures = []
        masks = []
        classes, views = self._told(np.array(rows))
        turns = np.stack([cosine(views), sine(views)], -1).tolist()
        for number, (turn, rise) in zip(classes.tolist(), turns, strict=True):
            if number not in self._chairs:
                self._chairs[number] = chair(Dice.of_rows(self.config.seed, "validation", [number]))
            light, cover = draw(
                self._chairs[number],
                Eye.at((turn[0], turn[1]), (rise[0], rise[1])),
                self.config.image_size,
                self.config.fine,
            )
            pictures.append(to_bytes(light))
            masks.append(np.packbits(cover >= 0.5, -1))
        pixels = np.stack(pictures)
        pixels = pixels if self.config.channels == 3 else grey(pixels)
        return np.ascontiguousarray(pixels.transpose(0, 3, 1, 2)), np.stack(masks)


def _check(config: ChairsConfig) -> None:
    if config.channels not in (1, 3):
        raise UserError(f"pictures have 1 or 3 channels, not {config.channels}")
    if min(config.image_size) < 16 or not 1 <= config.fine <= 8:
        raise UserError(
            f"image_size {config.image_size} must be at least 16 a side, and fine {config.fine} from 1 to 8"
        )
    if config.classes < 1 or config.azimuths < 2 or not config.elevations:
        raise UserError(
            f"classes {config.classes} must be at least 1, azimuths {config.azimuths} at least 2, and some elevation be named"
        )
    if any(not -10 <= one <= 85 for one in config.elevations):
        raise UserError(f"elevations {config.elevations} must lie from -10 to 85 degrees")
    if not 0 <= config.sparse <= 1 or config.every < 1:
        raise UserError(f"sparse {config.sparse} must be from 0 to 1 and every {config.every} at least 1")
    if config.classes * config.sparse < 1 or config.every < 2 or config.azimuths < 3:
        raise UserError("no view is held out; raise sparse to a class at least, every to 2 and azimuths to 3")
