"""Generated pictures of three tetrominoes that do not overlap, of six colours on black, 35 pixels a side:
the published recipe.

The published set names 17 of the orientations without a list; all 19 that there are occur here. Blocks lie
on a grid of whole blocks.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from motes.data.base import Split
from motes.data.truth_from_masks import boxes_of
from motes.data.worlds.dice import Dice
from motes.data.worlds.generated import Generated, normalised
from motes.errors import UserError
from motes.types.truth import Truth

PIECES = {
    "I": "xxxx",
    "O": "xx/xx",
    "T": "xxx/.x.",
    "L": "xxx/x..",
    "J": "xxx/..x",
    "S": ".xx/xx.",
    "Z": "xx./.xx",
}
COLOURS = np.array(
    [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 0], [255, 0, 255], [0, 255, 255]], np.uint8
)
TRIES = 2000  # arrangements tried for a picture; three fit at about every third


def _orientations() -> list[np.ndarray]:
    """bool arrays, each piece turned by quarters, none twice."""
    found: list[np.ndarray] = []
    for rows in PIECES.values():
        piece = np.array([[cell == "x" for cell in row] for row in rows.split("/")])
        for turns in range(4):
            turned = np.rot90(piece, turns)
            if not any(np.array_equal(turned, one) for one in found):
                found.append(turned)
    return found


CELLS = np.array([np.argwhere(piece) for piece in _orientations()])  # 19 4 2: rows and columns of the blocks
EXTENT = CELLS.max(1) + 1


@dataclass(frozen=True)
class TetrominoesConfig:
    """Every arrangement in which no two pieces overlap is as likely as any other."""

    # rows, columns: whole blocks
    image_size: tuple[int, int] = (35, 35)
    # 1: grey
    channels: int = 3
    # training pictures
    count: int = 60000
    # pictures of the validation split, and of the test split
    held_out: int = 1000
    # tetrominoes in every picture
    pieces: int = 3
    # pixels a block's side
    block: int = 5
    # another seed, other pictures
    seed: int = 0


class Tetrominoes(Generated):
    """Nothing hides anything: visible and whole masks are the same."""

    Config = TetrominoesConfig

    def __init__(self, config: TetrominoesConfig, split: Split = "train"):
        super().__init__(config, split)
        if config.block < 1 or any(
            side % config.block or side < 4 * config.block for side in config.image_size
        ):
            raise UserError(
                f"image_size {config.image_size} must be whole blocks of {config.block} pixels, four at least, such as 35 35"
            )
        self._grid = np.array(config.image_size) // config.block
        if not 1 <= config.pieces <= self._grid.prod() // 12:
            raise UserError(
                f"pieces must be from 1 to {self._grid.prod() // 12} for {config.image_size}, not {config.pieces}"
            )

    def truth(self, rows: Sequence[int]) -> Truth:
        scene = self._scene(self._dice(self._checked(rows)))
        count, pieces = scene["kind"].shape
        cells = scene["cells"]
        small = np.zeros((count, pieces, *self._grid), bool)
        small[np.arange(count)[:, None, None], np.arange(pieces)[:, None], cells[..., 0], cells[..., 1]] = (
            True
        )
        whole = self._enlarged(small, 2)
        centre = (cells.mean(2) + 0.5) * self.config.block - 0.5
        return Truth(
            present=torch.ones(count, pieces, dtype=torch.bool),
            centres=torch.from_numpy(normalised(centre, self.config.image_size)),
            boxes=torch.from_numpy(boxes_of(whole)),
            masks=torch.from_numpy(whole),
            whole=torch.from_numpy(whole),
            factors={
                "shape": torch.from_numpy(scene["kind"]),
                "colour": torch.from_numpy(self._colours(COLOURS[scene["colour"]])),
            },
        )

    def _paint(self, rows: np.ndarray) -> np.ndarray:
        scene = self._scene(self._dice(rows))
        small = np.zeros((len(rows), *self._grid, 3), np.uint8)
        cells = scene["cells"]
        small[np.arange(len(rows))[:, None, None], cells[..., 0], cells[..., 1]] = COLOURS[scene["colour"]][
            :, :, None
        ]
        return self._enlarged(small, 1)

    def _enlarged(self, blocks: np.ndarray, axis: int) -> np.ndarray:
        return blocks.repeat(self.config.block, axis).repeat(self.config.block, axis + 1)

    def _scene(self, dice: Dice) -> dict[str, np.ndarray]:
        """Kinds and colours, and the pieces' blocks: B N 4 2."""
        pieces = self.config.pieces
        kind = dice.integers("shape", 0, len(CELLS) - 1, pieces)
        colour = dice.integers("colour", 0, len(COLOURS) - 1, pieces)
        cells = np.zeros((len(dice), pieces, 4, 2), np.int64)
        open_ = np.arange(len(dice))
        for attempt in range(TRIES):
            if not len(open_):
                return {"kind": kind, "colour": colour, "cells": cells}
            # the kinds are thrown again with the places, or pieces that fit nearly everywhere would come too
            # often
            if attempt:
                kind[open_] = dice.of(open_).integers(f"shape {attempt}", 0, len(CELLS) - 1, pieces)
            room = self._grid - EXTENT[kind[open_]] + 1
            corner = np.floor(dice.of(open_).uniform(f"place {attempt}", pieces, 2) * room).astype(np.int64)
            cells[open_] = corner[:, :, None] + CELLS[kind[open_]]
            used = np.sort(
                (cells[open_, ..., 0] * self._grid[1] + cells[open_, ..., 1]).reshape(len(open_), -1), 1
            )
            open_ = open_[(used[:, 1:] == used[:, :-1]).any(1)]
        raise UserError(f"{pieces} pieces hardly fit {self.config.image_size}; ask for fewer")
