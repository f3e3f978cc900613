"""Vehicles before the place: rays against their parts, glass, wheels and lamps by place, shadows on the
ground, nearest first by depth."""

from dataclasses import dataclass, fields

import numpy as np

from motes.data.worlds.portable import Array, keep_memory
from motes.data.worlds.roads.traffic_camera import FAR, Camera, cast
from motes.data.worlds.roads.traffic_place import FINER, Place
from motes.data.worlds.roads.vehicles import PARTS, SIZES, bounds

GROUP = 2**15  # canvas pixels of vehicles drawn at once
GLASS = (0.1, 0.13, 0.17)
TYRE = (0.07, 0.07, 0.075)
HUB = (0.55, 0.56, 0.58)
SILL = (0.14, 0.14, 0.15)
LAMP = (1.0, 0.97, 0.86)
TAIL = (0.72, 0.06, 0.06)


@dataclass(frozen=True)
class Fleet:
    """Vehicles of frames, one after the other, V of each."""

    # which picture
    frame: Array
    slot: Array
    kind: Array
    # V 3
    body: Array
    # V 3
    second: Array
    x: Array
    y: Array
    east: Array
    north: Array

    def of(self, index: Array) -> "Fleet":
        return Fleet(**{one.name: getattr(self, one.name)[index] for one in fields(self)})


@dataclass(frozen=True)
class Sprite:
    """One vehicle as the camera sees it, at its place of the canvas."""

    top: int
    left: int
    # H W: FAR where it is not
    depth: Array
    # 3 H W
    colour: Array


def draw(place: Place, fleet: Fleet, light: tuple[Array, Array, Array]) -> tuple[Array, Array, list[Sprite]]:
    """Pictures (uint8, B 3 H W), the slot + 1 of what is seen at each canvas pixel (B H W; 0: no vehicle),
    and the vehicles alone."""
    keep_memory()
    sky, sun, direction = (part.astype(np.float32) for part in light)
    lamps = np.clip(1.5 - 1.6 * (sky + sun).mean(-1), 0, 1)
    shadows = _shadows(place, fleet, direction)
    sprites = _sprites(place.eye, fleet, (sky, sun, direction, lamps), place.depth.shape)
    pictures = []
    seen = []
    for frame in range(len(sky)):
        mine = np.flatnonzero(fleet.frame == frame)
        dark = np.ones_like(place.depth)
        near = np.ones_like(place.depth)
        for n in mine:
            top, left, shadow, contact = shadows[n]
            cut = slice(top, top + shadow.shape[0]), slice(left, left + shadow.shape[1])
            dark[cut] = np.minimum(dark[cut], 1 - shadow)
            near[cut] = np.minimum(near[cut], 1 - contact)
        picture = place.shade * (sky[frame][:, None, None] * near) + place.sunlit * (
            sun[frame][:, None, None] * dark
        )
        depth = place.depth.copy()
        who = np.zeros(place.depth.shape, np.uint8)
        for n in mine:
            one = sprites[n]
            cut = slice(one.top, one.top + one.depth.shape[0]), slice(one.left, one.left + one.depth.shape[1])
            nearer = one.depth < depth[cut]
            np.copyto(depth[cut], one.depth, where=nearer)
            np.copyto(picture[:, *cut], one.colour, where=nearer)
            np.copyto(who[cut], np.uint8(fleet.slot[n] + 1), where=nearer)
        pictures.append(_halved(picture))
        seen.append(who)
    return np.stack(pictures), np.stack(seen), sprites


def _halved(picture: Array) -> Array:
    tall = picture[:, ::2] + picture[:, 1::2]
    return np.clip(
        (tall[..., ::2] + tall[..., 1::2]) * np.float32(255 / FINER**2) + np.float32(0.5), 0, 255
    ).astype(np.uint8)


def _windows(columns: Array, rows: Array, size: tuple[int, ...]) -> tuple[Array, Array, Array, Array]:
    """Top, left, height and width of the boxes around points V P, within the canvas; nothing outside it."""
    left, top = (
        np.clip(np.floor(at.min(1)).astype(np.int64), 0, most)
        for at, most in ((columns, size[1]), (rows, size[0]))
    )
    right, bottom = (
        np.clip(np.floor(at.max(1)).astype(np.int64) + 2, 0, most)
        for at, most in ((columns, size[1]), (rows, size[0]))
    )
    return top, left, np.maximum(bottom - top, 0), np.maximum(right - left, 0)


def _groups(height: Array, width: Array) -> list[Array]:
    """Vehicles of about the same size together; those outside the canvas in none."""
    order = np.argsort(height * width, kind="stable")
    order = order[(height * width)[order] > 0]
    groups = []
    first = 0
    while first < len(order):
        last = first + 1
        while last < len(order):
            some = order[first : last + 1]
            if len(some) * int(height[some].max()) * int(width[some].max()) > GROUP:
                break
            last += 1
        groups.append(order[first:last])
        first = last
    return groups


def _corners(fleet: Fleet) -> Array:
    """V 8 3: the box around each vehicle; the first four are on the ground."""
    length, width, height = (SIZES[fleet.kind, axis][:, None] for axis in range(3))
    along = length / 2 * np.array([1, 1, -1, -1, 1, 1, -1, -1])
    aside = width / 2 * np.array([1, -1, 1, -1, 1, -1, 1, -1])
    x = fleet.x[:, None] + along * fleet.east[:, None] - aside * fleet.north[:, None]
    y = fleet.y[:, None] + along * fleet.north[:, None] + aside * fleet.east[:, None]
    z = height * 1.1 * np.array([0, 0, 0, 0, 1, 1, 1, 1])
    return np.stack([x, y, z], -1)


def _shadows(place: Place, fleet: Fleet, direction: Array) -> list[tuple[int, int, Array, Array]]:
    """Where each vehicle keeps the sun from the ground (0 or 1, softened), and the dark under it."""
    corners = _corners(fleet)
    sun = direction[fleet.frame].astype(np.float64)
    for axis in (0, 1):
        corners[:, 4:, axis] -= corners[:, 4:, 2] * (sun[:, axis] / sun[:, 2])[:, None]
    corners[..., 2] = 0
    grown = np.concatenate([corners + np.array([a, b, 0.0]) for a in (-0.6, 0.6) for b in (-0.6, 0.6)], 1)
    columns, rows, _ = place.eye.project(grown)
    top, left, height, width = _windows(columns, rows, place.depth.shape)
    nothing = np.zeros((0, 0), np.float32)
    found: list[tuple[int, int, Array, Array]] = [(0, 0, nothing, nothing)] * len(fleet.frame)
    for index in _groups(height, width):
        tall = int(height[index].max())
        wide = int(width[index].max())
        low = np.clip(top[index], 0, place.depth.shape[0] - tall)
        side = np.clip(left[index], 0, place.depth.shape[1] - wide)
        cuts = [(slice(a, a + tall), slice(b, b + wide)) for a, b in zip(low, side, strict=True)]
        ground = np.stack([place.ground[:, *cut] for cut in cuts])
        on_ground = np.stack([place.depth[cut] >= FAR for cut in cuts])
        shadow, contact = _shadow(fleet.of(index), ground, sun[index])
        for n, one in enumerate(index):
            found[one] = (int(low[n]), int(side[n]), shadow[n] * on_ground[n], contact[n] * on_ground[n])
    return found


def _shadow(fleet: Fleet, ground: Array, sun: Array) -> tuple[Array, Array]:
    half = [(SIZES[fleet.kind, axis] / 2).astype(np.float32)[:, None, None] for axis in range(2)]
    high = (SIZES[fleet.kind, 2] * 0.86).astype(np.float32)[:, None, None]
    east, north = (part.astype(np.float32)[:, None, None] for part in (fleet.east, fleet.north))
    x = ground[:, 0] - fleet.x.astype(np.float32)[:, None, None]
    y = ground[:, 1] - fleet.y.astype(np.float32)[:, None, None]
    sun = sun.astype(np.float32)[:, :, None, None]
    enter = np.float32(0)
    leave = high / sun[:, 2]
    outside = np.float32(-9)
    for at, towards, end in (
        (x * east + y * north, sun[:, 0] * east + sun[:, 1] * north, half[0]),
        (y * east - x * north, sun[:, 1] * east - sun[:, 0] * north, half[1]),
    ):
        towards = np.where(np.abs(towards) < 1e-4, np.float32(1e-4), towards)
        first = (-end - at) / towards
        last = (end - at) / towards
        enter = np.maximum(enter, np.minimum(first, last))
        leave = np.minimum(leave, np.maximum(first, last))
        outside = np.maximum(outside, np.abs(at) - end)
    cover = np.clip((leave - enter) * np.float32(2.5), 0, 1)
    return cover, np.clip(1 - outside / np.float32(0.55), 0, 1) * np.float32(0.5)


def _sprites(eye: Camera, fleet: Fleet, light: tuple[Array, ...], size: tuple[int, ...]) -> list[Sprite]:
    columns, rows, _ = eye.project(_corners(fleet))
    top, left, height, width = _windows(columns, rows, size)
    nothing = Sprite(0, 0, np.zeros((0, 0), np.float32), np.zeros((3, 0, 0), np.float32))
    found = [nothing] * len(fleet.frame)
    for index in _groups(height, width):
        tall = int(height[index].max())
        wide = int(width[index].max())
        low = np.clip(top[index], 0, size[0] - tall)
        side = np.clip(left[index], 0, size[1] - wide)
        row = (low[:, None] + np.arange(tall)).astype(np.float32)[:, :, None]
        column = (side[:, None] + np.arange(wide)).astype(np.float32)[:, None]
        some = fleet.of(index)
        depth, colour = _vehicles(eye, some, column, row, tuple(part[some.frame] for part in light))
        for n, one in enumerate(index):
            found[one] = Sprite(int(low[n]), int(side[n]), depth[n], colour[n])
    return found


def _vehicles(
    eye: Camera, fleet: Fleet, column: Array, row: Array, light: tuple[Array, ...]
) -> tuple[Array, Array]:
    """Depth V H W and colour V 3 H W."""
    east = fleet.east[:, None]
    north = fleet.north[:, None]
    away = np.stack([eye.place[0] - fleet.x, eye.place[1] - fleet.y, np.full_like(fleet.x, eye.place[2])], -1)
    forward = np.stack([fleet.east, fleet.north, 0 * fleet.x], -1)
    aside = np.stack([-fleet.north, fleet.east, 0 * fleet.x], -1)
    up = np.stack([0 * fleet.x, 0 * fleet.x, 0 * fleet.x + 1], -1)
    shape = (len(fleet.x), row.shape[1], column.shape[2])
    depth = np.full(shape, FAR)
    painted = np.zeros((shape[0], 3, *shape[1:]), np.float32)
    for part in range(PARTS.shape[1]):
        numbers = PARTS[fleet.kind, part]
        local, distance = bounds(numbers, SIZES[fleet.kind, 1] / 2)
        normals = np.stack(
            [
                local[..., 0] * east - local[..., 1] * north,
                local[..., 0] * north + local[..., 1] * east,
                local[..., 2],
            ],
            -1,
        )
        inside = distance - (
            normals[..., 0] * away[:, None, 0]
            + normals[..., 1] * away[:, None, 1]
            + normals[..., 2] * away[:, None, 2]
        )
        at, face = cast(eye, normals, inside, column, row)
        place = []
        for axis in (forward, aside, up):
            right, down, base = (of.astype(np.float32)[:, None, None] for of in eye.along(axis))
            start = (away[:, 0] * axis[:, 0] + away[:, 1] * axis[:, 1] + away[:, 2] * axis[:, 2]).astype(
                np.float32
            )[:, None, None]
            place.append(start + np.minimum(at, 300) * (right * column + base + down * row))
        colour = _paint(fleet, numbers, (face, *place), normals, light)
        nearer = at < depth
        depth = np.where(nearer, at, depth)
        painted = np.where(nearer[:, None], colour, painted)
    return depth, painted


def _paint(
    fleet: Fleet, numbers: Array, hit: tuple[Array, ...], normals: Array, light: tuple[Array, ...]
) -> Array:
    """Colours V 3 H W of one part of each vehicle: paint, glass, wheels, lamps."""
    sky, sun, direction, lamps = light
    face, x, y, z = hit
    start, end, glass, ceiling, pillar, which = (
        numbers[:, n].astype(np.float32)[:, None, None] for n in (0, 1, 8, 9, 10, 11)
    )
    length, wide = (SIZES[fleet.kind, n].astype(np.float32)[:, None, None] for n in range(2))
    towards = (normals * direction[:, None].astype(np.float64)).astype(np.float32)
    facing = np.maximum(towards[..., 0] + towards[..., 1] + towards[..., 2], 0) * np.float32(1.25)
    open_ = (np.float32(0.72) + np.float32(0.28) * normals[..., 2]).astype(np.float32)
    shades = open_[..., None] * sky[:, None] + facing[..., None] * sun[:, None]  # V 6 3
    shade = np.take_along_axis(
        shades.transpose(0, 2, 1), face.reshape(len(face), 1, -1).astype(np.int64), 2
    ).reshape(len(face), 3, *face.shape[1:])
    paint = np.where(
        which > 0.5,
        fleet.second.astype(np.float32)[:, :, None, None].transpose(1, 0, 2, 3),
        fleet.body.astype(np.float32)[:, :, None, None].transpose(1, 0, 2, 3),
    )
    colour = np.broadcast_to(paint.transpose(1, 0, 2, 3), shade.shape)
    flank = (face == 2) | (face == 3)
    ends = face < 2
    post = (x - start) / pillar
    post = post - np.floor(post)
    pane = (
        (z > glass)
        & (z < ceiling)
        & ((flank & (post > 0.1) & (x > start + 0.25)) | (ends & (np.abs(y) < wide * np.float32(0.42))))
    )
    colour = _lay(colour, pane, GLASS)
    colour = _lay(colour, (z < 0.36) & ~pane & (face < 4), SILL)
    axle = np.abs(np.abs(x) - length * np.float32(0.31))
    away = axle * axle + np.square(z - np.float32(0.36))
    colour = _lay(colour, flank & (away < 0.13), TYRE)
    colour = _lay(colour, flank & (away < 0.035), HUB)
    corner = np.abs(y) > wide * np.float32(0.29)
    colour = colour * shade
    glow = np.maximum(shade, (0.25 + 0.75 * lamps).astype(np.float32)[:, None, None, None])
    bright = (face == 0) & corner & (z > 0.5) & (z < 0.82) & (end > length * np.float32(0.49))
    tail = (face == 1) & corner & (z > 0.55) & (z < 0.95) & (start < length * np.float32(-0.49))
    colour = np.where(bright[:, None], np.array(LAMP, np.float32)[:, None, None] * glow, colour)
    return np.where(tail[:, None], np.array(TAIL, np.float32)[:, None, None] * glow, colour)


def _lay(colour: Array, where: Array, with_: tuple[float, float, float]) -> Array:
    return np.where(where[:, None], np.array(with_, np.float32)[:, None, None], colour)
