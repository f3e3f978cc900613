"""A batched ray-caster for solids on a floor: who is hit by each point of each pixel, each thing's points as
if alone, light and shadow.

Only rays that can meet a thing are tried with it: those in the window of its outline, or of its shadow.
Which rays are tried changes no pixel, so long as no window is too small.
"""

from dataclasses import dataclass

import torch
from einops import rearrange, repeat
from jaxtyping import Bool, Float, Int
from torch import Tensor

from motes.data.worlds.solid.solids import ENTER, FACES, NEVER, Rays, Solids, dot, turned, unit

FAR = 60.0  # the floor ends here


@dataclass(frozen=True)
class View:
    """A camera and a lamp for each picture."""

    eye: Float[Tensor, "B 3"]
    # to the right, up, ahead
    axes: Float[Tensor, "B 3 3"]
    light: Float[Tensor, "B 3"]
    # rows, columns of the picture
    size: tuple[int, int]
    # tangent of half the angle of the shorter side
    half: float
    # points a pixel's side
    fine: int


@dataclass(frozen=True)
class Hits:
    """R = rows x columns of points; everything is in lengths of the ray's way."""

    way: Float[Tensor, "B 3 R"]
    # where the ray would enter each thing
    each: Float[Tensor, "B N R"]
    # where it enters the first
    first: Float[Tensor, "B R"]
    # which that is, if any
    who: Int[Tensor, "B R"]


def trace(solids: Solids, view: View) -> Hits:
    way = _ways(view)
    count, things = solids.kind.shape
    corners = _corners(solids)
    owner, ray = _tried(_window(project(corners, view), solids.there, view), view)
    each = torch.full((count * things, way.shape[-1]), NEVER, device=way.device)
    picture = torch.div(owner, things, rounding_mode="floor")
    origin = rearrange(view.eye[:, None] - solids.centre, "b n c -> c (b n)")[:, owner]
    each[owner, ray] = _entered(solids, owner, origin, way[picture, :, ray].mT)
    each = rearrange(each, "(b n) r -> b n r", b=count)
    first, who = each.min(1)
    return Hits(way, each, first, who)


def masks(hits: Hits, view: View) -> tuple[Bool[Tensor, "B N H W"], Bool[Tensor, "B N H W"]]:
    """Visible and whole: a thing is where it covers at least half of a pixel's points; of those, the nearest
    is seen."""
    each = _points(hits.each, view)
    whole = 2 * (each < NEVER).sum(-1) >= view.fine**2
    front = torch.where(whole, each.amin(-1), NEVER).argmin(1)
    return whole & (front[:, None] == torch.arange(whole.shape[1], device=front.device)[:, None, None]), whole


def paint(solids: Solids, view: View, hits: Hits) -> Float[Tensor, "B 3 H W"]:
    """Light in [0, 1]."""
    count, _, rays = hits.way.shape
    way = rearrange(hits.way, "b c r -> c (b r)")
    first = hits.first.flatten()
    eye = repeat(view.eye, "b c -> c (b r)", r=rays)
    down = way[2] < -1e-4
    floor = torch.where(down, -eye[2] / torch.where(down, way[2], -1.0), FAR).clamp_max(FAR)
    solid = first < NEVER
    point = eye + torch.where(solid, first, floor) * way
    lit, near = _shadows(solids, view, hits, rearrange(point, "c (b r) -> b c r", b=count))
    light = floor_light(point, repeat(view.light, "b c -> c (b r)", r=rays), lit.flatten(), near.flatten())
    where = solid.nonzero()[:, 0]
    picture = torch.div(where, rays, rounding_mode="floor")
    owner = picture * solids.kind.shape[1] + hits.who.flatten()[where]
    light[:, where] = _solid_light(
        solids, view, owner, Seen(point[:, where], way[:, where], lit.flatten()[where])
    )
    points = rearrange(light, "c (b r) -> b c r", b=count)
    fine = view.fine
    rows, columns = view.size
    split = rearrange(points, "b c (h p w q) -> (p q) b c h w", h=rows, p=fine, w=columns, q=fine)
    total = split[0]
    for part in split[1:]:  # in this order on every machine
        total = total + part
    return total / fine**2


@dataclass(frozen=True)
class Seen:
    """Points of surfaces, the way of the ray that found them, and whether the lamp reaches them."""

    point: Float[Tensor, "3 P"]
    way: Float[Tensor, "3 P"]
    lit: Bool[Tensor, " P"]


def floor_light(point: Tensor, lamp: Tensor, lit: Tensor, near: Tensor) -> Float[Tensor, "3 P"]:
    """A grey floor, brighter under the lamp, which fades into the dark far off; darker close to things."""
    to_lamp = lamp - point
    square = dot(to_lamp, to_lamp)
    facing = to_lamp[2] / torch.sqrt(square)
    direct = torch.where(lit, facing * (150 / (70 + square)), 0.0)
    across = point[0] * point[0] + point[1] * point[1]
    around = (0.37 + 16 / (60 + across)) * near
    shade = 0.42 * direct + 0.62 * around
    return torch.stack([shade * tint for tint in (0.99, 0.985, 0.97)])


def _solid_light(solids: Solids, view: View, owner: Tensor, seen: Seen) -> Float[Tensor, "3 P"]:
    picture = torch.div(owner, solids.kind.shape[1], rounding_mode="floor")
    colour = rearrange(solids.colour, "b n c -> c (b n)")[:, owner]
    normal = _normals(solids, owner, seen.point)
    lamp = view.light.mT[:, picture]
    matt = colour * _matt(normal, unit(lamp - seen.point), seen.lit, view.axes[:, 0].mT[:, picture])
    sight = unit(seen.way)
    gloss = torch.where(seen.lit, dot(normal, unit(unit(lamp - seen.point) - sight)).clamp_min(0), 0.0)
    light = matt + 0.16 * _power(gloss, 4)
    metal = solids.metal.flatten()[owner].nonzero()[:, 0]
    facing = dot(sight, normal)[metal]
    mirrored = sight[:, metal] - 2 * facing * normal[:, metal]
    edge = _power((1 + facing).clamp(0, 1), 2)  # seen from the side, metal mirrors without its colour
    tint = 0.85 * colour[:, metal] + 0.1
    tint = tint + (0.9 - tint) * edge
    mirror = tint * _mirrored(solids, view, owner[metal], seen.point[:, metal], mirrored)
    light[:, metal] = (
        0.2 * matt[:, metal] + 0.95 * mirror + 0.9 * _power(gloss[metal], 7) + 0.3 * _power(gloss[metal], 3)
    )
    return light


def _matt(normal: Tensor, to_lamp: Tensor, lit: Tensor, right: Tensor) -> Float[Tensor, " P"]:
    """How bright a white surface is: the sky above, the lamp, and a weak light on the right without
    shadows."""
    facing = torch.where(lit, dot(normal, to_lamp).clamp_min(0), 0.0)
    return 0.49 + 0.15 * normal[2] + 0.62 * facing + 0.14 * dot(normal, right).clamp_min(0)


def _mirrored(
    solids: Solids, view: View, owner: Tensor, point: Float[Tensor, "3 P"], way: Float[Tensor, "3 P"]
) -> Float[Tensor, "3 P"]:
    """What a mirror at each point sees: the other things, matt, without shadows; the floor; walls, a window,
    a bright ceiling."""
    things = solids.kind.shape[1]
    count = point.shape[1]
    picture = torch.div(owner, things, rounding_mode="floor")
    others = picture[:, None] * things + torch.arange(things, device=owner.device)
    flat = others.flatten()
    from_ = repeat(point, "c p -> c (p n)", n=things)
    towards = repeat(way, "c p -> c (p n)", n=things)
    met = _entered(solids, flat, from_ - rearrange(solids.centre, "b n c -> c (b n)")[:, flat], towards).view(
        count, things
    )
    first, who = torch.where((others != owner[:, None]) & solids.there[picture], met, NEVER).min(1)
    up = way[2]
    aside = dot(way, view.axes[:, 0].mT[:, picture])
    window = _power((1 - _power((aside + 0.45) / 0.3, 1)).clamp_min(0), 1)  # a tall bright one on the left
    above = 0.38 + 0.5 * up.clamp_min(0) + 0.5 * (up - 0.7).clamp_min(0) + 0.75 * window
    lamp = view.light.mT[:, picture]
    ground = point + torch.where(up < -1e-3, -point[2] / up.clamp_max(-1e-3), FAR).clamp_max(FAR) * way
    every = torch.ones_like(up)
    light = torch.where(up < 0, floor_light(ground, lamp, every > 0, every), above)
    hit = (first < NEVER).nonzero()[:, 0]
    mine = picture[hit] * things + who[hit]
    there = point[:, hit] + first[hit] * way[:, hit]
    colour = rearrange(solids.colour, "b n c -> c (b n)")[:, mine]
    normal = _normals(solids, mine, there)
    light[:, hit] = colour * _matt(
        normal, unit(lamp[:, hit] - there), every[hit] > 0, view.axes[:, 0].mT[:, picture[hit]]
    )
    return light


def _power(value: Tensor, doublings: int) -> Tensor:
    """To the 2, 4, 8, ... by multiplication, which rounds the same everywhere."""
    for _ in range(doublings):
        value = value * value
    return value


def _shadows(
    solids: Solids, view: View, hits: Hits, point: Float[Tensor, "B 3 R"]
) -> tuple[Bool[Tensor, "B R"], Float[Tensor, "B R"]]:
    """Whether the lamp reaches each point; and how much of the sky things close by leave to a point of the
    floor."""
    count, things = solids.kind.shape
    around = _corners(solids, CLOSE)
    corners = _corners(solids)
    lamp = view.light[:, None, None]
    shadow = lamp + (corners - lamp) * (lamp[..., 2:] / (lamp[..., 2:] - corners[..., 2:]).clamp_min(TOO_LOW))
    owner, ray = _tried(
        _window(project(torch.cat([around, corners, shadow], 2), view), solids.there, view), view
    )
    picture = torch.div(owner, things, rounding_mode="floor")
    at = point[picture, :, ray].mT
    other = (hits.who[picture, ray] != owner - picture * things) | (hits.first[picture, ray] == NEVER)
    origin = at - rearrange(solids.centre, "b n c -> c (b n)")[:, owner]
    blocked = (_entered(solids, owner, origin, view.light.mT[:, picture] - at) < 1) & other
    lit = torch.ones_like(hits.first, dtype=torch.bool)
    lit[picture[blocked], ray[blocked]] = False
    reach = solids.radius.flatten()[owner] * CLOSE
    apart = origin[0] * origin[0] + origin[1] * origin[1]
    closeness = torch.zeros(count * things, hits.first.shape[1], device=ray.device)
    closeness[owner, ray] = _power((1 - apart / (reach * reach)).clamp_min(0), 1)
    closeness = rearrange(closeness, "(b n) r -> b n r", b=count)
    near = torch.ones_like(hits.first)
    for n in range(things):
        near = near * (1 - 0.55 * closeness[:, n])
    return lit, near


TOO_LOW = 0.5  # a lamp lower than this above a thing would cast an endless shadow
CLOSE = 2.2  # radii from a thing's axis within which it takes light from the floor


def _entered(solids: Solids, owner: Tensor, origin: Tensor, way: Tensor) -> Float[Tensor, " P"]:
    """For each pair of a thing and a ray, given relative to the thing's centre."""
    result = torch.full_like(origin[0], NEVER)
    kind = solids.kind.flatten()[owner]
    turn = rearrange(solids.turn, "b n c -> c (b n)")
    radius = solids.radius.flatten()
    half = solids.half().flatten()
    for number, enter in enumerate(ENTER):
        of = (kind == number).nonzero()[:, 0]
        mine = owner[of]
        rays = Rays(
            turned(origin[:, of], turn[:, mine], back=True),
            turned(way[:, of], turn[:, mine], back=True),
            radius[mine],
            half[mine],
        )
        result[of] = enter(rays)
    return result


def _normals(solids: Solids, owner: Tensor, point: Float[Tensor, "3 P"]) -> Float[Tensor, "3 P"]:
    result = torch.zeros_like(point)
    kind = solids.kind.flatten()[owner]
    turn = rearrange(solids.turn, "b n c -> c (b n)")
    centre = rearrange(solids.centre, "b n c -> c (b n)")
    for number, faces in enumerate(FACES):
        of = (kind == number).nonzero()[:, 0]
        mine = owner[of]
        own = turned(point[:, of] - centre[:, mine], turn[:, mine], back=True)
        result[:, of] = turned(
            faces(own, solids.radius.flatten()[mine], solids.half().flatten()[mine]), turn[:, mine]
        )
    return result


def project(points: Float[Tensor, "B N P 3"], view: View) -> Float[Tensor, "B N P 3"]:
    """Row and column in pixels from the picture's corner, and depth ahead of the camera."""
    seen = points - view.eye[:, None, None]
    right, up, ahead = ((seen * view.axes[:, axis, None, None]).sum(-1) for axis in range(3))
    ahead = ahead.clamp_min(0.1)
    scale = min(view.size) / 2 / view.half
    return torch.stack(
        [view.size[0] / 2 - scale * up / ahead, view.size[1] / 2 + scale * right / ahead, ahead], -1
    )


def _ways(view: View) -> Float[Tensor, "B 3 R"]:
    rows, columns = (side * view.fine for side in view.size)
    step = view.half / (min(view.size) * view.fine / 2)
    up = (rows / 2 - 0.5 - torch.arange(rows, device=view.eye.device)) * step
    right = (torch.arange(columns, device=view.eye.device) - columns / 2 + 0.5) * step
    axes = view.axes[..., None, None]
    return rearrange(axes[:, 0] * right + axes[:, 1] * up[:, None] + axes[:, 2], "b c h w -> b c (h w)")


def _corners(solids: Solids, wider: float = 1.0) -> Float[Tensor, "B N 8 3"]:
    signs = torch.tensor(
        [[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], device=solids.centre.device
    )
    reach = torch.stack([solids.radius * wider, solids.radius * wider, solids.half()], -1)
    return solids.centre[:, :, None] + signs * reach[:, :, None]


def _window(corners: Float[Tensor, "B N P 3"], there: Bool[Tensor, "B N"], view: View) -> Int[Tensor, "M 4"]:
    """First row and column, last ones plus one, in points: room for all corners and one point around."""
    places = corners[..., :2] * view.fine
    most = torch.tensor(view.size, device=places.device) * view.fine
    low = (places.amin(2).floor().long() - 1).clamp_min(0).minimum(most)
    high = (places.amax(2).ceil().long() + 1).clamp_min(0).minimum(most)
    return rearrange(torch.cat([low, torch.where(there[..., None], high, low)], -1), "b n s -> (b n) s")


def _tried(window: Int[Tensor, "M 4"], view: View) -> tuple[Int[Tensor, " P"], Int[Tensor, " P"]]:
    """Every thing with every point of its window: the thing's number, the point's."""
    rows, columns = (window[:, 2:] - window[:, :2]).unbind(1)
    counts = rows * columns
    owner = torch.repeat_interleave(counts)
    local = torch.arange(len(owner), device=window.device) - (counts.cumsum(0) - counts)[owner]
    row = torch.div(local, columns[owner], rounding_mode="floor")
    column = local - row * columns[owner]
    return owner, (window[:, 0][owner] + row) * (view.size[1] * view.fine) + window[:, 1][owner] + column


def _points(of: Float[Tensor, "B N R"], view: View) -> Float[Tensor, "B N H W P"]:
    """The points of each pixel."""
    return rearrange(of, "b n (h p w q) -> b n h w (p q)", h=view.size[0], p=view.fine, w=view.size[1])
