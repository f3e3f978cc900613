"""Generated faces and their truth: identity, pose, expression, light, hair, background and landmarks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch

from motes.data.base import SPLITS, Dataset, Split
from motes.data.kept import RowCache
from motes.data.truth_from_masks import boxes_of, centres_of
from motes.data.worlds.dice import Dice
from motes.data.worlds.faces.drawing import draw_faces
from motes.data.worlds.faces.geometry import Look
from motes.data.worlds.faces.head import head_of
from motes.data.worlds.faces.landmarks import five_points, sixty_eight_points
from motes.data.worlds.faces.sampling import backgrounds, people, picture_looks, repeat
from motes.data.worlds.faces.wild import clutter, hidden, wild_looks
from motes.data.worlds.portable import Array, grey_planes
from motes.data.worlds.spoiled import spoiled
from motes.errors import UserError
from motes.types.truth import Truth

CROWD = 50  # identities drawn at once; part of what the pixels depend on
EXPRESSION = ("smile", "open", "raise", "frown", "closed")


@dataclass(frozen=True)
class FacesConfig:
    """Several pictures of each of many people. No two splits share a person."""

    # rows, columns
    image_size: tuple[int, int] = (64, 64)
    # 1: grey, 3: colours
    channels: int = 3
    # training pictures
    count: int = 20000
    # pictures of the validation split, and of the test split
    held_out: int = 1000
    # number of consecutive pictures that show one person
    views: int = 10
    # 5: pupils, tip of the nose, corners of the mouth; 68: the usual order of face tools
    landmarks: int = 5
    # degrees that a head turns to a side at most
    turn: float = 38.0
    # how far off the middle a face may be, as a share of the picture's side
    shift: float = 0.08
    # varied: patterns of two colours; plain: one grey
    background: Literal["varied", "plain"] = "varied"
    # as photographs have them: unaligned, in harsh light, before clutter, partly hidden, blurred and noisy
    wild: bool = False
    # another seed, other people
    seed: int = 0


class Faces(Dataset):
    """Pictures of faces. Each is a function of (seed, split, row): no file, the same pixels on any
    machine."""

    Config = FacesConfig

    def __init__(self, config: Any, split: Split = "train"):
        _check(config)
        self.config = config
        self.split: Split = split
        self._count = config.count if split == "train" else config.held_out
        self._looks: dict[int, Look] = {}
        self._drawn = RowCache(self._draw)

    def __len__(self) -> int:
        return self._count

    def pixels(self, rows: Sequence[int]) -> Array:
        return self._drawn(rows)[0]

    def truth(self, rows: Sequence[int]) -> Truth:
        look = self._look(rows)
        masks = np.unpackbits(self._drawn(rows)[1], -1, self.config.image_size[1]).astype(bool)
        visible = masks[:, :1]
        full = masks[:, 1:]
        colour = look["skin_colour"].astype(np.float32)
        return Truth(
            present=torch.ones(len(masks), 1, dtype=torch.bool),
            centres=torch.from_numpy(centres_of(full)),
            boxes=torch.from_numpy(boxes_of(visible)),
            masks=torch.from_numpy(visible),
            whole=torch.from_numpy(full),
            points=torch.from_numpy(self._landmarks(look)),
            factors={"colour": torch.from_numpy(colour)[:, None]},
            scene=_scene(look),
        )

    def _landmarks(self, look: Look) -> Array:
        """The landmarks, float32, B P 2: (row, column) in [-1, 1]."""
        numbers = {name: value[:, None] for name, value in look.items() if value.ndim == 1}
        landmarks = five_points if self.config.landmarks == 5 else sixty_eight_points
        points = landmarks(numbers, head_of(numbers))
        sides = np.array(self.config.image_size) - 1
        return (points[..., ::-1] / sides * 2 - 1).astype(np.float32)

    def _draw(self, rows: list[int]) -> tuple[Array, Array]:
        """The pixels of these rows, and the masks with eight pixels packed into a byte."""
        size = self.config.image_size
        look = self._look(rows)
        if not self.config.wild:
            pixels, masks = draw_faces(look, size)
        else:
            dice = self._dice(rows)
            pixels, masks = draw_faces(look, size, clutter(dice, size))
            pixels, masks = hidden(dice, look, pixels, masks)
            pixels = spoiled(dice, pixels)
        return pixels if self.config.channels == 3 else grey_planes(pixels), np.packbits(masks, -1)

    def _look(self, rows: Sequence[int]) -> Look:
        """The look of these pictures: the arrays of numbers from which they are drawn."""
        size = CROWD * self.config.views
        crowds = [self._crowd(int(row) // size) for row in rows]
        look = {
            name: np.stack([crowd[name][int(row) % size] for crowd, row in zip(crowds, rows, strict=True)])
            for name in crowds[0]
        }
        return wild_looks(self._dice(rows), look, self.config.image_size) if self.config.wild else look

    def _dice(self, rows: Sequence[int]) -> Dice:
        return Dice.of_rows(self.config.seed, self.split, rows)

    def _crowd(self, number: int) -> Look:
        """The look of all pictures of one block of people."""
        if number not in self._looks:
            self._looks[number] = self._drawn_crowd(number)
        return self._looks[number]

    def _drawn_crowd(self, number: int) -> Look:
        config = self.config
        split = SPLITS.index(self.split)
        for_people, for_pictures, for_backgrounds = (
            np.random.default_rng(np.random.SeedSequence([config.seed, split, number, n])) for n in range(3)
        )
        count = CROWD * config.views
        look = repeat(people(for_people, CROWD), config.views)
        look |= picture_looks(for_pictures, count, config.image_size, config.turn, config.shift)
        look |= backgrounds(for_backgrounds, count)
        # no two splits share an identity
        person = number * CROWD + np.arange(count) // config.views
        look["identity"] = person * len(SPLITS) + split
        return look | _plain_background(count) if config.background == "plain" else look


def _check(config: Any) -> None:
    if config.channels not in (1, 3):
        raise UserError(f"faces have 1 or 3 channels, not {config.channels}")
    if config.landmarks not in (5, 68):
        raise UserError(f"faces have 5 or 68 landmarks, not {config.landmarks}")
    _check_counts(config)
    if not (0 <= config.turn <= 60 and 0 <= config.shift <= 0.3):
        raise UserError(
            f"turn {config.turn} must be 0 to 60 degrees and shift {config.shift} 0 to 0.3 of the picture"
        )


def _check_counts(config: Any) -> None:
    if min(config.count, config.held_out, config.views) < 1:
        raise UserError(
            f"count {config.count}, held_out {config.held_out} and views {config.views} "
            "must all be at least 1"
        )
    if min(config.image_size) < 16:
        raise UserError(f"faces of {config.image_size} pixels cannot be drawn; try image_size 64 64")


def _plain_background(count: int) -> Look:
    grey_colour = np.full((count, 3), 0.6)
    return {"back_first": grey_colour, "back_second": grey_colour, "back_kind": np.zeros(count)}


def _scene(look: Look) -> dict[str, torch.Tensor]:
    return {
        "identity": torch.from_numpy(look["identity"]),
        # degrees
        "pose": _joined(look, "yaw", "pitch", "roll"),
        "expression": _joined(look, *EXPRESSION),
        # where it comes from: right, down, to the viewer
        "light": _joined(look, "light_x", "light_y", "light_z"),
        "hair": torch.from_numpy(look["hair_colour"].astype(np.float32)),
        "style": torch.from_numpy(look["style"]),
    }


def _joined(look: Look, *names: str) -> torch.Tensor:
    return torch.from_numpy(np.stack([look[name] for name in names], -1).astype(np.float32))
