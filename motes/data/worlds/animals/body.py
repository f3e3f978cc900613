"""Draw an animal: parts with round ends, each thicker or thinner towards its end, lit from a side.

What moves fast during the exposure has soft edges and is thin.
"""

from dataclasses import dataclass

import numpy as np

from motes.data.worlds.animals.build import Build
from motes.data.worlds.animals.camera import AnimalCamera
from motes.data.worlds.animals.pose import SIDES, TAIL_JOINTS, Joints
from motes.data.worlds.portable import Array

# how far, in lengths of a back, two surfaces at the same height run into each other
SOFT = 0.04
# a surface that is not there
FAR = -1e4
# lengths of a back
SHADOW_EDGE = 0.12


@dataclass(frozen=True)
class BodyPart:
    """From one joint to another, with the radius at each; `coat` is its region of the coat."""

    start: str
    end: str
    start_radius: str
    end_radius: str
    coat: str
    has_shadow: bool = True


def _parts() -> tuple[BodyPart, ...]:
    tail = [
        BodyPart(f"tail {n}", f"tail {n + 1}", f"tail {n}", f"tail {n + 1}", "tail")
        for n in range(TAIL_JOINTS)
    ]
    legs = [part for side in SIDES for end in ("fore", "hind") for part in _leg(f"{side} {end}")]
    back = [
        BodyPart("hip", "middle", "hip", "belly", "rump"),
        BodyPart("middle", "chest", "belly", "chest", "chest"),
        BodyPart("spot", "spot", "spot", "spot", "mark", False),
        BodyPart("chest", "neck", "neck", "neck", "chest"),
    ]
    head = [
        BodyPart("neck", "face", "skull", "skull", "head"),
        BodyPart("face", "nose", "skull", "muzzle", "head"),
    ]
    ears = [BodyPart(f"{side} ear root", f"{side} ear", "ear", "ear", "ear", False) for side in SIDES]
    eyes = [BodyPart(f"{side} eye", f"{side} eye", "eye", "eye", "eye", False) for side in SIDES]
    return (
        *legs,
        *tail,
        *back,
        *head,
        *ears,
        *eyes,
        BodyPart("nose", "nose", "muzzle", "muzzle", "nose", False),
    )


def _leg(name: str) -> list[BodyPart]:
    return [
        BodyPart(f"{name} root", f"{name} knee", "thigh", "leg", "leg"),
        BodyPart(f"{name} knee", f"{name} heel", "leg", "leg", "leg"),
        BodyPart(f"{name} heel", f"{name} toes", "paw", "paw", "paw"),
    ]


PARTS = _parts()


@dataclass(frozen=True)
class Body:
    """The parts of each animal in its picture: B P each, positions and radii in pixels."""

    # B P 3: row, column, nearness
    start: Array
    end: Array
    start_radius: Array
    end_radius: Array
    coat: Array
    # how far a part moves during the exposure
    motion: Array


@dataclass(frozen=True)
class DrawnAnimals:
    """What is drawn so far, B H W each."""

    brightness: Array
    # how near it is, in pixels
    nearness: Array
    # how much of a pixel the animal covers
    cover: Array


def body_of(build: Build, joints: Joints, moved: Joints, camera: AnimalCamera) -> Body:
    """The parts of animals whose joints are `moved` at the end of the exposure."""
    start, end = (_pixels(camera, joints, name) for name in ("start", "end"))
    later = _pixels(camera, moved, "end")
    change = (later - end)[..., :2]
    radii = build | _tail_radii(build) | {"spot": 0.75 * build["belly"]}
    return Body(
        start.astype(np.float32),
        end.astype(np.float32),
        _of_parts(radii, "start_radius") * camera.scale[:, None].astype(np.float32),
        _of_parts(radii, "end_radius") * camera.scale[:, None].astype(np.float32),
        np.stack([build[f"{part.coat} coat"] for part in PARTS], 1).astype(np.float32),
        np.sqrt(change[..., 0] * change[..., 0] + change[..., 1] * change[..., 1]).astype(np.float32),
    )


def _pixels(camera: AnimalCamera, joints: Joints, end: str) -> Array:
    return camera.pixels(np.stack([joints[getattr(part, end)] for part in PARTS], 1))


def _of_parts(values: Build, name: str) -> Array:
    return np.stack([values[getattr(part, name)] for part in PARTS], 1).astype(np.float32)


def _tail_radii(build: Build) -> Build:
    change = build["tail tip"] - build["tail root"]
    return {f"tail {n}": build["tail root"] + change * (n / TAIL_JOINTS) for n in range(TAIL_JOINTS + 1)}


def drawn(body: Body, brightness: Array, light: Array, ambient: Array, scale: Array) -> DrawnAnimals:
    """The animals before grounds of this brightness, B H W; `light`, B 3, is where it comes from, in the picture."""
    surface = DrawnAnimals(brightness, np.full_like(brightness, FAR), np.zeros_like(brightness))
    soft = (SOFT * scale)[:, None, None].astype(np.float32)
    lamp = light[..., None, None].astype(np.float32)
    for number in range(len(PARTS)):
        _paint(surface, body, number, lamp, ambient.astype(np.float32)[:, None, None], soft)
    return surface


def _paint(surface: DrawnAnimals, body: Body, number: int, light: Array, ambient: Array, soft: Array) -> None:
    """Paint a part of each animal on the surface, which changes."""
    down, right, axis, radius = _from_axis(body, number, surface.cover.shape[1:])
    square = down * down + right * right
    bulge = np.sqrt(np.maximum(radius * radius - square, 0))
    cover = _cover(radius - np.sqrt(square), 1 + body.motion[:, number, None, None])
    share = cover * np.clip((axis + bulge - surface.nearness) / soft + 0.5, 0, 1)
    towards = (down * light[:, 0] + right * light[:, 1] + bulge * light[:, 2]) / radius
    shade = ambient + (1 - ambient) * (0.5 + 0.5 * np.clip(towards, -1, 1))
    surface.brightness[:] += (body.coat[:, number, None, None] * shade - surface.brightness) * share
    surface.nearness[:] += (axis + bulge - surface.nearness) * share
    np.maximum(surface.cover, cover, out=surface.cover)


def _from_axis(body: Body, number: int, size: tuple[int, ...]) -> tuple[Array, Array, Array, Array]:
    """Each pixel's distance, down and right, from the nearest point of a part's axis; that point's nearness, and the
    part's radius there: B H W each."""
    start = body.start[:, number, :, None, None]
    end = body.end[:, number, :, None, None]
    rows, columns = (np.arange(side, dtype=np.float32) for side in size)
    down = rows[:, None] - start[:, 0]
    right = columns - start[:, 1]
    axis = end - start
    square = np.maximum(axis[:, 0] * axis[:, 0] + axis[:, 1] * axis[:, 1], np.float32(1e-6))
    share = np.clip((down * axis[:, 0] + right * axis[:, 1]) / square, 0, 1)
    radius = body.start_radius[:, number, None, None]
    growth = body.end_radius[:, number, None, None] - radius
    return (
        down - share * axis[:, 0],
        right - share * axis[:, 1],
        start[:, 2] + share * axis[:, 2],
        radius + share * growth,
    )


def _cover(inside: Array, width: Array) -> Array:
    """The cover of pixels that lie so far inside of an edge of this width, in pixels."""
    return np.clip(inside / width + np.float32(0.5), 0, 1)


def cast_shadows(body: Body, width: Array, size: tuple[int, int]) -> Array:
    """How much of each pixel lies in the shadow of a body that was laid on the ground: B H W."""
    shadow = np.zeros((len(body.start), *size), np.float32)
    for number, part in enumerate(PARTS):
        if part.has_shadow:
            down, right, _, radius = _from_axis(body, number, size)
            cover = _cover(radius - np.sqrt(down * down + right * right), width)
            np.maximum(shadow, cover, out=shadow)
    return shadow
