"""Generated chairs with masks, each class seen from all sides, for generators that are given class and
view."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from motes.data.base import Dataset, Split
from motes.data.kept import RowCache
from motes.data.truth_from_masks import boxes_of, centres_of
from motes.data.worlds.chairs.anatomy import chair
from motes.data.worlds.chairs.drawing import ChairCamera, draw_chair
from motes.data.worlds.chairs.parts import Part
from motes.data.worlds.dice import Dice
from motes.data.worlds.generated import grey, to_bytes
from motes.data.worlds.portable import PI, Array, cosine, sine
from motes.errors import UserError
from motes.types.truth import Truth


@dataclass(frozen=True)
class ChairsConfig:
    """Training shows some classes from all sides, and the others from few; the other views are held out."""

    # rows, columns
    image_size: tuple[int, int] = (64, 64)
    # 1: grey, 3: colours
    channels: int = 3
    # number of chairs
    classes: int = 40
    # sides from which a chair is seen, evenly around
    azimuths: int = 24
    # degrees above the floor
    elevations: tuple[float, ...] = (20.0, 40.0)
    # share of the classes that training shows from few azimuths only
    sparse: float = 0.5
    # of these classes, training shows every n-th azimuth; those between go to validation and test in turn
    every: int = 4
    # rays along a pixel's side
    fine: int = 2
    # another seed, other chairs
    seed: int = 0


class Chairs(Dataset):
    """Pictures of chairs; a row is a class and a view.

    `scene` has the class, and the view as azimuth and elevation in radians.
    """

    Config = ChairsConfig

    def __init__(self, config: ChairsConfig, split: Split = "train"):
        _check(config)
        self.config = config
        self.split = split
        self._pairs = self._split_pairs()
        self._chairs: dict[int, list[Part]] = {}
        self._drawn = RowCache(self._draw)

    @property
    def _sides(self) -> int:
        """The number of sides from which each class is seen."""
        return self.config.azimuths * len(self.config.elevations)

    def __len__(self) -> int:
        return len(self._pairs)

    def pixels(self, rows: Sequence[int]) -> Array:
        return self._drawn(rows)[0]

    def truth(self, rows: Sequence[int]) -> Truth:
        masks = np.unpackbits(self._drawn(rows)[1], -1, self.config.image_size[1]).astype(bool)[:, None]
        classes, views = self._classes_and_views(np.asarray(rows, np.int64))
        return Truth(
            present=torch.ones(len(masks), 1, dtype=torch.bool),
            centres=torch.from_numpy(centres_of(masks)),
            boxes=torch.from_numpy(boxes_of(masks)),
            masks=torch.from_numpy(masks),
            whole=torch.from_numpy(masks),
            scene={"class": torch.from_numpy(classes), "view": torch.from_numpy(views.astype(np.float32))},
        )

    def _split_pairs(self) -> Array:
        """The pairs of class and view of this split, as one number each, shuffled."""
        config = self.config
        pairs = np.arange(config.classes * self._sides)
        order = self._shuffled(pairs)
        held_out = self._held_out(pairs)[order]
        held = order[held_out]
        return {"train": order[~held_out], "validation": held[0::2], "test": held[1::2]}[self.split]

    def _shuffled(self, pairs: Array) -> Array:
        dice = Dice.of_rows(self.config.seed, "train", pairs)
        return np.argsort(dice.uniform("order"), kind="stable")

    def _held_out(self, pairs: Array) -> Array:
        """Whether training does not show these pairs."""
        share = self.config.sparse
        classes = pairs // self._sides
        azimuth = pairs % self._sides % self.config.azimuths
        sparse = np.floor((classes + 1) * share) > np.floor(classes * share)
        return np.asarray(sparse & (azimuth % self.config.every > 0))

    def _classes_and_views(self, rows: Array) -> tuple[Array, Array]:
        """The class of each row, and its view as azimuth and elevation in radians."""
        classes, side = np.divmod(self._pairs[rows], self._sides)
        level, turn = np.divmod(side, self.config.azimuths)
        elevation = np.array(self.config.elevations)[level] * PI / 180
        return classes, np.stack([turn * 2 * PI / self.config.azimuths, elevation], -1)

    def _draw(self, rows: list[int]) -> tuple[Array, Array]:
        """The pixels of these rows, and their masks with eight pixels packed into a byte."""
        classes, views = self._classes_and_views(np.array(rows))
        turns = np.stack([cosine(views), sine(views)], -1).tolist()
        drawn = [self._draw_view(number, *turn) for number, turn in zip(classes.tolist(), turns, strict=True)]
        return self._pixels(np.stack([picture for picture, _ in drawn])), np.stack(
            [mask for _, mask in drawn]
        )

    def _pixels(self, pictures: Array) -> Array:
        """Pictures B H W 3 as the configuration wants them: B C H W."""
        pixels = pictures if self.config.channels == 3 else grey(pictures)
        return np.ascontiguousarray(pixels.transpose(0, 3, 1, 2))

    def _draw_view(self, number: int, azimuth: list[float], elevation: list[float]) -> tuple[Array, Array]:
        """The picture and the mask of a class from one side; both angles are given as (cosine, sine)."""
        camera = ChairCamera.at((azimuth[0], azimuth[1]), (elevation[0], elevation[1]))
        light, cover = draw_chair(self._parts(number), camera, self.config.image_size, self.config.fine)
        return to_bytes(light), np.packbits(cover >= 0.5, -1)

    def _parts(self, number: int) -> list[Part]:
        if number not in self._chairs:
            self._chairs[number] = chair(Dice.of_rows(self.config.seed, "validation", [number]))
        return self._chairs[number]


def _check(config: ChairsConfig) -> None:
    if config.channels not in (1, 3):
        raise UserError(f"pictures have 1 or 3 channels, not {config.channels}")
    if min(config.image_size) < 16 or not 1 <= config.fine <= 8:
        raise UserError(
            f"image_size {config.image_size} must be at least 16 a side, and fine {config.fine} from 1 to 8"
        )
    _check_views(config)
    _check_held_out(config)


def _check_views(config: ChairsConfig) -> None:
    if config.classes < 1 or config.azimuths < 2 or not config.elevations:
        raise UserError(
            f"classes {config.classes} must be at least 1, azimuths {config.azimuths} at least 2, "
            "and some elevation be named"
        )
    if any(not -10 <= elevation <= 85 for elevation in config.elevations):
        raise UserError(f"elevations {config.elevations} must lie from -10 to 85 degrees")


def _check_held_out(config: ChairsConfig) -> None:
    if not 0 <= config.sparse <= 1 or config.every < 1:
        raise UserError(f"sparse {config.sparse} must be from 0 to 1 and every {config.every} at least 1")
    if config.classes * config.sparse < 1 or config.every < 2 or config.azimuths < 3:
        raise UserError("no view is held out; raise sparse to a class at least, every to 2 and azimuths to 3")
