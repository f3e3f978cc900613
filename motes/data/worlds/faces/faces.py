"""Generated faces with the truth: identity, pose, expression, light, hair, background, and 5 or 68
landmarks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch

from motes.data.base import SPLITS, Dataset, Split
from motes.data.kept import Drawn
from motes.data.truth_from_masks import boxes_of, centres_of
from motes.data.worlds.faces.anatomy import Look, five_points, head_of, many_points
from motes.data.worlds.faces.drawing import draw
from motes.data.worlds.faces.sampling import backgrounds, moments, people, repeat
from motes.data.worlds.portable import grey_planes
from motes.errors import UserError
from motes.types.truth import Truth

CROWD = 50  # identities drawn at once; part of what the pixels depend on
EXPRESSION = ("smile", "open", "raise", "frown", "closed")


@dataclass(frozen=True)
class FacesConfig:
    """Several pictures of each of many people, no two splits sharing one."""

    # rows, columns
    image_size: tuple[int, int] = (64, 64)
    # 1: grey
    channels: int = 3
    # training pictures
    count: int = 20000
    # pictures of the validation split, and of the test split
    held_out: int = 1000
    # pictures of one person, in a row
    views: int = 10
    # 5: pupils, tip of the nose, corners of the mouth; 68: the usual order of face tools
    landmarks: int = 5
    # degrees that a head turns to a side at most
    turn: float = 38.0
    # how far off the middle a face may be, in parts of the picture's side
    shift: float = 0.08
    # plain: one grey
    background: Literal["varied", "plain"] = "varied"
    seed: int = 0


class Faces(Dataset):
    """Everything is a function of (seed, split, row): no file, the same pixels on any machine."""

    Config = FacesConfig

    def __init__(self, config: Any, split: Split = "train"):
        if config.channels not in (1, 3):
            raise UserError(f"faces have 1 or 3 channels, not {config.channels}")
        if config.landmarks not in (5, 68):
            raise UserError(f"faces have 5 or 68 landmarks, not {config.landmarks}")
        if min(config.count, config.held_out, config.views) < 1:
            raise UserError(
                f"count {config.count}, held_out {config.held_out} and views {config.views} must all be at least 1"
            )
        if min(config.image_size) < 16:
            raise UserError(f"faces of {config.image_size} pixels cannot be drawn; try image_size 64 64")
        if not (0 <= config.turn <= 60 and 0 <= config.shift <= 0.3):
            raise UserError(
                f"turn {config.turn} must be 0 to 60 degrees and shift {config.shift} 0 to 0.3 of the picture"
            )
        self.config = config
        self.split = split
        self._count = config.count if split == "train" else config.held_out
        self._looks: dict[int, Look] = {}
        self._drawn = Drawn(self._draw)

    def __len__(self) -> int:
        return self._count

    def pixels(self, rows: Sequence[int]) -> np.ndarray:
        return self._drawn(rows)[0]

    def truth(self, rows: Sequence[int]) -> Truth:
        look = self._look(rows)
        numbers = {name: value[:, None] for name, value in look.items() if value.ndim == 1}
        head = head_of(numbers)
        points = five_points(numbers, head) if self.config.landmarks == 5 else many_points(numbers, head)
        seen = np.unpackbits(self._drawn(rows)[1], -1, self.config.image_size[1]).astype(bool)
        sides = np.array(self.config.image_size) - 1
        return Truth(
            present=torch.ones(len(seen), 1, dtype=torch.bool),
            centres=torch.from_numpy(centres_of(seen[:, 1:])),
            boxes=torch.from_numpy(boxes_of(seen[:, :1])),
            masks=torch.from_numpy(seen[:, :1]),
            whole=torch.from_numpy(seen[:, 1:]),
            points=torch.from_numpy((points[..., ::-1] / sides * 2 - 1).astype(np.float32)),
            factors={"colour": torch.from_numpy(look["skin_colour"].astype(np.float32))[:, None]},
            scene=_scene(look),
        )

    def _draw(self, rows: list[int]) -> tuple[np.ndarray, np.ndarray]:
        """Pixels, and the masks with eight pixels in a byte."""
        pixels, masks = draw(self._look(rows), self.config.image_size)
        return pixels if self.config.channels == 3 else grey_planes(pixels), np.packbits(masks, -1)

    def _look(self, rows: Sequence[int]) -> Look:
        """The numbers of these pictures."""
        size = CROWD * self.config.views
        crowds = [self._crowd(int(row) // size) for row in rows]
        return {
            name: np.stack([crowd[name][int(row) % size] for crowd, row in zip(crowds, rows, strict=True)])
            for name in crowds[0]
        }

    def _crowd(self, number: int) -> Look:
        if number not in self._looks:
            config = self.config
            split = SPLITS.index(self.split)
            who, when, where = (
                np.random.default_rng(np.random.SeedSequence([config.seed, split, number, n]))
                for n in range(3)
            )
            count = CROWD * config.views
            look = repeat(people(who, CROWD), config.views)
            look |= moments(when, count, config.image_size, config.turn, config.shift) | backgrounds(
                where, count
            )
            look["identity"] = (number * CROWD + np.arange(count) // config.views) * len(
                SPLITS
            ) + split  # no two splits share one
            if config.background == "plain":
                look["back_first"] = np.full((count, 3), 0.6)
                look["back_second"] = np.full((count, 3), 0.6)
                look["back_kind"] = np.zeros(count)
            self._looks[number] = look
        return self._looks[number]


def _scene(look: Look) -> dict[str, torch.Tensor]:
    def together(*names: str) -> torch.Tensor:
        return torch.from_numpy(np.stack([look[name] for name in names], -1).astype(np.float32))

    return {
        "identity": torch.from_numpy(look["identity"]),
        "pose": together("yaw", "pitch", "roll"),  # degrees
        "expression": together(*EXPRESSION),
        "light": together("light_x", "light_y", "light_z"),  # where it comes from: right, down, to the viewer
        "hair": torch.from_numpy(look["hair_colour"].astype(np.float32)),
        "style": torch.from_numpy(look["style"]),
    }
