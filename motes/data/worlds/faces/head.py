"""The parts of a generated head as they appear in the picture, and the outline of its face."""

from dataclasses import dataclass

import numpy as np

from motes.data.worlds.faces.geometry import (
    SIDES,
    HeadPose,
    Look,
    Pair,
    Patch,
    ProjectedEllipsoid,
    Triple,
    ellipsoid,
    head_pose,
    patch,
)
from motes.data.worlds.portable import Array

JAW_BLEND = 0.3  # how softly skull and jaw run into each other


@dataclass(frozen=True)
class Head:
    """The parts of a face as they appear in the picture."""

    pose: HeadPose
    skull: ProjectedEllipsoid
    jaw: ProjectedEllipsoid
    hair: ProjectedEllipsoid
    eyes: tuple[Patch, Patch]
    brows: tuple[Patch, Patch]
    mouth: Patch
    # bridge, tip, left wing, right wing, under the tip
    nose: tuple[Pair, ...]


def head_of(look: Look) -> Head:
    """The head that a look describes; the numbers of the look have shape B 1."""
    pose = head_pose(look)
    skull, jaw, hair = _ellipsoids(look, pose)
    return Head(
        pose, skull, jaw, hair, _eyes(look, pose), _brows(look, pose), _mouth(look, pose), _nose(look, pose)
    )


def point(look: Look, x: Array | float, y: Array | float, z: Array | float) -> Triple:
    """A point or a direction in the head's space, one for each face."""
    ones = np.ones_like(look["scale"])
    return x * ones, y * ones, z * ones


def _ellipsoids(
    look: Look, pose: HeadPose
) -> tuple[ProjectedEllipsoid, ProjectedEllipsoid, ProjectedEllipsoid]:
    """The ellipsoids of skull, jaw and hair."""
    light = (look["light_x"], look["light_y"], look["light_z"])
    skull = ellipsoid(pose, point(look, 0.0, 0.0, 0.0), point(look, 1.0, look["height"], 1.05), light)
    jaw = ellipsoid(pose, _jaw_centre(look), point(look, look["jaw_width"], look["jaw_height"], 0.86), light)
    return skull, jaw, ellipsoid(pose, point(look, 0.0, -0.06, -0.08), _hair_radii(look), light)


def _jaw_centre(look: Look) -> Triple:
    return point(look, 0.0, look["jaw_y"] + 0.12 * look["open"], 0.12)


def _hair_radii(look: Look) -> Triple:
    side = look["hair_side"]
    return 1.06 + side, look["height"] + 0.07 + look["hair_top"], 1.1 + side


def _eyes(look: Look, pose: HeadPose) -> tuple[Patch, Patch]:
    left, right = (
        _slanted(look, pose, point(look, side * look["eye_x"], look["eye_y"], 0.9), -0.35 * side)
        for side in SIDES
    )
    return left, right


def _brows(look: Look, pose: HeadPose) -> tuple[Patch, Patch]:
    y = look["eye_y"] - look["brow_gap"] - 0.12 * look["raise"]
    left, right = (
        _slanted(look, pose, point(look, side * look["brow_x"], y, 0.95), -0.4 * side, 0.25) for side in SIDES
    )
    return left, right


def _slanted(look: Look, pose: HeadPose, centre: Triple, across: float, down: float = 0.0) -> Patch:
    """A patch whose steps across and down come nearer to the viewer by these amounts."""
    return patch(pose, centre, point(look, 1.0, 0.0, across), point(look, 0.0, 1.0, down))


def _mouth(look: Look, pose: HeadPose) -> Patch:
    centre = point(look, 0.0, look["mouth_y"] + 0.04 * look["open"], 0.97)
    return _slanted(look, pose, centre, 0.0, -0.1)


def _nose(look: Look, pose: HeadPose) -> tuple[Pair, ...]:
    y = look["nose_y"]
    wing = look["nose_width"]
    points = [
        point(look, 0.0, look["eye_y"] - 0.02, 1.02),
        point(look, 0.0, y, look["nose_z"]),
        point(look, -wing, y + 0.05, 1.0),
        point(look, wing, y + 0.05, 1.0),
        point(look, 0.0, y + 0.1, look["nose_z"] - 0.14),
    ]
    return tuple(pose.project(*xyz) for xyz in points)


def outline(
    skull: ProjectedEllipsoid, jaw: ProjectedEllipsoid, column: Array, row: Array
) -> tuple[Array, Array]:
    """How many pixels points lie outside the face's outline (negative inside), and the share of the jaw in
    it."""
    upper = (np.sqrt(skull.level(column, row)) - 1) * skull.radius
    lower = (np.sqrt(jaw.level(column, row)) - 1) * jaw.radius
    blend = JAW_BLEND * skull.radius
    share = np.clip((upper - lower) / blend * 0.5 + 0.5, 0, 1)
    return upper + (lower - upper) * share - blend * share * (1 - share), share
