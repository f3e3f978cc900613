"""The landmarks of a generated face: 5 or 68 points, B P 2 of (column, row) in pixels."""

import numpy as np

from motes.data.worlds.faces.geometry import SIDES, Look, Pair, brow_line, lids, lips, mouth_width, pupil
from motes.data.worlds.faces.head import Head, outline, point
from motes.data.worlds.portable import PI, Array, cosine, sine

# of the 20 points of the lips: where over the mouth's width, and on which edge (see `lips`)
OUTER_LIPS = [-1, -0.65, -0.3, 0, 0.3, 0.65, 1, 0.65, 0.3, 0, -0.3, -0.65]
INNER_LIPS = [-0.85, -0.3, 0, 0.3, 0.85, 0.3, 0, -0.3]
LIP_POINTS = np.array([OUTER_LIPS + INNER_LIPS])
LIP_EDGES = np.array([0] * 7 + [3] * 5 + [1] * 5 + [2] * 3)
LID_POINTS = np.array([[-1, -0.4, 0.4, 1, 0.4, -0.4]])
JAW_HALVINGS = 24  # of a ray on which the outline is searched


def five_points(look: Look, head: Head) -> Array:
    """The five points: left pupil, right pupil, tip of the nose, left and right corner of the mouth."""
    corner = mouth_width(look)
    corners = [head.mouth.project(side * corner, lips(look, np.full_like(corner, side))[1]) for side in SIDES]
    return _stacked([*(eye.project(*pupil(look)) for eye in head.eyes), head.nose[1], *corners])


def sixty_eight_points(look: Look, head: Head) -> Array:
    """The 68 points in the usual order: jaw 17, brows 5 + 5, nose 4 + 5, eyes 6 + 6, lips 12 + 8."""
    mouth = head.mouth.project(LIP_POINTS * mouth_width(look), np.choose(LIP_EDGES, lips(look, LIP_POINTS)))
    return _stacked([_jaw_line(look, head), *_brows(look, head), *_nose(head), *_eyes(look, head), mouth])


def _brows(look: Look, head: Head) -> list[Pair]:
    t = np.linspace(-1, 1, 5)[None]
    return [
        brow.project(t * look["brow_width"], brow_line(look, side, t))
        for side, brow in zip(SIDES, head.brows, strict=True)
    ]


def _nose(head: Head) -> list[Pair]:
    bridge, tip, left, right, under = head.nose
    ridge = [_on_the_way(bridge, tip, share) for share in (0.0, 1 / 3, 2 / 3, 1.0)]
    return [*ridge, left, _middle(left, under), under, _middle(under, right), right]


def _eyes(look: Look, head: Head) -> list[Pair]:
    points = []
    for side, eye in zip(SIDES, head.eyes, strict=True):
        high, low = lids(look, side, LID_POINTS)
        points.append(eye.project(LID_POINTS * look["eye_width"], np.where(np.arange(6) < 4, high, low)))
    return points


def _jaw_line(look: Look, head: Head) -> Pair:
    """Seventeen points of the outline, from ear to ear over the chin.

    They are where rays from the middle of the face cross the outline.
    """
    angles = np.linspace(1.03, -0.03, 17)[None] * PI + look["roll"] * PI / 180
    start = head.pose.project(*point(look, 0.0, look["eye_y"] + 0.1, 0.12))
    across = cosine(angles)
    down = sine(angles)
    near = 0 * angles
    far = 0 * angles + 2.5 * look["scale"]
    for _ in range(JAW_HALVINGS):
        half = (near + far) / 2
        inside = outline(head.skull, head.jaw, start[0] + half * across, start[1] + half * down)[0] < 0
        near = np.where(inside, half, near)
        far = np.where(inside, far, half)
    return start[0] + near * across, start[1] + near * down


def _on_the_way(a: Pair, b: Pair, share: float | int) -> Pair:
    return a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share


def _middle(a: Pair, b: Pair) -> Pair:
    return (a[0] + b[0]) / 2, (a[1] + b[1]) / 2


def _stacked(points: list[Pair]) -> Array:
    return np.stack([np.concatenate([pair[axis] for pair in points], 1) for axis in (0, 1)], -1)
