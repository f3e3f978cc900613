"""The backward kernels of `forward`: they compute layers again, tile by tile, and gather every gradient.

Nothing is added atomically. `paint_tile_backward` visits the particles of a tile as `paint_tile` does. For
the gradients of glimpses it stores two numbers for each pixel of a window, which `gather` reads, one program
for each part of a glimpse: a pixel of a glimpse may have gone to four tiles.
"""

from typing import Any, NamedTuple, no_type_check

import triton  # pyright: ignore[reportMissingImports]
import triton.language as tl  # pyright: ignore[reportMissingImports]

from motes.ops.rendering.fused.forward import (
    alpha_of,
    canvas_at,
    free,
    halves,
    in_square,
    nothing,
    pixels_of,
    tile_here,
    touching,
    window_corner,
)


class TileGradients(NamedTuple):
    """The tensors that the programs of the tiles write."""

    background: Any  # B C H W: its gradient
    # B K 2 S+1 S+1: alpha's gradient, and the share that colours had; written only inside the picture
    windows: Any
    # B K slots 3: parts of the gradients of row, column and presence, by tile; zero where not written
    gradients: Any


@no_type_check
@triton.jit
def paint_tile_backward(scene, gradient, taken, results, sizes):
    """Write the tile's part of every gradient except those of glimpses, for which it writes what `gather`
    needs.

    Layers are computed again, in order.
    """
    kind: tl.constexpr = gradient.dtype.element_ty
    batch, tile_row, tile_column = tile_here(sizes)
    rows, columns, inside = pixels_of(tile_row, tile_column, sizes.height, sizes.width, sizes)
    canvas, on_canvas = canvas_at(batch, rows, columns, inside, sizes)
    g_picture = tl.load(gradient + canvas, mask=on_canvas, other=0)
    background = tl.load(scene.background + canvas, mask=on_canvas, other=0).to(kind)
    final = tl.load(
        taken + batch * (sizes.height * sizes.width) + rows * sizes.width + columns, mask=inside, other=0
    )
    tl.store(results.background + canvas, free(final)[None, :] * g_picture, mask=on_canvas)
    # What an alpha hides. More than everything is never taken, so only the clamp's lower end can stop this
    # gradient.
    behind = tl.where(final >= 0, tl.sum(g_picture * background, 0), 0)
    ahead = touching(scene, batch, tile_row, tile_column, sizes, kind)
    full = tl.zeros((sizes.tile_rows * sizes.tile_columns,), kind)
    k = tl.min(ahead, 0)
    while k < sizes.count_block:
        particle = batch * sizes.particles + k
        slot = (
            particle * sizes.slot_rows + tile_row % sizes.slot_rows
        ) * sizes.slot_columns + tile_column % sizes.slot_columns
        full = _layer_backward(
            scene, results, (particle, slot), (rows, columns, inside), (g_picture, behind, full), sizes
        )
        ahead = tl.where(ahead == k, sizes.count_block, ahead)
        k = tl.min(ahead, 0)


@no_type_check
@triton.jit
def _layer_backward(scene, results, indices, pixel, state, sizes):
    """Write one particle's gradients on one tile; returns how much of each pixel is taken after the
    particle."""
    particle, slot = indices
    g_picture, behind, full = state
    kind: tl.constexpr = g_picture.dtype
    depth = tl.arange(0, sizes.depth_block)[:, None]
    row, column, y, x = window_corner(scene, particle, sizes, kind)
    in_window = (pixel[0] - row, pixel[1] - column, pixel[2])
    left, right, down_left, down_right = halves(scene, particle, in_window, y, sizes, kind)
    pixels = (1 - x) * left + x * right
    visible = alpha_of(scene, particle, in_window, pixels, sizes, kind)
    presence = tl.load(scene.presence + particle).to(kind)
    alpha = visible * presence
    room = 1 - full
    share = tl.minimum(alpha, room)
    g_alpha = tl.sum(g_picture * pixels, 0) - behind  # g_picture is 0 at alpha's depth
    # of a minimum, as torch has it where both are equal
    g_alpha *= tl.where(alpha < room, 1.0, tl.where(alpha == room, 0.5, 0.0)).to(kind)
    hidden = g_alpha * presence
    g_pixels = tl.where(depth == 0, hidden[None, :], share[None, :] * g_picture)
    tl.store(
        results.gradients + 3 * slot,
        tl.sum(g_pixels * ((1 - x) * down_left + x * down_right)) * (sizes.height / 2),
    )
    tl.store(results.gradients + 3 * slot + 1, tl.sum(g_pixels * (right - left)) * (sizes.width / 2))
    tl.store(results.gradients + 3 * slot + 2, tl.sum(g_alpha * visible))
    offset, held = in_square(in_window, sizes.side + 1)
    area: tl.constexpr = (sizes.side + 1) * (sizes.side + 1)
    tl.store(results.windows + particle * (2 * area) + offset, hidden, mask=held)
    tl.store(results.windows + particle * (2 * area) + area + offset, share, mask=held)
    return full + share


@no_type_check
@triton.jit
def gather(scene, gradient, windows, glimpses, sizes):
    """Write the gradients of a part of one glimpse: each of its pixels has gone to four pixels of the
    window."""
    kind: tl.constexpr = gradient.dtype.element_ty
    down: tl.constexpr = (sizes.side + sizes.tile_rows - 1) // sizes.tile_rows
    across: tl.constexpr = (sizes.side + sizes.tile_columns - 1) // sizes.tile_columns
    particle = (tl.program_id(0) // (down * across)).to(tl.int64)
    part = tl.program_id(0) % (down * across)
    r, c, inside = pixels_of(part // across, part % across, sizes.side, sizes.side, sizes)
    row, column, y, x = window_corner(scene, particle, sizes, kind)
    near = (1 - x) * _window_gradient(particle, gradient, windows, (row, column), (r, c), sizes)
    near += x * _window_gradient(particle, gradient, windows, (row, column), (r, c + 1), sizes)
    far = (1 - x) * _window_gradient(particle, gradient, windows, (row, column), (r + 1, c), sizes)
    far += x * _window_gradient(particle, gradient, windows, (row, column), (r + 1, c + 1), sizes)
    depth = tl.arange(0, sizes.depth_block)[:, None]
    offset = (
        (particle * sizes.depth + depth) * (sizes.side * sizes.side)
        + (r * sizes.side + c)[None, :]
        + nothing()
    )
    tl.store(glimpses + offset, (1 - y) * near + y * far, mask=inside[None, :] & (depth < sizes.depth))


@no_type_check
@triton.jit
def _window_gradient(particle, gradient, windows, corner, pixel, sizes):
    """The gradient of the pixels of a particle's window: alpha's as stored, the colours' from the picture's
    gradient."""
    rows = pixel[0] + corner[0]
    columns = pixel[1] + corner[1]
    inside = (rows >= 0) & (rows < sizes.height) & (columns >= 0) & (columns < sizes.width)
    offset, held = in_square((pixel[0], pixel[1], inside), sizes.side + 1)
    area: tl.constexpr = (sizes.side + 1) * (sizes.side + 1)
    hidden = tl.load(windows + particle * (2 * area) + offset, mask=held, other=0)
    share = tl.load(windows + particle * (2 * area) + area + offset, mask=held, other=0)
    canvas, on_canvas = canvas_at(particle // sizes.particles, rows, columns, held, sizes)
    g_picture = tl.load(gradient + canvas, mask=on_canvas, other=0)
    return tl.where(
        tl.arange(0, sizes.depth_block)[:, None] == 0, hidden[None, :], share[None, :] * g_picture
    )
