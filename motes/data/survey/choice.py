"""Options of a particle model that suit the sizes and the number of the things in pictures."""

from dataclasses import dataclass
from math import ceil, gcd

import torch
from jaxtyping import Float
from torch import Tensor

from motes.ops.pictures.blobs import Blobs

Size = tuple[int, int]
# a window is so much longer than a typical thing
MARGIN = 1.3
# sides vary if the 90 % quantile is so many times the 10 % quantile
VARIED = 2.5
# a window reaches over a little more than its side along a thing, and covers at least this share of its area
OVERREACH = 1.25
COVERED = 1 / 3
SMALLEST_WINDOW = 4
# windows without a thing to go by: this share of the picture's shorter side
USUAL_WINDOW = 1 / 4
USUAL_PARTICLES = 10
# particles for each that most pictures need, and some more, for anchors miss
PARTICLES_EACH = 1.3
MORE_PARTICLES = 3
MOST_PARTICLES = 30
LEAST_PROPOSALS = 15
# patches along the shorter side, about
PATCHES = 8
# things shorter than this share of the picture want larger pictures
SMALL_SHARE = 1 / 10
# larger pictures than this are not chosen: a step costs four times as much for twice the side
LARGEST_SIDE = 128


@dataclass(frozen=True)
class Choice:
    """Options of a particle model, by the names that its Config has for them."""

    glimpse_size: int
    num_particles: int
    num_proposals: int
    patch_size: int
    # also an option of data that can bring their pictures to any size
    image_size: Size


def choose(blobs: Blobs, pictures: int, size: Size, factor: int) -> Choice:
    """Options for pictures of this `size`, from the blobs in `pictures` of them, shrunk by `factor`.

    Sizes are chosen at the shrunk size, so that larger pictures of the same things get the same windows,
    enlarged.
    """
    sides = blob_sides(blobs, factor)
    shorter = min(size) // factor
    window = _window(sides, shorter)
    particles = _particles(blobs, window, pictures)
    is_small = len(sides) > 0 and quantile(sides, 0.5) < SMALL_SHARE * shorter
    enlarged = is_small and 2 * max(size) <= LARGEST_SIDE
    return Choice(
        glimpse_size=window * factor,
        num_particles=particles,
        num_proposals=max(LEAST_PROPOSALS, ceil(1.5 * particles)),
        patch_size=_patch(size, window * factor),
        image_size=(2 * size[0], 2 * size[1]) if enlarged else size,
    )


def blob_sides(blobs: Blobs, factor: int) -> Float[Tensor, "n"]:
    """The longer side of each blob, in pixels of the shrunk pictures.

    A pixel at a blob's edge stands for `factor` of the picture's pixels; half of them lie outside, on average.
    """
    return blobs.sides().amax(1) - (1 - 1 / factor)


def is_varied(sides: tuple[float, float, float]) -> bool:
    """Whether the 90 % quantile of sides is many times the 10 % quantile."""
    return sides[2] >= VARIED * sides[0] > 0


def quantile(values: Float[Tensor, "n"], share: float) -> float:
    """What this share of the values stays below; 0 if there are none."""
    return float(torch.quantile(values, share)) if len(values) else 0.0


def _window(sides: Float[Tensor, "n"], shorter: int) -> int:
    """An even side, at most half of the picture's shorter side."""
    if not len(sides):
        return max(_even(USUAL_WINDOW * shorter), SMALLEST_WINDOW)
    # windows of particles are stretched from that of a typical thing
    return max(_even(min(MARGIN * quantile(sides, 0.5), shorter / 2)), SMALLEST_WINDOW)


def _even(side: float) -> int:
    return 2 * round(side / 2)


def _particles(blobs: Blobs, window: int, pictures: int) -> int:
    """Particles for the windows that cover the blobs of almost every picture, and some more."""
    if not len(blobs.area):
        return USUAL_PARTICLES
    counts = (blobs.sides() / (OVERREACH * window)).ceil().prod(1)
    by_area = (blobs.area / (COVERED * window**2)).ceil()
    windows = torch.minimum(counts, by_area)
    needed = torch.zeros(pictures).index_add(0, blobs.picture, windows)
    return min(round(PARTICLES_EACH * quantile(needed, 0.95) + MORE_PARTICLES), MOST_PARTICLES)


def _patch(size: Size, window: int) -> int:
    """The divisor of both sides that is nearest to an eighth of the shorter side, or to half a window if that
    is less."""
    target = min(min(size) / PATCHES, window / 2)
    common = gcd(*size)
    # the larger of two that are as near
    divisors = [side for side in range(common, 1, -1) if common % side == 0]
    return min(divisors, key=lambda side: abs(side - target), default=1)
