"""A batched ray-caster for solids on a floor: which solid each ray meets first, and where."""

from dataclasses import dataclass

import torch
from einops import rearrange
from jaxtyping import Bool, Float, Int
from torch import Tensor

from motes.data.worlds.solid.camera_view import CameraView, pairs_in_windows, ray_directions
from motes.data.worlds.solid.solids import ENTER, NEVER, NORMAL, Rays, Solids, turned, turned_back


@dataclass(frozen=True)
class Hits:
    """R = rows x columns of rays; every distance is in lengths of the ray's direction."""

    direction: Float[Tensor, "B 3 R"]
    # at which the ray would enter each solid, if it were alone
    distances: Float[Tensor, "B N R"]
    # at which it enters the first
    nearest: Float[Tensor, "B R"]
    # the number of the first, if there is any
    solid: Int[Tensor, "B R"]


def trace(solids: Solids, view: CameraView) -> Hits:
    """Casts all rays of the camera."""
    direction = ray_directions(view)
    distances = _camera_distances(solids, view, direction)
    nearest, solid = distances.min(1)
    return Hits(direction, distances, nearest, solid)


def masks(hits: Hits, view: CameraView) -> tuple[Bool[Tensor, "B N H W"], Bool[Tensor, "B N H W"]]:
    """Visible and full masks.

    A solid covers a pixel if it is met by at least half of its rays; the nearest of those is visible.
    """
    distances = rearrange(
        hits.distances, "b n (h p w q) -> b n h w (p q)", h=view.size[0], p=view.fine, w=view.size[1]
    )
    full = 2 * (distances < NEVER).sum(-1) >= view.fine**2
    front = torch.where(full, distances.amin(-1), NEVER).argmin(1)
    numbers = torch.arange(full.shape[1], device=front.device)[:, None, None]
    return full & (front[:, None] == numbers), full


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
    kind = solids.kind.flatten()[index]
    radius = solids.radius.flatten()
    half = solids.half_height().flatten()
    for number, enter in enumerate(ENTER):
        pair = (kind == number).nonzero()[:, 0]
        solid = index[pair]
        turn = solids.turns_at(solid)
        rays = Rays(
            turned_back(origin[:, pair], turn),
            turned_back(direction[:, pair], turn),
            radius[solid],
            half[solid],
        )
        result[pair] = enter(rays)
    return result


def normals_at(solids: Solids, index: Tensor, point: Float[Tensor, "3 P"]) -> Float[Tensor, "3 P"]:
    """Outward normals at points on the surfaces of the solids with these flat indices."""
    result = torch.zeros_like(point)
    kind = solids.kind.flatten()[index]
    radius = solids.radius.flatten()
    half = solids.half_height().flatten()
    for number, normal in enumerate(NORMAL):
        pair = (kind == number).nonzero()[:, 0]
        solid = index[pair]
        turn = solids.turns_at(solid)
        local = turned_back(point[:, pair] - solids.centres_at(solid), turn)
        result[:, pair] = turned(normal(local, radius[solid], half[solid]), turn)
    return result
