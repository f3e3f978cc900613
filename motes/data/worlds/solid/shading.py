"""The light of solids on a floor under one lamp: floor, matt and metal surfaces, and what metal mirrors."""

from dataclasses import dataclass

import torch
from einops import rearrange, repeat
from jaxtyping import Bool, Float, Int
from torch import Tensor

from motes.data.worlds.solid.camera_view import CameraView, floor_divide
from motes.data.worlds.solid.raycast import Hits, entry_distances, normals_at
from motes.data.worlds.solid.shadows import shadows
from motes.data.worlds.solid.solids import NEVER, Solids, dot, square_root, unit

FAR = 60.0  # the floor ends here


@dataclass(frozen=True)
class SurfacePoints:
    """The points on solids that rays meet."""

    # flat index over pictures and solids
    solid: Int[Tensor, " P"]
    picture: Int[Tensor, " P"]
    point: Float[Tensor, "3 P"]
    # of the ray that meets the point
    direction: Float[Tensor, "3 P"]
    # whether the lamp reaches the point
    lit: Bool[Tensor, " P"]

    def at(self, index: Int[Tensor, " Q"]) -> "SurfacePoints":
        return SurfacePoints(
            self.solid[index],
            self.picture[index],
            self.point[:, index],
            self.direction[:, index],
            self.lit[index],
        )


def shaded_picture(solids: Solids, view: CameraView, hits: Hits) -> Float[Tensor, "B 3 H W"]:
    """The picture of the solids as light in [0, 1]."""
    count, _, rays = hits.direction.shape
    point = _points_met(view, hits)
    lit, sky = shadows(solids, view, hits, rearrange(point, "c (b r) -> b c r", b=count))
    lamp = repeat(view.lamp, "b c -> c (b r)", r=rays)
    light = floor_light(point, lamp, lit.flatten(), sky.flatten())
    on_solid = (hits.nearest.flatten() < NEVER).nonzero()[:, 0]
    light[:, on_solid] = _solid_light(solids, view, _surface(solids, hits, point, lit, on_solid))
    return _pixel_means(rearrange(light, "c (b r) -> b c r", b=count), view)


def _points_met(view: CameraView, hits: Hits) -> Float[Tensor, "3 BR"]:
    """The points where the rays end: on a solid, on the floor, or far away."""
    direction = rearrange(hits.direction, "b c r -> c (b r)")
    nearest = hits.nearest.flatten()
    eye = repeat(view.eye, "b c -> c (b r)", r=hits.direction.shape[2])
    distance = torch.where(nearest < NEVER, nearest, _floor_distance(eye[2], direction[2]))
    return eye + distance * direction


def _floor_distance(height: Tensor, up: Tensor) -> Float[Tensor, " P"]:
    """The distance at which rays from this height meet the floor; `up` is the upward component of each
    ray."""
    down = up < -1e-4
    return torch.where(down, -height / torch.where(down, up, -1.0), FAR).clamp_max(FAR)


def _surface(solids: Solids, hits: Hits, point: Tensor, lit: Tensor, index: Tensor) -> SurfacePoints:
    """The points of solids that the rays with these flat indices meet."""
    direction = rearrange(hits.direction, "b c r -> c (b r)")
    picture = floor_divide(index, hits.direction.shape[2])
    solid = picture * solids.kind.shape[1] + hits.solid.flatten()[index]
    return SurfacePoints(solid, picture, point[:, index], direction[:, index], lit.flatten()[index])


def _pixel_means(light: Float[Tensor, "B 3 R"], view: CameraView) -> Float[Tensor, "B 3 H W"]:
    fine = view.fine
    rows, columns = view.size
    rays = rearrange(light, "b c (h p w q) -> (p q) b c h w", h=rows, p=fine, w=columns, q=fine)
    total = rays[0]
    # one ray after the other, in this order on every machine
    for ray in rays[1:]:
        total = total + ray
    return total / fine**2


def floor_light(point: Tensor, lamp: Tensor, lit: Tensor, sky: Tensor) -> Float[Tensor, "3 P"]:
    """The light of points on a grey floor, which is brighter under the lamp and fades into the dark far away.

    `lit`: whether the lamp reaches the point; `sky`: the share of the sky's light that solids leave to it.
    """
    to_lamp = lamp - point
    squared = dot(to_lamp, to_lamp)
    facing = to_lamp[2] / square_root(squared)
    direct = torch.where(lit, facing * (150 / (70 + squared)), 0.0)
    across = point[0] * point[0] + point[1] * point[1]
    ambient = (0.37 + 16 / (60 + across)) * sky
    shade = 0.42 * direct + 0.62 * ambient
    return torch.stack([shade * tint for tint in (0.99, 0.985, 0.97)])


def _solid_light(solids: Solids, view: CameraView, surface: SurfacePoints) -> Float[Tensor, "3 P"]:
    normal = normals_at(solids, surface.solid, surface.point)
    matt = _matt_light(solids, view, surface, normal)
    gloss = _gloss(view, surface, normal)
    light = matt + 0.16 * _power(gloss, 4)
    metal = solids.metal.flatten()[surface.solid].nonzero()[:, 0]
    mirror = _metal_mirror(solids, view, surface.at(metal), normal[:, metal])
    highlight = gloss[metal]
    sharp = 0.9 * _power(highlight, 7)
    light[:, metal] = 0.2 * matt[:, metal] + 0.95 * mirror + sharp + 0.3 * _power(highlight, 3)
    return light


def _matt_light(solids: Solids, view: CameraView, surface: SurfacePoints, normal: Tensor) -> Tensor:
    """The light of matt surfaces in the solids' colours, 3 P."""
    return solids.colours_at(surface.solid) * _brightness(view, surface, normal)


def _brightness(view: CameraView, surface: SurfacePoints, normal: Tensor) -> Float[Tensor, " P"]:
    """How bright a white surface would be at each point, under three lights.

    They are the sky above, the lamp, and a weak light on the right without shadows.
    """
    lamp = _lit_cosine(surface, normal, _to_lamp(view, surface))
    side = dot(normal, _right(view, surface)).clamp_min(0)
    return 0.49 + 0.15 * normal[2] + 0.62 * lamp + 0.14 * side


def _to_lamp(view: CameraView, surface: SurfacePoints) -> Float[Tensor, "3 P"]:
    return unit(view.lamp.mT[:, surface.picture] - surface.point)


def _right(view: CameraView, surface: SurfacePoints) -> Float[Tensor, "3 P"]:
    """The camera's direction to the right, for each point."""
    return view.axes[:, 0].mT[:, surface.picture]


def _gloss(view: CameraView, surface: SurfacePoints, normal: Tensor) -> Float[Tensor, " P"]:
    """The cosine between the normal and the half vector of lamp and camera (Blinn's model), 0 in shadows."""
    half_vector = unit(_to_lamp(view, surface) - unit(surface.direction))
    return _lit_cosine(surface, normal, half_vector)


def _lit_cosine(surface: SurfacePoints, normal: Tensor, direction: Tensor) -> Float[Tensor, " P"]:
    """The cosine between the normal and a direction, 0 in shadows and where it would be negative."""
    return torch.where(surface.lit, dot(normal, direction).clamp_min(0), 0.0)


def _metal_mirror(solids: Solids, view: CameraView, surface: SurfacePoints, normal: Tensor) -> Tensor:
    """The light that metal mirrors to the camera, 3 P."""
    sight = unit(surface.direction)
    facing = dot(sight, normal)
    # metal that is met at a flat angle mirrors without its colour
    edge = _power((1 + facing).clamp(0, 1), 2)
    tint = _metal_tint(solids.colours_at(surface.solid), edge)
    return tint * _mirrored_light(solids, view, surface, sight - 2 * facing * normal)


def _metal_tint(colour: Tensor, edge: Tensor) -> Float[Tensor, "3 P"]:
    tint = 0.85 * colour + 0.1
    return tint + (0.9 - tint) * edge


def _mirrored_light(
    solids: Solids, view: CameraView, surface: SurfacePoints, direction: Float[Tensor, "3 P"]
) -> Float[Tensor, "3 P"]:
    """What a mirror at each point shows in this direction.

    It shows the other solids, matt and without shadows, or the floor, walls, a window and a bright ceiling.
    """
    distance, number = _nearest_other(solids, surface, direction)
    light = _surroundings(view, surface, direction)
    hit = (distance < NEVER).nonzero()[:, 0]
    picture = surface.picture[hit]
    solid = picture * solids.kind.shape[1] + number[hit]
    point = surface.point[:, hit] + distance[hit] * direction[:, hit]
    mirrored = SurfacePoints(solid, picture, point, direction[:, hit], _all_lit(hit))
    light[:, hit] = _matt_light(solids, view, mirrored, normals_at(solids, solid, point))
    return light


def _all_lit(index: Tensor) -> Bool[Tensor, " P"]:
    return torch.ones_like(index, dtype=torch.bool)


def _nearest_other(solids: Solids, surface: SurfacePoints, direction: Tensor) -> tuple[Tensor, Tensor]:
    """The distance and the number of the first other solid in this direction from each point, P each."""
    number = solids.kind.shape[1]
    solid = surface.picture[:, None] * number + torch.arange(number, device=surface.solid.device)
    index = solid.flatten()
    origin = repeat(surface.point, "c p -> c (p n)", n=number) - solids.centres_at(index)
    distance = entry_distances(solids, index, origin, repeat(direction, "c p -> c (p n)", n=number))
    candidate = (solid != surface.solid[:, None]) & solids.present[surface.picture]
    nearest, other_number = torch.where(candidate, distance.view(-1, number), NEVER).min(1)
    return nearest, other_number


def _surroundings(view: CameraView, surface: SurfacePoints, direction: Tensor) -> Float[Tensor, "3 P"]:
    """The light that comes from the floor, the walls, the window and the ceiling in this direction."""
    up = direction[2]
    above = _walls(up, dot(direction, _right(view, surface)))
    return torch.where(up < 0, _mirrored_floor(view, surface, direction), above)


def _walls(up: Tensor, right: Tensor) -> Float[Tensor, " P"]:
    """The light of walls and ceiling, brighter above, and of the window."""
    return 0.38 + 0.5 * up.clamp_min(0) + 0.5 * (up - 0.7).clamp_min(0) + 0.75 * _window_light(right)


def _window_light(right: Tensor) -> Float[Tensor, " P"]:
    """The brightness of a tall window on the left, as seen in each direction: 1 at its middle, 0 outside."""
    return _power((1 - _power((right + 0.45) / 0.3, 1)).clamp_min(0), 1)


def _mirrored_floor(view: CameraView, surface: SurfacePoints, direction: Tensor) -> Float[Tensor, "3 P"]:
    """The light of the floor in this direction, without shadows on it."""
    up = direction[2]
    distance = torch.where(up < -1e-3, -surface.point[2] / up.clamp_max(-1e-3), FAR).clamp_max(FAR)
    ground = surface.point + distance * direction
    ones = torch.ones_like(up)
    return floor_light(ground, view.lamp.mT[:, surface.picture], ones > 0, ones)


def _power(value: Tensor, doublings: int) -> Tensor:
    """The value to the power 2, 4, 8, ..., by multiplication, which rounds the same everywhere."""
    for _ in range(doublings):
        value = value * value
    return value
