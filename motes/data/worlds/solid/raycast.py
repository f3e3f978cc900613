"""A ray-caster for batches of solids on a floor: which solid each ray meets first, and where."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from einops import rearrange
from jaxtyping import Bool, Float, Int
from torch import Tensor

from motes.data.worlds.solid.camera_view import CameraView, pairs_in_windows, ray_directions
from motes.data.worlds.solid.solids import ENTER, NEVER, NORMAL, Rays, Solids, turned, turned_back


@dataclass(frozen=True)
class Hits:
    """What rays meet; R = rows x columns of rays. Every distance is in lengths of the ray's direction."""

    direction: Float[Tensor, "B 3 R"]
    # at which the ray would enter each solid, if it were alone
    distances: Float[Tensor, "B N R"]
    # at which it enters the first
    nearest: Float[Tensor, "B R"]
    # the number of the first, if there is any
    solid: Int[Tensor, "B R"]


def trace(solids: Solids, view: CameraView) -> Hits:
    """Cast all rays of the camera against the solids."""
    direction = ray_directions(view)
    distances = _camera_distances(solids, view, direction)
    nearest, solid = distances.min(1)
    return Hits(direction, distances, nearest, solid)


def masks(hits: Hits, view: CameraView) -> tuple[Bool[Tensor, "B N H W"], Bool[Tensor, "B N H W"]]:
    """The visible and the full mask of each solid.

    A solid covers a pixel if at least half of the pixel's rays meet it; the nearest such solid is visible.
    """
    distances = _by_pixel(hits.distances, view)
    full = 2 * (distances < NEVER).sum(-1) >= view.fine**2
    front = torch.where(full, distances.amin(-1), NEVER).argmin(1)
    return full & _one_hot(front, full.shape[1]), full


def _one_hot(number: Tensor, count: int) -> Tensor:
    """Numbers B H W as masks, bool, B N H W."""
    return number[:, None] == torch.arange(count, device=number.device)[:, None, None]


def _by_pixel(values: Tensor, view: CameraView) -> Tensor:
    """Values of rays, B N R, sorted by pixel, B N H W P."""
    return rearrange(values, "b n (h p w q) -> b n h w (p q)", h=view.size[0], p=view.fine, w=view.size[1])


def _camera_distances(solids: Solids, view: CameraView, direction: Tensor) -> Float[Tensor, "B N R"]:
    count, number = solids.kind.shape
    pairs = pairs_in_windows(solids.corners(), solids.present, view)
    origin = rearrange(view.eye[:, None] - solids.centre, "b n c -> c (b n)")[:, pairs.solid]
    distances = torch.full((count * number, direction.shape[-1]), NEVER, device=direction.device)
    distances[pairs.solid, pairs.ray] = entry_distances(
        solids, pairs.solid, origin, direction[pairs.picture, :, pairs.ray].mT
    )
    return rearrange(distances, "(b n) r -> b n r", b=count)


def entry_distances(solids: Solids, index: Tensor, origin: Tensor, direction: Tensor) -> Float[Tensor, " P"]:
    """The distance at which each ray enters its solid.

    index: flat indices of the solids; origin: 3 P, relative to the solid's centre; direction: 3 P.
    """
    result = torch.full_like(origin[0], NEVER)
    for kind, pair in _pairs_by_kind(solids, index):
        turn = solids.turns_at(index[pair])
        start = turned_back(origin[:, pair], turn)
        rays = Rays(start, turned_back(direction[:, pair], turn), *solids.sizes_at(index[pair]))
        result[pair] = ENTER[kind](rays)
    return result


def normals_at(solids: Solids, index: Tensor, point: Float[Tensor, "3 P"]) -> Float[Tensor, "3 P"]:
    """The outward normals at points on the surfaces of the solids with these flat indices."""
    result = torch.zeros_like(point)
    for kind, pair in _pairs_by_kind(solids, index):
        turn = solids.turns_at(index[pair])
        local = turned_back(point[:, pair] - solids.centres_at(index[pair]), turn)
        result[:, pair] = turned(NORMAL[kind](local, *solids.sizes_at(index[pair])), turn)
    return result


def _pairs_by_kind(solids: Solids, index: Tensor) -> Iterator[tuple[int, Tensor]]:
    """Yield each kind of solid, and which of the indices are of that kind."""
    kinds = solids.kind.flatten()[index]
    for kind in range(len(ENTER)):
        yield kind, (kinds == kind).nonzero()[:, 0]
