"""The clean background of pictures of one scene: their median, without the ghosts of what stood still."""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from motes.ops.pictures.blobs import Blobs, find_blobs
from motes.ops.pictures.light import light_of

# residual from which a pixel differs from its background, beside this many times the pixel's noise
CONTRAST = 0.06
TIMES_NOISE = 3.0
# the background is still if this share of its pixels is usually as the median has it, in each picture's light
STILL_SHARE = 0.75
# side of the smallest blob, as a share of the picture's
LEAST_SIDE = 0.05
# a blob is a ghost where the median's gradient along its rim is so many times the picture's
GHOST_RATIO = 1.3
# share of the pictures in which a place must be a ghost before it is mended
LEAST_SHARE = 0.04
# share of a place's pixels on which these pictures must agree, and how closely (median absolute deviation)
AGREEING_SHARE = 0.6
AGREEMENT = 0.03
ROUNDS = 2


def clean_background(
    pictures: Float[Tensor, "N C H W"], median: Float[Tensor, "C H W"] | None = None
) -> Float[Tensor, "C H W"]:
    """The median of the pictures, with ghosts mended.

    What stands still in most pictures is in their median. In the pictures without it, its place differs from
    the median and looks like a thing, a ghost: but the edge around it is the median's, not the picture's.
    Such places take the median of those pictures alone, in the median's light, if they agree with each other.

    Where the background is not still, the median is all there is. A median that is known need not be computed.
    """
    background = pictures.median(0).values if median is None else median
    for _ in range(ROUNDS):
        light = light_of(pictures, background)
        lit = light.on(background)
        if still_share(pictures, lit) < STILL_SHARE:
            return background
        blobs = find_blobs(differing(pictures, lit), least_area(pictures.shape[-2:]))
        background = _mended(background, light.removed(pictures), _ghosts(pictures, lit, blobs))
    return background


def still_share(pictures: Float[Tensor, "N C H W"], background: Float[Tensor, "*N C H W"]) -> float:
    """The share of the pixels that are as the background has them in at least half of the pictures."""
    residual = (pictures - background).abs().amax(1)
    return float((residual.median(0).values < CONTRAST).float().mean())


def differing(
    pictures: Float[Tensor, "N C H W"], background: Float[Tensor, "N C H W"], contrast: float = CONTRAST
) -> Bool[Tensor, "N H W"]:
    """Where each picture differs from its background by more than `contrast` and a few times the noise.

    The noise of a pixel is read from the calmest pictures, since a thing may stand there in most of them.
    """
    residual = (pictures - background).abs().amax(1)
    calm = residual.kthvalue(1 + len(residual) // 5, dim=0).values
    noise = calm.clamp_max(2 * calm.median() + 0.01)
    return residual > contrast + TIMES_NOISE * noise


def least_area(size: tuple[int, ...]) -> float:
    """Pixels of the smallest blob that counts in pictures of this size."""
    return max((LEAST_SIDE * min(size)) ** 2, 2.0)


def _ghosts(
    pictures: Float[Tensor, "N C H W"], background: Float[Tensor, "N C H W"], blobs: Blobs
) -> Bool[Tensor, "N H W"]:
    """Where blobs lie along whose rims the background has more gradient than the picture."""
    count = len(blobs.area)
    near = F.max_pool2d(blobs.map[:, None].float(), 3, stride=1, padding=1)[:, 0].long()
    inside = -F.max_pool2d(-blobs.map[:, None].float(), 3, stride=1, padding=1)[:, 0].long()
    rim = (near >= 0) & (inside != near)
    number = near[rim]
    of_background = torch.bincount(number, _gradient(background)[rim], count)
    of_picture = torch.bincount(number, _gradient(pictures)[rim], count)
    is_ghost = of_background > GHOST_RATIO * of_picture
    # the last entry is for pixels of no blob, whose number is -1
    return torch.cat([is_ghost, is_ghost.new_zeros(1)])[blobs.map]


def _gradient(pictures: Float[Tensor, "N C H W"]) -> Float[Tensor, "N H W"]:
    """The change to the next rows and columns, summed, of the colour that changes most."""
    padded = F.pad(pictures, (1, 1, 1, 1), "replicate")
    down = (padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]).abs()
    right = (padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]).abs()
    return (down + right).amax(1)


def _mended(
    background: Float[Tensor, "C H W"],
    pictures: Float[Tensor, "N C H W"],
    ghosts: Bool[Tensor, "N H W"],
) -> Float[Tensor, "C H W"]:
    """The background with the places of ghosts as the pictures show them that have a ghost there."""
    least = max(LEAST_SHARE * len(pictures), 1)
    # a pixel more on each side: the rim of a ghost is half the thing's
    wider = F.max_pool2d(ghosts[:, None].float(), 3, stride=1, padding=1)[:, 0] > 0
    often = wider.sum(0) >= least
    places = find_blobs(often[None]).map[0]
    rows, columns = often.nonzero(as_tuple=True)
    if not len(rows):
        return background
    shown = pictures[:, :, rows, columns]
    nan = torch.where(wider[:, rows, columns][:, None], shown, torch.nan)
    middle = nan.nanmedian(0).values
    spread = (nan - middle).abs().nanmedian(0).values.amax(0)
    number = places[rows, columns]
    agree = torch.bincount(number, (spread < AGREEMENT).float()) / torch.bincount(number)
    mended = (agree >= AGREEING_SHARE)[number]
    result = background.clone()
    result[:, rows[mended], columns[mended]] = middle[:, mended]
    return result.clamp(0, 1)
