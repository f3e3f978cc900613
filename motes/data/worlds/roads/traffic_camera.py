"""A fixed camera over a ground plane: projection, its inverse, and rays against solids bounded by planes."""

from dataclasses import dataclass

import numpy as np

from motes.data.worlds.portable import PI, Array, cosine, sine

FAR = np.float32(1e4)


@dataclass(frozen=True)
class Camera:
    """A camera, in coordinates with x to the right, y ahead and z up, in metres."""

    # 3
    position: Array
    # 3 3: the picture's right, its down, and into it
    axes: Array
    # pixels
    focal: float
    # column and row of the picture's middle
    middle: tuple[float, float]

    def project(self, points: Array) -> tuple[Array, Array, Array]:
        """The columns, rows and depths at which the camera sees points, ... 3."""
        offset = points - self.position
        x, y, z = (scalar_product(offset, axis) for axis in self.axes)
        z = np.maximum(z, 0.5)
        return self.middle[0] + self.focal * x / z, self.middle[1] + self.focal * y / z, z

    def rays(self, column: Array, row: Array) -> Array:
        """The directions of rays through pixels, ... 3; their component ahead into the picture is 1."""
        right, down, ahead = self.axes
        across = (column - self.middle[0]) / self.focal
        below = (row - self.middle[1]) / self.focal
        return ahead + across[..., None] * right + below[..., None] * down

    def ray_gradient(self, normals: Array) -> tuple[Array, Array, Array]:
        """The scalar product of ray and normal (... 3), which is linear in column and row.

        Returns how it changes with the column and with the row, and its value at column 0 and row 0.
        """
        right, down, ahead = (scalar_product(normals, axis) for axis in self.axes)
        right = right / self.focal
        down = down / self.focal
        return right, down, ahead - right * self.middle[0] - down * self.middle[1]

    def ground_points(self, rays: Array) -> tuple[Array, Array]:
        """The x and y of the points where rays meet the ground; points far away for rays that rise."""
        distance = -self.position[2] / np.minimum(rays[..., 2], -1e-3)
        return self.position[0] + distance * rays[..., 0], self.position[1] + distance * rays[..., 1]


def scalar_product(first: Array, second: Array) -> Array:
    """The inner product of vectors ... 3, summed in the same order on every machine."""
    x = first[..., 0] * second[..., 0]
    y = first[..., 1] * second[..., 1]
    return np.asarray(x + y + first[..., 2] * second[..., 2])


def camera(
    size: tuple[int, int], turn: float, height: float, distance: float, target: tuple[float, float]
) -> Camera:
    """A camera that looks at the point `target` of the ground.

    It is `distance` metres away from the point, at this height, `turn` degrees from straight on.
    """
    angle = np.array([turn * PI / 180])
    position = np.array([-distance * sine(angle)[0], -distance * cosine(angle)[0], height])
    axes = _axes(np.array([*target, 0.0]) - position)
    return Camera(position, axes, 0.98 * max(size), ((size[1] - 1) / 2, (size[0] - 1) / 2))


def _axes(ahead: Array) -> Array:
    """The axes of a camera that looks `ahead`, 3 3: the picture's right, its down, and the direction into
    it."""
    ahead = ahead / np.sqrt(scalar_product(ahead, ahead))
    level = np.sqrt(ahead[0] * ahead[0] + ahead[1] * ahead[1])
    right = np.array([ahead[1] / level, -ahead[0] / level, 0.0])
    down = np.array([ahead[0] * ahead[2] / level, ahead[1] * ahead[2] / level, -level])
    return np.stack([right, down, ahead])


def cast(eye: Camera, normals: Array, inside: Array, column: Array, row: Array) -> tuple[Array, Array]:
    """Cast rays through pixels against solids, each bounded by six planes.

    `normals` are P 6 3; `inside`, P 6, is how far the eye lies inside each plane; columns are P 1 W, rows P H
    1. Returns the distance in units of the ray (FAR where it misses) and the number of the plane that is hit,
    P H W.
    """
    right, down, base = (part.astype(np.float32)[..., None, None] for part in eye.ray_gradient(normals))
    inside = inside.astype(np.float32)[..., None, None]
    shape = np.broadcast_shapes(column.shape, row.shape, (len(normals), 1, 1))
    enter = np.zeros(shape, np.float32)
    leave = np.full(shape, FAR)
    face = np.zeros(shape, np.int8)
    for n in range(normals.shape[1]):
        distance = _crossing(inside[:, n], right[:, n] * column + base[:, n] + down[:, n] * row)
        outer = inside[:, n] < 0
        later = outer & (distance > enter)
        face = np.where(later, np.int8(n), face)
        enter = np.where(later, distance, enter)
        leave = np.where(outer, leave, np.minimum(leave, distance))
    return np.where((enter < leave) & (enter > 0), enter, FAR), face


def _crossing(inside: Array, slope: Array) -> Array:
    """The distances at which rays cross a plane; FAR where they never do."""
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = inside / slope
        return np.where(distance > 0, distance, FAR)
