"""The kernel that paints the picture: one program per tile visits the particles that touch the tile, front to
back.

A tile's state is a few numbers per pixel in registers, so only glimpses, each once, and the picture move
through memory. Programs share nothing: no atomics, the same result on every run. Vectors run over a tile's
pixels, row by row, or over D x pixels: so the channels of a pixel stay in one thread, and neighbours in
memory belong to neighbouring threads. Types are left to triton: a type checker's wrapper would hide a
kernel's source from its compiler.
"""

from typing import Any, NamedTuple, no_type_check

import triton  # pyright: ignore[reportMissingImports]
import triton.language as tl  # pyright: ignore[reportMissingImports]

GRAIN_FROM = tl.constexpr(0.1)  # as in `composite`


class Sizes(NamedTuple):
    """The sizes that kernels read: the first three at every launch, as they differ from call to call.

    A kernel is compiled for the values of the others.
    """

    particles: int  # K
    height: int
    width: int
    depth: int  # D: alpha and colours
    side: int  # S
    # of the part of the picture that is one program's: powers of two
    tile_rows: int
    tile_columns: int
    # tiles that one window can touch along each axis
    slot_rows: int
    slot_columns: int
    # D and K as the next powers of two
    depth_block: int
    count_block: int


class Scene(NamedTuple):
    """The tensors that are painted, all contiguous. The tuple is flat because Triton 3.6 mistakes tuples in
    tuples."""

    glimpses: Any  # B K D S S
    position: Any  # B K 2
    presence: Any  # B K
    background: Any  # B C H W
    grain: Any  # B K S+1 S+1, or None


@no_type_check
@triton.jit
def paint_tile(scene, picture, taken, sizes):
    """Paint a tile of the picture, and store how much of each of its pixels the particles took."""
    kind: tl.constexpr = picture.dtype.element_ty
    batch, tile_row, tile_column = tile_here(sizes)
    rows, columns, inside = pixels_of(tile_row, tile_column, sizes.height, sizes.width, sizes)
    ahead = touching(scene, batch, tile_row, tile_column, sizes, kind)
    layered = tl.zeros((sizes.depth_block, sizes.tile_rows * sizes.tile_columns), kind)
    full = tl.zeros((sizes.tile_rows * sizes.tile_columns,), kind)
    k = tl.min(ahead, 0)
    while k < sizes.count_block:
        particle = batch * sizes.particles + k
        row, column, y, x = window_corner(scene, particle, sizes, kind)
        in_window = (rows - row, columns - column, inside)
        left, right, _, _ = halves(scene, particle, in_window, y, sizes, kind)
        pixels = (1 - x) * left + x * right
        alpha = alpha_of(scene, particle, in_window, pixels, sizes, kind)
        share = tl.minimum(alpha * tl.load(scene.presence + particle).to(kind), 1 - full)
        full += share
        layered += share[None, :] * pixels
        ahead = tl.where(ahead == k, sizes.count_block, ahead)
        k = tl.min(ahead, 0)
    tl.store(taken + batch * (sizes.height * sizes.width) + rows * sizes.width + columns, full, mask=inside)
    canvas, on_canvas = canvas_at(batch, rows, columns, inside, sizes)
    behind = tl.load(scene.background + canvas, mask=on_canvas, other=0).to(kind)
    tl.store(picture + canvas, layered + free(full)[None, :] * behind, mask=on_canvas)


@no_type_check
@triton.jit
def tile_here(sizes):
    """The picture that this program works on, and the tile's row and column in it."""
    down = (sizes.height + sizes.tile_rows - 1) // sizes.tile_rows
    across = (sizes.width + sizes.tile_columns - 1) // sizes.tile_columns
    tile = tl.program_id(0) % (down * across)
    return (tl.program_id(0) // (down * across)).to(tl.int64), tile // across, tile % across


@no_type_check
@triton.jit
def pixels_of(tile_row, tile_column, height, width, sizes):
    """The row and the column of each of the tile's pixels, and whether the pixel lies in the picture."""
    pixel = tl.arange(0, sizes.tile_rows * sizes.tile_columns)
    rows = tile_row * sizes.tile_rows + pixel // sizes.tile_columns
    columns = tile_column * sizes.tile_columns + pixel % sizes.tile_columns
    return rows, columns, (rows < height) & (columns < width)


@no_type_check
@triton.jit
def canvas_at(batch, rows, columns, inside, sizes):
    """The offsets of pixels' colours in a B C H W picture. Depth 0 is alpha, which the picture does not
    have."""
    depth = tl.arange(0, sizes.depth_block)[:, None]
    first = batch * ((sizes.depth - 1) * sizes.height * sizes.width) + nothing()
    canvas = first + (depth - 1) * (sizes.height * sizes.width) + (rows * sizes.width + columns)[None, :]
    return canvas, inside[None, :] & (depth > 0) & (depth < sizes.depth)


@no_type_check
@triton.jit
def nothing():
    """0, in a form that the compiler cannot know to be 0.

    If the compiler sees that four pixels can be written at once, it gives every thread four neighbours, also
    in all that it reads. But windows begin anywhere, and are read best when neighbours in memory belong to
    neighbouring threads.
    """
    return tl.program_id(0) >> 31


@no_type_check
@triton.jit
def touching(scene, batch, tile_row, tile_column, sizes, kind: tl.constexpr):
    """The numbers of the particles whose windows touch the tile, and `count_block` in place of every other
    number."""
    k = tl.arange(0, sizes.count_block)
    particle = batch * sizes.particles + tl.minimum(k, sizes.particles - 1)
    row, column, _, _ = window_corner(scene, particle, sizes, kind)
    first_row = tile_row * sizes.tile_rows
    first_column = tile_column * sizes.tile_columns
    touch = (k < sizes.particles) & (row < first_row + sizes.tile_rows) & (row + sizes.side >= first_row)
    touch = touch & (column < first_column + sizes.tile_columns) & (column + sizes.side >= first_column)
    return tl.where(touch, k, sizes.count_block)


@no_type_check
@triton.jit
def window_corner(scene, particle, sizes, kind: tl.constexpr):
    """The window's first row and column, and the fractions of a pixel beyond them, as
    `glimpse.corner_and_fraction`."""
    row, y = _along(tl.load(scene.position + 2 * particle).to(kind), sizes.height, sizes.side, kind)
    column, x = _along(tl.load(scene.position + 2 * particle + 1).to(kind), sizes.width, sizes.side, kind)
    return row, column, y, x


@no_type_check
@triton.jit
def _along(position, full, side: tl.constexpr, kind: tl.constexpr):
    """The first pixel and the fraction along one axis.

    Windows far outside are moved nearer, but stay outside, because integers would overflow.
    """
    full = full + nothing()  # Triton takes a 1 for a constant, which has no type
    half = full.to(kind) * 0.5
    odd = ((full - side) & 1).to(kind) * 0.5
    far = (2 * (full + side)).to(kind)
    shift = tl.fma(position, half, odd)  # explicit, so that all kernels round alike
    pixels = tl.floor(shift)
    near = tl.minimum(tl.maximum(pixels, -far), far)
    # >> rounds down where a window is larger than the picture
    return near.to(tl.int32) + ((full - side) >> 1), shift - pixels


@no_type_check
@triton.jit
def free(full):
    return 1 - tl.minimum(tl.maximum(full, 0), 1)


@no_type_check
@triton.jit
def in_square(pixel, side: tl.constexpr):
    """The offsets of pixels in a square of `side` x `side`, and whether each pixel lies in it.

    These are two results, because a choice in an offset would hide from the compiler that neighbours are
    neighbours in memory.
    """
    r, c, inside = pixel
    return r * side + c, inside & (r >= 0) & (r < side) & (c >= 0) & (c < side)


@no_type_check
@triton.jit
def alpha_of(scene, particle, pixel, pixels, sizes, kind: tl.constexpr):
    """The alpha (channel 0) of the pixels, with its grain."""
    alpha = tl.sum(tl.where(tl.arange(0, sizes.depth_block)[:, None] == 0, pixels, 0), 0)
    if scene.grain is not None:
        offset, held = in_square(pixel, sizes.side + 1)
        grain = scene.grain + particle * ((sizes.side + 1) * (sizes.side + 1))
        alpha += tl.where(alpha > GRAIN_FROM, tl.load(grain + offset, mask=held, other=0).to(kind), 0)
    return alpha


@no_type_check
@triton.jit
def halves(scene, particle, pixel, y, sizes, kind: tl.constexpr):
    """The glimpse widened along rows, at these columns and at the columns before, and the derivatives by the
    fraction y."""
    r, c, inside = pixel
    same = _tap(scene, particle, (r, c, inside), sizes, kind)
    above = _tap(scene, particle, (r - 1, c, inside), sizes, kind)
    beside = _tap(scene, particle, (r, c - 1, inside), sizes, kind)
    across = _tap(scene, particle, (r - 1, c - 1, inside), sizes, kind)
    return (1 - y) * same + y * above, (1 - y) * beside + y * across, above - same, across - beside


@no_type_check
@triton.jit
def _tap(scene, particle, pixel, sizes, kind: tl.constexpr):
    depth = tl.arange(0, sizes.depth_block)[:, None]
    offset, held = in_square(pixel, sizes.side)
    pointer = scene.glimpses + (particle * sizes.depth + depth) * (sizes.side * sizes.side) + offset[None, :]
    return tl.load(pointer, mask=held[None, :] & (depth < sizes.depth), other=0).to(kind)


def compiled_in(sizes: Sizes) -> Sizes:
    constants: Any = map(tl.constexpr, sizes[3:])
    return Sizes(*sizes[:3], *constants)
