"""Generated pictures of three tetrominoes that do not overlap, of six colours on black, 35 pixels a side, by
the published recipe.

The published set says that it has 17 orientations and does not list them; all 19 possible ones occur here.
Blocks lie on a grid of whole blocks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from motes.data.base import Split
from motes.data.truth_from_masks import boxes_of
from motes.data.worlds.dice import Dice
from motes.data.worlds.flat.tilings import tilings_of
from motes.data.worlds.generated import Generated, normalised
from motes.data.worlds.portable import Array
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
# arrangements tried for a picture; three pieces fit in about every third, and one in five of those is ambiguous
TRIES = 2000
# of an ambiguous picture; few unions have more
MOST_TILINGS = 16


def _piece(picture: str) -> Array:
    """The blocks of a piece drawn as text: bool, true at each x; strokes separate the rows."""
    return np.array([[cell == "x" for cell in row] for row in picture.split("/")])


def _orientations() -> list[Array]:
    """All pieces in all quarter turns, each different one once: bool arrays."""
    orientations: list[Array] = []
    for picture in PIECES.values():
        for turns in range(4):
            turned = np.rot90(_piece(picture), turns)
            if not any(np.array_equal(turned, earlier) for earlier in orientations):
                orientations.append(turned)
    return orientations


# 19 4 2: rows and columns of the blocks
CELLS = np.array([np.argwhere(piece) for piece in _orientations()])
EXTENT = CELLS.max(1) + 1


@dataclass(frozen=True)
class TetrominoesConfig:
    """All arrangements in which no two pieces overlap are equally likely."""

    # rows, columns: whole blocks
    image_size: tuple[int, int] = (35, 35)
    # 1: grey, 3: colours
    channels: int = 3
    # training pictures
    count: int = 60000
    # pictures of the validation split, and of the test split
    held_out: int = 1000
    # number of tetrominoes in every picture
    pieces: int = 3
    # pixels of a block's side
    block: int = 5
    # six: a colour for every piece; one: the same for all pieces of a picture
    colours: Literal["six", "one"] = "six"
    # only unions of pieces that can be cut into tetrominoes in 2 to 16 ways, in one colour
    ambiguous: bool = False
    # another seed gives other pictures
    seed: int = 0


class Tetrominoes(Generated):
    """Pictures of tetrominoes. No piece hides another, so visible and whole masks are the same.

    For ambiguous pictures, `Truth.scene["tilings"]` holds all ways to cut them: which piece each block belongs
    to, B 16 h w, from 1, and 0 for no piece. Ways that do not exist are 0 everywhere. The masks are one of the
    ways.
    """

    Config = TetrominoesConfig

    def __init__(self, config: TetrominoesConfig, split: Split = "train"):
        super().__init__(config, split)
        block = config.block
        if block < 1 or any(side % block or side < 4 * block for side in config.image_size):
            raise UserError(
                f"image_size {config.image_size} must be whole blocks of {block} pixels, "
                "four at least, such as 35 35"
            )
        self._grid = np.array(config.image_size) // block
        most = self._grid.prod() // 12
        if not 1 <= config.pieces <= most:
            raise UserError(f"pieces must be from 1 to {most} for {config.image_size}, not {config.pieces}")
        if config.ambiguous and config.pieces < 2:
            raise UserError("a single piece is never ambiguous; ask for pieces of at least 2")

    def truth(self, rows: Sequence[int]) -> Truth:
        scene = self._scene(self._dice(self._checked(rows)))
        masks = torch.from_numpy(self._masks(scene["cells"]))
        centres = (scene["cells"].mean(2) + 0.5) * self.config.block - 0.5
        return Truth(
            present=torch.ones(masks.shape[:2], dtype=torch.bool),
            centres=torch.from_numpy(normalised(centres, self.config.image_size)),
            boxes=torch.from_numpy(boxes_of(masks.numpy())),
            masks=masks,
            whole=masks,
            factors={
                "shape": torch.from_numpy(scene["kind"]),
                "colour": torch.from_numpy(self._colours(COLOURS[scene["colour"]])),
            },
            scene={"tilings": torch.from_numpy(self._tilings(scene["cells"]))}
            if self.config.ambiguous
            else {},
        )

    def _masks(self, cells: Array) -> Array:
        """The masks of pieces, bool, B N H W, from their cells, B N 4 2."""
        return self._enlarged(self._blocks(cells), 2)

    def _blocks(self, cells: Array) -> Array:
        """The blocks of pieces, bool, B N h w, from their cells, B N 4 2."""
        count, pieces = cells.shape[:2]
        blocks = np.zeros((count, pieces, *self._grid), bool)
        picture = np.arange(count)[:, None, None]
        blocks[picture, np.arange(pieces)[:, None], cells[..., 0], cells[..., 1]] = True
        return blocks

    def _tilings(self, cells: Array) -> Array:
        """All tilings of pictures, uint8, B 16 h w: the piece of each block; zeros where there are no more."""
        picture, tiling = tilings_of(self._blocks(cells).max(1), CELLS)
        tilings = np.zeros((len(cells), MOST_TILINGS, *self._grid), np.uint8)
        tilings[picture, np.arange(len(picture)) - np.searchsorted(picture, picture)] = tiling
        return tilings

    def _paint(self, rows: Array) -> Array:
        scene = self._scene(self._dice(rows))
        cells = scene["cells"]
        blocks = np.zeros((len(rows), *self._grid, 3), np.uint8)
        picture = np.arange(len(rows))[:, None, None]
        blocks[picture, cells[..., 0], cells[..., 1]] = COLOURS[scene["colour"]][:, :, None]
        return self._enlarged(blocks, 1)

    def _enlarged(self, blocks: Array, axis: int) -> Array:
        return blocks.repeat(self.config.block, axis).repeat(self.config.block, axis + 1)

    def _scene(self, dice: Dice) -> dict[str, Array]:
        """The kinds and colours of the pieces, B N, and their cells, B N 4 2."""
        pieces = self.config.pieces
        kind = dice.integers("shape", 0, len(CELLS) - 1, pieces)
        cells = np.zeros((len(dice), pieces, 4, 2), np.int64)
        pending = np.arange(len(dice))
        for attempt in range(TRIES):
            if not len(pending):
                return {"kind": kind, "colour": self._colour_numbers(dice), "cells": cells}
            # the kinds are drawn again with the positions, or pieces that fit nearly everywhere would come
            # too often
            if attempt:
                kind[pending] = dice.of(pending).integers(f"shape {attempt}", 0, len(CELLS) - 1, pieces)
            cells[pending] = self._placed(dice.of(pending), kind[pending], attempt)
            pending = pending[self._refused(cells[pending])]
        raise UserError(f"{pieces} pieces hardly fit {self.config.image_size}; ask for fewer")

    def _colour_numbers(self, dice: Dice) -> Array:
        """The number of each piece's colour, B N."""
        number = dice.integers("colour", 0, len(COLOURS) - 1, self.config.pieces)
        is_one = self.config.ambiguous or self.config.colours == "one"
        return np.broadcast_to(number[:, :1], number.shape) if is_one else number

    def _placed(self, dice: Dice, kind: Array, attempt: int) -> Array:
        """The cells, B N 4 2, of pieces of these kinds, B N, at random positions."""
        room = self._grid - EXTENT[kind] + 1
        corner = np.floor(dice.uniform(f"place {attempt}", kind.shape[1], 2) * room).astype(np.int64)
        return corner[:, :, None] + CELLS[kind]

    def _refused(self, cells: Array) -> Array:
        """Whether pieces overlap in each picture, or can be cut in one way only (or too many) where they should
        be ambiguous: B."""
        refused = self._overlap(cells)
        if self.config.ambiguous:
            disjoint = np.nonzero(~refused)[0]
            picture, _ = tilings_of(self._blocks(cells[disjoint]).max(1), CELLS)
            ways = np.bincount(picture, minlength=len(disjoint))
            refused[disjoint] = (ways < 2) | (ways > MOST_TILINGS)
        return refused

    def _overlap(self, cells: Array) -> Array:
        """Whether any two cells of a picture coincide: B."""
        number = cells[..., 0] * self._grid[1] + cells[..., 1]
        used = np.sort(number.reshape(len(cells), -1), 1)
        return (used[:, 1:] == used[:, :-1]).any(1)
