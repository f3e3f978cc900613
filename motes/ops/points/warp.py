"""Thin-plate splines: smooth warps of pictures, and random warps for warped pairs.

A warp says for every pixel of the new picture where to look in the old one: basis @ weights. The first
weights bend, one for each point of a square control grid over [-1, 1]^2; the last three are affine: a shift,
and where rows and columns point.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from torch import Tensor

from motes.ops.densities.noise import normal_like, uniform_like
from motes.types.batch import Batch
from motes.types.latents import Image

CONTROLS = 10  # along each side, for random warps


@dataclass(frozen=True)
class Warps:
    """Standard deviations of a strong random warp, in halves of a picture.

    The defaults are the published values for faces (Jakab et al. 2018).
    """

    bend: float = 0.001
    # of those weights, each with probability 1/2, that are drawn again
    bend_some: float = 0.01
    shift: float = 0.1
    scale: float = 0.1
    # degrees
    turn: float = 5.0
    # all of them times this: the weak warp
    weak: float = 0.1


TO_FOLLOW = Warps(bend=0.0, bend_some=0.01, shift=0.17, scale=0.22, turn=10.0, weak=0.0)


def warped_pair(image: Image, warps: Warps | None = None) -> tuple[Tensor, Tensor, Float[Tensor, "B f 2"]]:
    """The pictures warped weakly, the same pictures then warped strongly, and the weights of the strong
    warps.

    The 2022 code cuts away an eighth of every side, where zeros show; here the whole picture stays, mirrored
    at its edges.
    """
    warps = warps or Warps()
    weak = random_weights(image, warps, warps.weak)
    strong = random_weights(image, warps, 1.0)
    basis = picture_basis(image)
    once = resampled(image, basis @ weak, "reflection").clamp(0, 1)
    return once, resampled(once, basis @ strong, "reflection").clamp(0, 1), strong


def picture_basis(image: Image) -> Float[Tensor, "n f"]:
    """`thin_plate_basis` at every pixel of the picture, for the control points of random warps."""
    return thin_plate_basis(even_points((image.shape[2], image.shape[3]), image), CONTROLS)


def bent(image: Image, warps: Warps = TO_FOLLOW) -> tuple[Image, Float[Tensor, "B f 2"]]:
    """The pictures warped at random, and the weights of the warps, for `equivariance_error`."""
    _, away, weights = warped_pair(image, warps)
    return away, weights


def equivariance_error(
    points: Float[Tensor, "B K 2"], followed: Float[Tensor, "B K 2"], weights: Float[Tensor, "B f 2"]
) -> Float[Tensor, "B"]:
    """The squared distances of a picture's points z_k from those of its warped copy, z'_k: sum_k |z_k -
    g(z'_k)|^2.

    g maps points of the copy back to the picture (Zhang et al. 2018).
    """
    return (warped_points(followed, weights) - points).square().sum((1, 2))


def warped_points(points: Float[Tensor, "B K 2"], weights: Float[Tensor, "B f 2"]) -> Float[Tensor, "B K 2"]:
    """Where in each picture the points of its warped copy are."""
    flat = rearrange(points, "b k two -> (b k) two")
    return thin_plate_basis(flat, CONTROLS).unflatten(0, points.shape[:2]) @ weights


def paired(batch: Batch) -> Batch:
    """The batch warped weakly; the other picture of each pair is the same one, warped strongly."""
    weak, strong, _ = warped_pair(batch.image)
    return Batch(weak, batch.index, strong)


def random_weights(image: Image, warps: Warps, share: float) -> Float[Tensor, "B f 2"]:
    """The weights of a random warp for each picture; `share` scales its strength."""
    bend = _random_bend(image, warps)
    shift = warps.shift * normal_like(image.new_empty(len(image), 1, 2))
    turn = _random_turn(image, warps, share)
    return torch.cat([share * bend, share * shift, turn], 1)


def _random_bend(image: Image, warps: Warps) -> Float[Tensor, "B n 2"]:
    """The weight of each control point, which bends the picture at random."""
    bend = normal_like(image.new_empty(len(image), CONTROLS**2, 2))
    again = uniform_like(bend) < 0.5
    return torch.where(again, warps.bend_some * normal_like(bend), warps.bend * bend)


def _random_turn(image: Image, warps: Warps, share: float) -> Float[Tensor, "B 2 2"]:
    """A random rotation times a random scale for each picture: where rows and columns point."""
    scale = 1 + share * warps.scale * normal_like(image.new_empty(len(image)))
    angle = share * math.radians(warps.turn) * normal_like(scale)
    turn = torch.stack(
        [scale * angle.cos(), scale * angle.sin(), -scale * angle.sin(), scale * angle.cos()], 1
    )
    return rearrange(turn, "b (r c) -> b r c", r=2)


def thin_plate_basis(points: Float[Tensor, "n 2"], side: int) -> Float[Tensor, "n f"]:
    """The basis functions at points p: [U(|p - c|) of all side^2 control points c, 1, p], U(r) = r^2 log(r^2
    + 1e-5).

    Points are (row, column) (Bookstein 1989, https://doi.org/10.1109/34.24792).
    """
    square = (points[:, None] - even_points((side, side), points)[None]).square().sum(-1)
    return torch.cat([square * torch.log(square + 1e-5), torch.ones_like(points[:, :1]), points], 1)


def even_points(size: tuple[int, int], like: Tensor) -> Float[Tensor, "n 2"]:
    """The (row, column) of a grid of `size` points from -1 to 1 along each axis, row by row."""
    axes = [torch.linspace(-1, 1, count, dtype=like.dtype, device=like.device) for count in size]
    return rearrange(torch.stack(torch.meshgrid(*axes, indexing="ij")), "two r c -> (r c) two")


def resampled(image: Image, points: Float[Tensor, "B N 2"], outside: str = "zeros") -> Image:
    """The picture whose n-th pixel, row by row, is the old picture's value at `points[n]`.

    `outside` pads the old picture as in `grid_sample`.
    """
    # torch wants (column, row)
    grid = rearrange(points.flip(-1), "b (h w) two -> b h w two", h=image.shape[2])
    return F.grid_sample(image, grid, mode="bilinear", padding_mode=outside, align_corners=True)
