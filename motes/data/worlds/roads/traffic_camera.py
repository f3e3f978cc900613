"""A fixed camera over a ground plane: from the ground to the picture and back, and rays against solids
bounded by planes."""

from dataclasses import dataclass

import numpy as np

from motes.data.worlds.portable import PI, Array, cosine, sine

FAR = np.float32(1e4)


@dataclass(frozen=True)
class Camera:
    """x to the right, y ahead, z up, metres; `axes`: the picture's right, its down, and into it."""

    # 3
    place: Array
    # 3 3
    axes: Array
    # pixels
    focal: float
    # column, row that it looks at
    middle: tuple[float, float]

    def project(self, points: Array) -> tuple[Array, Array, Array]:
        """... 3 to columns, rows and depths."""
        away = points - self.place
        x, y, z = (
            away[..., 0] * axis[0] + away[..., 1] * axis[1] + away[..., 2] * axis[2] for axis in self.axes
        )
        z = np.maximum(z, 0.5)
        return self.middle[0] + self.focal * x / z, self.middle[1] + self.focal * y / z, z

    def rays(self, column: Array, row: Array) -> Array:
        """Directions, ... 3."""
        right, down, ahead = self.axes
        across = (column - self.middle[0]) / self.focal
        below = (row - self.middle[1]) / self.focal
        return ahead + across[..., None] * right + below[..., None] * down

    def along(self, normals: Array) -> tuple[Array, Array, Array]:
        """How the ray's part along a normal (... 3) goes with column and row: of a column, of a row, at
        column 0 and row 0."""
        right, down, ahead = (
            normals[..., 0] * axis[0] + normals[..., 1] * axis[1] + normals[..., 2] * axis[2]
            for axis in self.axes
        )
        right = right / self.focal
        down = down / self.focal
        return right, down, ahead - right * self.middle[0] - down * self.middle[1]


def camera(
    size: tuple[int, int], turn: float, height: float, away: float, look: tuple[float, float]
) -> Camera:
    """From `away` metres and `turn` degrees from straight on, looking at a point of the ground."""
    angle = np.array([turn * PI / 180])
    c = cosine(angle)[0]
    s = sine(angle)[0]
    place = np.array([-away * s, -away * c, height])
    ahead = np.array([*look, 0.0]) - place
    ahead = ahead / np.sqrt(ahead[0] * ahead[0] + ahead[1] * ahead[1] + ahead[2] * ahead[2])
    flat = np.sqrt(ahead[0] * ahead[0] + ahead[1] * ahead[1])
    right = np.array([ahead[1] / flat, -ahead[0] / flat, 0.0])
    down = np.array([ahead[0] * ahead[2] / flat, ahead[1] * ahead[2] / flat, -flat])
    middle = ((size[1] - 1) / 2, (size[0] - 1) / 2)
    return Camera(place, np.stack([right, down, ahead]), 0.98 * max(size), middle)


def cast(eye: Camera, normals: Array, inside: Array, column: Array, row: Array) -> tuple[Array, Array]:
    """Rays against solids: P 6 3 and how far the eye is inside each plane, P 6; columns P 1 W, rows P H 1.

    Returns the distance in units of the ray (FAR where it misses) and the number of the plane that is hit, P
    H W.
    """
    right, down, base = (part.astype(np.float32)[..., None, None] for part in eye.along(normals))
    inside = inside.astype(np.float32)[..., None, None]
    shape = np.broadcast_shapes(column.shape, row.shape, (len(normals), 1, 1))
    enter = np.zeros(shape, np.float32)
    leave = np.full(shape, FAR)
    face = np.zeros(shape, np.int8)
    with np.errstate(divide="ignore", invalid="ignore"):
        for n in range(normals.shape[1]):
            slope = right[:, n] * column + base[:, n] + down[:, n] * row
            at = inside[:, n] / slope
            at = np.where(at > 0, at, FAR)
            outer = inside[:, n] < 0
            later = outer & (at > enter)
            face = np.where(later, np.int8(n), face)
            enter = np.where(later, at, enter)
            leave = np.where(outer, leave, np.minimum(leave, at))
    return np.where((enter < leave) & (enter > 0), enter, FAR), face
