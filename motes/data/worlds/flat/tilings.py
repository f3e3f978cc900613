"""All ways in which a union of blocks can be cut into pieces of four blocks: exact covers, enumerated."""

import numpy as np

from motes.data.worlds.portable import Array

BLOCKS = 4  # of a piece


def tilings_of(unions: Array, shapes: Array) -> tuple[Array, Array]:
    """Every tiling of every union by the given shapes, each once.

    Arguments:
        unions: which blocks belong to each union, bool, B h w; all have equally many, a multiple of four.
        shapes: rows and columns of the blocks of each shape, S 4 2, in reading order.

    Returns for each of the T tilings the number of its union (ascending), T, and for each block the number of
    its piece in this tiling, T h w: 0 outside the union, and pieces from 1 in the order of their first blocks.

    The first free block in reading order must be the first block of some piece. So all shapes are tried
    there, for all unfinished tilings at once.
    """
    count, rows, columns = unions.shape
    covered = _covered(shapes, rows, columns)
    # one more block, which is outside the picture and never free
    free = np.concatenate([unions.reshape(count, rows * columns), np.zeros((count, 1), bool)], 1)
    piece = np.zeros(free.shape, np.uint8)
    union = np.arange(count)
    pieces = free.sum(1).max(initial=0) // BLOCKS
    for number in range(1, pieces + 1):
        blocks = covered[free.argmax(1)]
        fits = free[np.arange(len(free))[:, None, None], blocks].all(2)
        unfinished, shape = np.nonzero(fits)
        chosen = blocks[unfinished, shape]
        free = free[unfinished]
        piece = piece[unfinished]
        union = union[unfinished]
        at = np.arange(len(free))[:, None]
        free[at, chosen] = False
        piece[at, chosen] = number
    return union, piece[:, :-1].reshape(-1, rows, columns)


def _covered(shapes: Array, rows: int, columns: int) -> Array:
    """The numbers of the blocks that each shape covers if its first block is a given one: rows * columns, S, 4.

    A block outside the picture has the number rows * columns.
    """
    first = np.stack(np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij"), -1).reshape(-1, 1, 1, 2)
    row, column = np.moveaxis(first + shapes - shapes[:, :1], -1, 0)
    inside = (row < rows) & (column >= 0) & (column < columns)
    return np.where(inside, row * columns + column, rows * columns)
