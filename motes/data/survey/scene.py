"""What pictures have in common: a background that is still, plain or neither, and things in front of it."""

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from motes.ops.pictures.blobs import Blobs, find_blobs
from motes.ops.pictures.clean_background import (
    STILL_SHARE,
    clean_background,
    differing,
    least_area,
    still_share,
)
from motes.ops.pictures.light import light_of

# from fewer pictures a background cannot be told from a thing
FEWEST = 10
# residual from which a pixel belongs to a thing; more than where ghosts are sought, since shadows are faint
CONTRAST = 0.1
# the light changes if correcting it takes away this share of the residual, and the residual is this large
LIGHT_GAIN = 0.3
LIGHT_LEAST = 0.01
# a background is plain if so much of a picture's border has the border's own colour, this closely
PLAIN_SHARE = 0.8
PLAIN_CLOSE = 0.06
# a pixel stands out from a picture by so many standard deviations of its contrast with its surroundings
STANDS_OUT = 1.0

Background = Literal[
    "a still background",
    "a still background in changing light",
    "a plain background, another in each",
    "another background in each",
]


@dataclass(frozen=True)
class StillScene:
    """The background of pictures and the blobs in front of it."""

    background: Background
    median: Float[Tensor, "C H W"]
    # the background alone, without what only stands there; None where it is not still
    clean: Float[Tensor, "C H W"] | None
    blobs: Blobs


def read_scene(pictures: Float[Tensor, "N C H W"]) -> StillScene:
    """Find the kind of background that the pictures have, and the things in front of it."""
    size = pictures.shape[-2:]
    median = pictures.median(0).values
    border = _border_colour(pictures)
    if len(pictures) >= FEWEST:
        is_still = still_share(pictures, median) >= STILL_SHARE
        if is_still or (not _is_plain(pictures, border) and _is_still_when_lit(pictures, median)):
            return _still_scene(pictures, median)
    if _is_plain(pictures, border):
        masks = differing(pictures, border.expand_as(pictures), CONTRAST)
        blobs = find_blobs(masks, least_area(size))
        return StillScene("a plain background, another in each", median, None, blobs)
    blobs = find_blobs(_standing_out(pictures), least_area(size))
    return StillScene("another background in each", median, None, blobs)


def _is_still_when_lit(pictures: Float[Tensor, "N C H W"], median: Float[Tensor, "C H W"]) -> bool:
    return still_share(pictures, light_of(pictures, median).on(median)) >= STILL_SHARE


def _still_scene(pictures: Float[Tensor, "N C H W"], median: Float[Tensor, "C H W"]) -> StillScene:
    clean = clean_background(pictures, median)
    lit = light_of(pictures, clean).on(clean)
    blobs = find_blobs(differing(pictures, lit, CONTRAST), least_area(pictures.shape[-2:]))
    changes = _light_changes(pictures, clean, lit, blobs.map < 0)
    background = "a still background in changing light" if changes else "a still background"
    return StillScene(background, median, clean, blobs)


def _light_changes(
    pictures: Float[Tensor, "N C H W"],
    clean: Float[Tensor, "C H W"],
    lit: Float[Tensor, "N C H W"],
    shows_background: Bool[Tensor, "N H W"],
) -> bool:
    """Whether a gain and an offset for each picture explain a good part of what differs in the background."""
    before = (pictures - clean).abs().amax(1)[shows_background].mean()
    after = (pictures - lit).abs().amax(1)[shows_background].mean()
    return bool(before - after > max(LIGHT_GAIN * before, LIGHT_GAIN * LIGHT_LEAST))


def _border_colour(pictures: Float[Tensor, "N C H W"]) -> Float[Tensor, "N C 1 1"]:
    return _border(pictures).median(-1).values[..., None, None]


def _is_plain(pictures: Float[Tensor, "N C H W"], colour: Float[Tensor, "N C 1 1"]) -> bool:
    """Whether the border of at least half of the pictures has one colour."""
    close = (_border(pictures) - colour[..., 0]).abs().amax(1) < PLAIN_CLOSE
    return bool(close.float().mean(1).median() >= PLAIN_SHARE)


def _border(pictures: Float[Tensor, "N C H W"]) -> Float[Tensor, "N C P"]:
    """The outermost pixels: a sixteenth of the shorter side, at each edge."""
    height, width = pictures.shape[-2:]
    reach = max(min(height, width) // 16, 1)
    is_border = torch.ones(height, width, dtype=torch.bool)
    is_border[reach : height - reach, reach : width - reach] = False
    return pictures[..., is_border]


def _standing_out(pictures: Float[Tensor, "N C H W"]) -> Bool[Tensor, "N H W"]:
    """Where the mean of a few pixels differs much from the mean of half a picture around them."""
    side = min(pictures.shape[-2:])
    contrast = (_blurred(pictures, side // 32) - _blurred(pictures, side // 4)).square().sum(1).sqrt()
    mean = contrast.mean((1, 2), keepdim=True)
    deviation = contrast.std((1, 2), keepdim=True)
    return contrast > (mean + STANDS_OUT * deviation).clamp_min(CONTRAST)


def _blurred(pictures: Float[Tensor, "N C H W"], reach: int) -> Float[Tensor, "N C H W"]:
    """The mean of a square around each pixel, by its columns and then by its rows."""
    side = 2 * reach + 1
    columns = F.avg_pool2d(pictures, (side, 1), 1, (reach, 0), count_include_pad=False)
    return F.avg_pool2d(columns, (1, side), 1, (0, reach), count_include_pad=False)
