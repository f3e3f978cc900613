"""Shadows of solids: which points the lamp reaches, and how much sky the solids leave to the floor."""

import torch
from einops import rearrange
from jaxtyping import Bool, Float
from torch import Tensor

from motes.data.worlds.solid.camera_view import CameraView, SolidRayPairs, pairs_in_windows
from motes.data.worlds.solid.raycast import Hits, entry_distances
from motes.data.worlds.solid.solids import NEVER, Solids

TOO_LOW = 0.5  # a lamp less than this above a solid would cast an endless shadow
CLOSE = 2.2  # radii from a solid's axis within which it takes light from the floor


def shadows(
    solids: Solids, view: CameraView, hits: Hits, point: Float[Tensor, "B 3 R"]
) -> tuple[Bool[Tensor, "B R"], Float[Tensor, "B R"]]:
    """Whether the lamp reaches each point, and the share of the sky's light that solids leave to the
    point."""
    pairs = _shadow_pairs(solids, view)
    start = point[pairs.picture, :, pairs.ray].mT
    origin = start - solids.centres_at(pairs.solid)
    lit = _lit(solids, hits, pairs, origin, view.lamp.mT[:, pairs.picture] - start)
    return lit, _sky_share(_closeness(solids, pairs, origin, hits))


def _shadow_pairs(solids: Solids, view: CameraView) -> SolidRayPairs:
    """The pairs of each solid with the rays near it or in its shadow."""
    corners = solids.corners()
    lamp = view.lamp[:, None, None]
    length = lamp[..., 2:] / (lamp[..., 2:] - corners[..., 2:]).clamp_min(TOO_LOW)
    shadow = lamp + (corners - lamp) * length
    return pairs_in_windows(torch.cat([solids.corners(CLOSE), corners, shadow], 2), solids.present, view)


def _lit(
    solids: Solids, hits: Hits, pairs: SolidRayPairs, origin: Tensor, direction: Tensor
) -> Bool[Tensor, "B R"]:
    """Whether no solid stands between a point and the lamp; the solid on which the point lies is not
    tested."""
    before_lamp = entry_distances(solids, pairs.solid, origin, direction) < 1
    blocked = before_lamp & _foreign(solids, hits, pairs)
    lit = torch.ones_like(hits.nearest, dtype=torch.bool)
    lit[pairs.picture[blocked], pairs.ray[blocked]] = False
    return lit


def _foreign(solids: Solids, hits: Hits, pairs: SolidRayPairs) -> Tensor:
    """For each pair, whether the ray's point is on another solid or none: bool, P."""
    ray = (pairs.picture, pairs.ray)
    number = pairs.solid - pairs.picture * solids.kind.shape[1]
    return (hits.solid[ray] != number) | (hits.nearest[ray] == NEVER)


def _closeness(
    solids: Solids, pairs: SolidRayPairs, origin: Float[Tensor, "3 P"], hits: Hits
) -> Float[Tensor, "B N R"]:
    """How close each point is to each solid: 1 on the solid's axis, 0 from `CLOSE` radii on."""
    reach = solids.radius.flatten()[pairs.solid] * CLOSE
    squared = origin[0] * origin[0] + origin[1] * origin[1]
    near = (1 - squared / (reach * reach)).clamp_min(0)
    closeness = torch.zeros_like(hits.distances).flatten(0, 1)
    closeness[pairs.solid, pairs.ray] = near * near
    return rearrange(closeness, "(b n) r -> b n r", b=len(hits.distances))


def _sky_share(closeness: Float[Tensor, "B N R"]) -> Float[Tensor, "B R"]:
    share = torch.ones_like(closeness[:, 0])
    # one solid after the other, in this order on every machine
    for near in closeness.unbind(1):
        share = share * (1 - 0.55 * near)
    return share
