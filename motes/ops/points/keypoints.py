"""Points from heat maps, and maps from points: soft arg-max, patches, choice of proposals, Gaussian maps,
boxes."""

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Bool, Float, Int
from torch import Tensor

from motes.ops.gather import take
from motes.types.latents import Image


def marginal_soft_argmax(logits: Float[Tensor, "N h w"]) -> Float[Tensor, "N 2"]:
    """The expected (row, column) in [-1, 1] of each heat map, under softmaxes of its marginal means.

    As in the 2022 paper's code, row = sum_h softmax(mean_w logits)_h * linspace(-1, 1, h), and the same for
    columns; this is not the joint softmax. Positions are single precision even where networks run in half:
    eight bits are a pixel at 256 pixels a side.
    """
    means = [(p * _axis(p.shape[1], p)).sum(1) for p in _marginals(logits)]
    return torch.stack(means, -1)


def marginal_variance(logits: Float[Tensor, "N h w"]) -> Float[Tensor, "N 2"]:
    """The variance of (row, column) around `marginal_soft_argmax`, under the same softmaxes."""
    middle = marginal_soft_argmax(logits)
    spreads = []
    for axis, p in enumerate(_marginals(logits)):
        spreads.append((p * (_axis(p.shape[1], p) - middle[:, axis, None]).square()).sum(1))
    return torch.stack(spreads, -1)


def expected_points(maps: Float[Tensor, "B K h w"]) -> tuple[Float[Tensor, "B K 2"], Float[Tensor, "B K 2"]]:
    """The mean and the variance of (row, column) in [-1, 1], taking each map as a density."""
    maps = maps.to(torch.promote_types(maps.dtype, torch.float32))
    total = maps.sum((2, 3)).clamp_min(1e-6)
    row, row_variance = _moments_along(maps.sum(3), total)
    column, column_variance = _moments_along(maps.sum(2), total)
    return torch.stack([row, column], -1), torch.stack([row_variance, column_variance], -1)


def centroids(weights: Float[Tensor, "B K h w"], floor: float) -> Float[Tensor, "B K 2"]:
    """The (row, column) of each map's centroid, in pixels from the map's middle.

    `floor` is added to the sum of the weights: a map of almost nothing has its centroid near the middle.
    """
    total = weights.sum((2, 3)) + floor
    middles = []
    for axis, other_axis in ((2, 3), (3, 2)):
        count = weights.shape[axis]
        steps = torch.arange(count, device=weights.device) - (count - 1) / 2
        middles.append((weights.sum(other_axis) * steps).sum(2) / total)
    return torch.stack(middles, -1)


def _moments_along(
    density: Float[Tensor, "B K n"], total: Float[Tensor, "B K"]
) -> tuple[Float[Tensor, "B K"], Float[Tensor, "B K"]]:
    """The mean and the variance along one axis, whose coordinates go from -1 to 1."""
    steps = _axis(density.shape[2], density)
    mean = (density * steps).sum(2) / total
    return mean, (density * (steps - mean[..., None]).square()).sum(2) / total


def split_patches(image: Image, patch: int) -> Float[Tensor, "BP C p q"]:
    """The non-overlapping square patches of each picture, row by row, folded into the batch."""
    return rearrange(image, "b c (r p) (s q) -> (b r s) c p q", p=patch, q=patch)


def patch_to_image(
    local: Float[Tensor, "B P 2"],
    patch: int,
    size: tuple[int, int],
    numbers: Int[Tensor, "B P"] | None = None,
) -> Float[Tensor, "B P 2"]:
    """Points given in the [-1, 1] coordinates of their patches, in the [-1, 1] coordinates of the picture.

    `numbers` are those of the patches; without them there is a point for every patch, row by row.

    -1 and 1 are the centres of the outermost pixels, so a side of N pixels spans N - 1.
    """
    scale = _per_axis([side - 1 for side in size], local)
    origins = patch_origins(patch, size).to(local)
    origins = origins if numbers is None else origins[numbers]
    pixels = (local + 1) / 2 * (patch - 1) + origins
    return pixels / scale * 2 - 1


def patch_origins(patch: int, size: tuple[int, int]) -> Float[Tensor, "P 2"]:
    """The (row, column) of the upper left pixel of every patch, row by row."""
    rows = torch.arange(0, size[0], patch, dtype=torch.float32)
    columns = torch.arange(0, size[1], patch, dtype=torch.float32)
    return torch.cartesian_prod(rows, columns)


def farthest_first(local: Float[Tensor, "B P 2"], count: int) -> Int[Tensor, "B M"]:
    """The numbers of the `count` points that lie farthest from the centre of their patch.

    The point of a flat patch is its centre.
    """
    return local.square().sum(-1).topk(min(count, local.shape[1]), dim=1).indices


def spread_first(
    points: Float[Tensor, "B P 2"], salience: Float[Tensor, "B P"], count: int, radius: float
) -> Int[Tensor, "B K"]:
    """The numbers of the `count` most salient points, chosen one after another.

    Each chosen point lowers the salience of its neighbours within `radius`, so that the points do not crowd
    on one object.
    """
    salience = salience.clone()
    chosen = []
    for _ in range(min(count, points.shape[1])):
        best = salience.argmax(1, keepdim=True)
        chosen.append(best)
        distance = (points - take(points, best)).square().sum(-1)
        salience = salience * (1 - torch.exp(-distance / (2 * radius**2)))
        salience.scatter_(1, best, -1.0)
    return torch.cat(chosen, 1)


def box_means(maps: Float[Tensor, "B H W"], reach: int) -> Float[Tensor, "B H W"]:
    """The mean of the square of 2 reach + 1 pixels a side around each pixel; pixels beyond the edge count as
    0.

    One axis after the other: 18 numbers are read for a square of 81.
    """
    side = 2 * reach + 1
    return _means_down(_means_down(F.pad(maps, (reach,) * 4), side), side)


def _means_down(maps: Float[Tensor, "B h w"], side: int) -> Float[Tensor, "B w r"]:
    """The means of `side` pixels below each other, transposed: so both axes are read in memory's order."""
    return rearrange(maps.unfold(1, side, 1).mean(-1), "b r w -> b w r").contiguous()


def at_points(maps: Float[Tensor, "B H W"], points: Float[Tensor, "B P 2"]) -> Float[Tensor, "B P"]:
    """The maps' values at the pixels nearest to the points."""
    size = maps.shape[1:]
    pixel = ((points + 1) / 2 * _per_axis([side - 1 for side in size], points)).round().long()
    row = pixel[..., 0].clamp(0, size[0] - 1)
    column = pixel[..., 1].clamp(0, size[1] - 1)
    return maps.flatten(1).gather(1, row * size[1] + column)


def gaussian_maps(
    position: Float[Tensor, "B K 2"], size: tuple[int, int], std: float | Float[Tensor, "B K 1"]
) -> Float[Tensor, "B K h w"]:
    """exp(-|p - position|^2 / (2 std^2)) at each pixel p, on a grid whose corners are (-1, -1) and (1, 1).

    The Gaussian is separable, so it is a product of two short vectors.
    """
    rows = ((_axis(size[0], position) - position[..., :1]) / std).square()
    columns = ((_axis(size[1], position) - position[..., 1:]) / std).square()
    return torch.exp(-0.5 * (rows[..., :, None] + columns[..., None, :]))


def box_masks(position: Float[Tensor, "B K 2"], side: int, size: tuple[int, int]) -> Float[Tensor, "B K h w"]:
    """Masks that are 1 in a `side` x `side` box at each particle, 0 elsewhere.

    A pixel j is 1 if and only if a <= rint(j - s) <= a + side - 1, where s = position * size / 2 and a is the
    first pixel of a box in the middle.
    """
    rows = _inside_box(position[..., 0], side, size[0])
    columns = _inside_box(position[..., 1], side, size[1])
    return (rows[..., :, None] & columns[..., None, :]).to(position.dtype)


def _inside_box(position: Float[Tensor, "B K"], side: int, length: int) -> Bool[Tensor, "B K n"]:
    """Whether each pixel along one axis lies inside the box."""
    first = length / 2 - side / 2
    grid = torch.arange(length, device=position.device, dtype=position.dtype)
    nearest = (grid - position[..., None] * (length / 2)).round()
    return (nearest >= first) & (nearest <= first + side - 1)


def _marginals(logits: Float[Tensor, "N h w"]) -> tuple[Float[Tensor, "N h"], Float[Tensor, "N w"]]:
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
    return logits.mean(2).softmax(1), logits.mean(1).softmax(1)


def _axis(count: int, like: Tensor) -> Float[Tensor, "n"]:
    return torch.linspace(-1, 1, count, device=like.device, dtype=like.dtype)


def _per_axis(values: list[int], like: Tensor) -> Float[Tensor, "2"]:
    return torch.tensor(values, device=like.device, dtype=like.dtype)
