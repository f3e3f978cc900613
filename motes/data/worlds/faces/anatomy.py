"""Where the parts of a generated head are in the picture: solids and flat patches in the head's own space,
turned and projected; the landmarks.

The head's space: x to the picture's right, y down, z to the viewer; half the skull's width is 1. In the
picture: columns and rows in pixels. One number a face, B 1, so that points are B P; for drawing, `planes`
makes them B 1 1.
"""

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from motes.data.worlds.portable import PI, Array, cosine, sine

Look = dict[str, Array]  # every number that a face is drawn from
Pair = tuple[Array, Array]
Triple = tuple[Array, Array, Array]
JAW_BLEND = 0.3  # how softly skull and jaw run into each other
SIDES = (-1, 1)  # the left of the picture, the right


@dataclass(frozen=True)
class View:
    """How the head stands before the camera: a rotation, then a scale and a shift."""

    turn: tuple[Triple, Triple, Triple]
    # pixels in half a skull's width
    scale: Array
    column: Array
    row: Array

    def project(self, x: Array, y: Array, z: Array) -> Pair:
        across, down, _ = self.turn
        return (
            self.column + self.scale * (across[0] * x + across[1] * y + across[2] * z),
            self.row + self.scale * (down[0] * x + down[1] * y + down[2] * z),
        )


@dataclass(frozen=True)
class Patch:
    """A flat piece of the face: local (s, t) to the picture and back."""

    column: Array
    row: Array
    # columns and rows for a step of s
    across: Pair
    # for a step of t
    down: Pair

    def place(self, s: Array, t: Array) -> Pair:
        return self.column + self.across[0] * s + self.down[0] * t, self.row + self.across[1] * s + self.down[
            1
        ] * t

    def local(self, column: Array, row: Array) -> Pair:
        area = self.across[0] * self.down[1] - self.across[1] * self.down[0]
        x = (column - self.column) / area
        y = (row - self.row) / area
        return self.down[1] * x - self.down[0] * y, self.across[0] * y - self.across[1] * x


@dataclass(frozen=True)
class Solid:
    """An ellipsoid as seen: `form` is 1 on its outline; its front surface is a function of column, row and
    `root` = sqrt(1 - form)."""

    column: Array
    row: Array
    # of column^2, column row, row^2
    form: Triple
    # in pixels, about
    radius: Array
    # the head's x there: of column, row, root, and a constant
    x: tuple[Array, Array, Array, Array]
    y: tuple[Array, Array, Array, Array]
    z: tuple[Array, Array, Array, Array]
    # cosine of the light's angle, about
    light: Triple

    def level(self, column: Array, row: Array) -> Array:
        x = column - self.column
        y = row - self.row
        return self.form[0] * x * x + (self.form[1] * x + self.form[2] * y) * y

    def surface(self, name: str, column: Array, row: Array, root: Array) -> Array:
        of = getattr(self, name)
        plane = of[0] * (column - self.column) + of[1] * (row - self.row) + of[2] * root
        return plane + of[3] if len(of) == 4 else plane


def planes(part: Any) -> Any:
    """The same with B 1 1 in single precision, for drawing."""
    if isinstance(part, tuple):
        return tuple(planes(one) for one in part)
    if isinstance(part, np.ndarray):
        return part[..., None].astype(np.float32)
    return replace(part, **{one.name: planes(getattr(part, one.name)) for one in fields(part)})


def chosen(part: Any, index: Array | slice) -> Any:
    """The same of some pictures."""
    if isinstance(part, tuple):
        return tuple(chosen(one, index) for one in part)
    if isinstance(part, dict):
        return {name: value[index] for name, value in part.items()}
    if isinstance(part, np.ndarray):
        return part[index]
    return replace(part, **{one.name: chosen(getattr(part, one.name), index) for one in fields(part)})


def view_of(look: Look) -> View:
    """Yaw to the picture's right, pitch down, roll clockwise, in degrees."""
    (a, b), (c, d), (e, f) = (
        (cosine(look[n] * PI / 180), sine(look[n] * PI / 180)) for n in ("yaw", "pitch", "roll")
    )
    across = (a, 0 * a, b)
    down = (-b * d, c, a * d)
    near = (-b * c, -d, a * c)
    rolled = (
        tuple(e * p - f * q for p, q in zip(across, down, strict=True)),
        tuple(f * p + e * q for p, q in zip(across, down, strict=True)),
    )
    return View((*rolled, near), look["scale"], look["column"], look["row"])  # type: ignore[arg-type]


def solid(view: View, centre: Triple, radii: Triple, light: Triple) -> Solid:
    turn = view.turn
    spread = [
        [sum(turn[i][k] * turn[j][k] * radii[k] * radii[k] for k in range(3)) for j in range(2)]
        for i in range(2)
    ]
    inner = [
        [sum(turn[i][k] * turn[j][k] / (radii[k] * radii[k]) for k in range(3)) for j in range(3)]
        for i in range(3)
    ]
    area = spread[0][0] * spread[1][1] - spread[0][1] * spread[0][1]
    deep = 1 / inner[2][2]
    root = np.sqrt(deep)
    column, row = view.project(*centre)

    def linear(of: list[Array], constant: Array | None) -> tuple[Array, ...]:
        flat = [(of[n] - of[2] * inner[2][n] * deep) / view.scale for n in range(2)]
        return (*flat, of[2] * root) if constant is None else (*flat, of[2] * root, constant)

    heads = [linear([turn[i][k] for i in range(3)], centre[k]) for k in range(3)]
    size = np.sqrt(np.sqrt(area))
    facing = [sum(inner[i][j] * light[i] for i in range(3)) * size for j in range(3)]
    square = view.scale * view.scale * area
    form = (spread[1][1] / square, -2 * spread[0][1] / square, spread[0][0] / square)
    return Solid(column, row, form, size * view.scale, *heads, linear(facing, None))  # type: ignore[arg-type]


def patch(view: View, centre: Triple, across: Triple, down: Triple) -> Patch:
    column, row = view.project(*centre)
    steps = [
        tuple(view.scale * sum(view.turn[i][k] * step[k] for k in range(3)) for i in range(2))
        for step in (across, down)
    ]
    return Patch(column, row, *steps)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Head:
    """The parts of a face in the picture."""

    view: View
    skull: Solid
    jaw: Solid
    hair: Solid
    eyes: tuple[Patch, Patch]
    brows: tuple[Patch, Patch]
    mouth: Patch
    # bridge, tip, left wing, right wing, under the tip
    nose: tuple[Pair, ...]


def head_of(look: Look) -> Head:
    view = view_of(look)
    one = np.ones_like(look["yaw"])
    zero = 0 * one
    light = (look["light_x"], look["light_y"], look["light_z"])
    skull = solid(view, (zero, zero, zero), (one, look["height"], 1.05 * one), light)
    low = look["jaw_y"] + 0.12 * look["open"]
    jaw = solid(view, (zero, low, 0.12 * one), (look["jaw_width"], look["jaw_height"], 0.86 * one), light)
    volume = (1.06 + look["hair_side"], look["height"] + 0.07 + look["hair_top"], 1.1 + look["hair_side"])
    hair = solid(view, (zero, -0.06 * one, -0.08 * one), volume, light)
    eyes = [
        patch(
            view,
            (n * look["eye_x"], look["eye_y"], 0.9 * one),
            (one, zero, -0.35 * n * one),
            (zero, one, zero),
        )
        for n in SIDES
    ]
    brow_y = look["eye_y"] - look["brow_gap"] - 0.12 * look["raise"]
    brows = [
        patch(
            view,
            (n * look["brow_x"], brow_y, 0.95 * one),
            (one, zero, -0.4 * n * one),
            (zero, one, 0.25 * one),
        )
        for n in SIDES
    ]
    mouth = patch(
        view,
        (zero, look["mouth_y"] + 0.04 * look["open"], 0.97 * one),
        (one, zero, zero),
        (zero, one, -0.1 * one),
    )
    tip = look["nose_y"]
    wing = look["nose_width"]
    spots = [
        (zero, look["eye_y"] - 0.02, 1.02 * one),
        (zero, tip, look["nose_z"]),
        (-wing, tip + 0.05, 1.0 * one),
        (wing, tip + 0.05, 1.0 * one),
        (zero, tip + 0.1, look["nose_z"] - 0.14),
    ]
    return Head(
        view,
        skull,
        jaw,
        hair,
        (eyes[0], eyes[1]),
        (brows[0], brows[1]),
        mouth,
        tuple(view.project(*spot) for spot in spots),
    )


def outline(skull: Solid, jaw: Solid, column: Array, row: Array) -> tuple[Array, Array]:
    """Pixels outside the face's outline (inside is negative), and how much of the jaw is in it."""
    upper = (np.sqrt(skull.level(column, row)) - 1) * skull.radius
    lower = (np.sqrt(jaw.level(column, row)) - 1) * jaw.radius
    blend = JAW_BLEND * skull.radius
    share = np.clip((upper - lower) / blend * 0.5 + 0.5, 0, 1)
    return upper + (lower - upper) * share - blend * share * (1 - share), share


def lids(look: Look, side: int, across: Array) -> Pair:
    """The upper and the lower lid's edge at `across`, -1 to 1 over the eye's width; local rows, in head
    units."""
    width = look["eye_width"]
    arch = 1 - across * across
    slant = -look["slant"] * side * across * width
    low = look["eye_low"] * width * (1 - 0.3 * np.maximum(look["smile"], 0))
    high = look["eye_high"] * width * (1 + 0.25 * look["raise"])
    lean = arch * (1 + 0.25 * side * across)  # the upper lid is highest on the outer half
    return slant - (high - (high + low) * look["closed"]) * lean, slant + low * arch


def pupil(look: Look) -> Pair:
    """Local."""
    return look["gaze_x"] * look["eye_width"], (look["gaze_y"] - 0.06) * look["eye_width"]


def lips(look: Look, across: Array) -> tuple[Array, Array, Array, Array]:
    """Edges from the top: outer, inner, inner, outer; local rows, in head units."""
    square = across * across
    arch = 1 - square
    base = -look["smile"] * 0.11 * square + 0.05 * look["smile"]
    gap = look["open"] * 0.2 * arch
    dip = np.maximum(1 - 9 * square, 0) * 0.22
    top = base - 0.35 * gap
    bottom = base + 0.65 * gap
    return (
        top - look["lip_high"] * arch * (1 + 0.35 * square - dip),
        top,
        bottom,
        bottom + look["lip_low"] * arch * (1 + 0.2 * arch),
    )


def mouth_width(look: Look) -> Array:
    return look["mouth_width"] * (1 + 0.22 * look["smile"] - 0.18 * look["open"])


def brow_line(look: Look, side: int, across: Array) -> Array:
    """Local rows of the middle of a brow; across is -1 to 1 over its width."""
    inner = 0.5 - 0.5 * side * across
    return (
        -look["brow_arch"] * (1 - across * across)
        - look["brow_slant"] * side * across
        + 0.1 * look["frown"] * inner * inner
    )


def five_points(look: Look, head: Head) -> Array:
    """Left pupil, right pupil, tip of the nose, left and right corner of the mouth: B 5 2 of (column,
    row)."""
    corner = mouth_width(look)
    ends = [head.mouth.place(side * corner, lips(look, np.full_like(corner, side))[1]) for side in SIDES]
    return _points([*(eye.place(*pupil(look)) for eye in head.eyes), head.nose[1], *ends])


def many_points(look: Look, head: Head) -> Array:
    """The usual 68: jaw 17, brows 5 + 5, nose 4 + 5, eyes 6 + 6, lips 12 + 8."""
    found: list[Pair] = [_jaw_line(look, head)]
    for side, brow in zip(SIDES, head.brows, strict=True):
        t = np.linspace(-1, 1, 5)[None]
        found.append(brow.place(t * look["brow_width"], brow_line(look, side, t)))
    bridge, tip, left, right, under = head.nose
    found += [
        (bridge[0] + (tip[0] - bridge[0]) * t, bridge[1] + (tip[1] - bridge[1]) * t)
        for t in (0, 1 / 3, 2 / 3, 1)
    ]
    found += [left, _middle(left, under), under, _middle(under, right), right]
    for side, eye in zip(SIDES, head.eyes, strict=True):
        t = np.array([[-1, -0.4, 0.4, 1, 0.4, -0.4]])
        high, low = lids(look, side, t)
        found.append(eye.place(t * look["eye_width"], np.where(np.arange(6) < 4, high, low)))
    t = np.array(
        [
            [
                -1,
                -0.65,
                -0.3,
                0,
                0.3,
                0.65,
                1,
                0.65,
                0.3,
                0,
                -0.3,
                -0.65,
                -0.85,
                -0.3,
                0,
                0.3,
                0.85,
                0.3,
                0,
                -0.3,
            ]
        ]
    )
    edge = np.array([0] * 7 + [3] * 5 + [1] * 5 + [2] * 3)
    found.append(head.mouth.place(t * mouth_width(look), np.choose(edge, lips(look, t))))
    return _points(found)


def _jaw_line(look: Look, head: Head) -> Pair:
    """Seventeen places on the outline, where rays from the middle of the face cross it: from ear to ear over
    the chin."""
    turns = np.linspace(1.03, -0.03, 17)[None] * PI + look["roll"] * PI / 180
    start = head.view.project(0 * look["yaw"], look["eye_y"] + 0.1, 0.12 + 0 * look["yaw"])
    across = cosine(turns)
    down = sine(turns)
    near = 0 * turns
    far = 0 * turns + 2.5 * look["scale"]
    for _ in range(24):
        half = (near + far) / 2
        inside = outline(head.skull, head.jaw, start[0] + half * across, start[1] + half * down)[0] < 0
        near = np.where(inside, half, near)
        far = np.where(inside, far, half)
    return start[0] + near * across, start[1] + near * down


def _middle(a: Pair, b: Pair) -> Pair:
    return (a[0] + b[0]) / 2, (a[1] + b[1]) / 2


def _points(found: list[Pair]) -> Array:
    return np.stack([np.concatenate([pair[axis] for pair in found], 1) for axis in (0, 1)], -1)
