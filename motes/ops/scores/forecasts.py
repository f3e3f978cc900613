"""Scores of forecasts that are samples: S points where a thing may be, and one where it is."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor


def energy_score(samples: Float[Tensor, "... S 2"], truth: Float[Tensor, "... 2"]) -> Float[Tensor, "..."]:
    """mean |x_s - y| - 1/2 mean |x_s - x_r| over pairs s != r: least, on average, for samples of the truth's distribution.

    Of samples that are all alike it is their error (Gneiting & Raftery 2007,
    https://doi.org/10.1198/016214506000001437).
    """
    return (samples - truth[..., None, :]).norm(dim=-1).mean(-1) - diversity(samples) / 2


def diversity(samples: Float[Tensor, "... S 2"]) -> Float[Tensor, "..."]:
    """The mean distance of two of the samples; 0 for a single one."""
    count = samples.shape[-2]
    distance = (samples[..., :, None, :] - samples[..., None, :, :]).norm(dim=-1)
    return distance.sum((-2, -1)) / max(count * (count - 1), 1)


def inside_hull(samples: Float[Tensor, "... S 2"], truth: Float[Tensor, "... 2"]) -> Bool[Tensor, "..."]:
    """Whether the truth lies inside the convex hull of the samples.

    It does if no half of the directions around it is empty of samples.
    """
    direction = samples - truth[..., None, :]
    angle = torch.atan2(direction[..., 0], direction[..., 1]).sort(dim=-1).values
    gaps = torch.cat([angle.diff(dim=-1), angle[..., :1] + 2 * torch.pi - angle[..., -1:]], -1)
    return gaps.amax(-1) < torch.pi


def ways_taken(
    ends: Float[Tensor, "... S 2"], ways: Float[Tensor, "... W P 2"], reach: Float[Tensor, "..."]
) -> Bool[Tensor, "... S W"]:
    """Which of the ways, W times P points, each of the ends lies on: within reach of it, and of no other."""
    distance = (ends[..., :, None, None, :] - ways[..., None, :, :, :]).norm(dim=-1).amin(-1)
    is_near = distance <= reach[..., None, None]
    return is_near & (is_near.sum(-1, keepdim=True) == 1)


def last_inside(path: Float[Tensor, "... R 2"], size: tuple[int, int]) -> Float[Tensor, "... 2"]:
    """The last place of each path, in pixels, that is in the picture; the first one if none is."""
    limits = path.new_tensor(size) - 0.5
    is_inside = ((path >= -0.5) & (path <= limits)).all(-1)
    number = torch.arange(path.shape[-2], device=path.device)
    last = torch.where(is_inside, number, 0).amax(-1)
    return path.gather(-2, last[..., None, None].expand(*last.shape, 1, 2))[..., 0, :]
