"""Draw a chair as seen from one side: its picture, and how much of each pixel it covers.

Rays are cast against the chair's parts. A lamp beside the camera lights them, and they cast shadows.

Only + - * / and square roots on single numbers are used, so that the pixels are the same on every machine.
"""

from dataclasses import dataclass

import numpy as np

from motes.data.worlds.chairs.parts import Part, inner_product
from motes.data.worlds.chairs.rays import NEVER, ray_entry
from motes.data.worlds.portable import Array

# of the camera, from the chair; height it looks at; half of what the picture shows there
AWAY = 4.0
MIDDLE = 0.46
HALF = 0.66
GROUND = 0.97  # grey level around the chair
# light from everywhere, from the lamp, and what of the lamp's is left in shadows
AMBIENT = 0.46
LAMP = 0.62
SHADOW = 0.25
ABOVE_CAMERA = np.array([0, 0, 0.55])  # part of the lamp's direction
ABOVE = np.float32(2e-3)  # shadow rays start so far above the surface
CORNERS = np.array([[i, j, k] for i in (-1, 1) for j in (-1, 1) for k in (-1, 1)], np.float64)


@dataclass(frozen=True)
class ChairCamera:
    """Where a camera stands, and which directions are right, up and ahead for it; vectors of 3."""

    position: Array
    right: Array
    up: Array
    ahead: Array

    @classmethod
    def at(cls, azimuth: tuple[float, float], elevation: tuple[float, float]) -> "ChairCamera":
        """A camera at these angles, each given as (cosine, sine).

        Azimuth 0 shows the front, and elevation 0 is level with the chair.
        """
        a, b = azimuth
        c, d = elevation
        back = np.array([b * c, -a * c, d])
        position = np.array([0, 0, MIDDLE]) + AWAY * back
        return cls(position, np.array([a, b, 0]), np.array([-b * d, a * d, c]), -back)

    def directions(self, rows: int, columns: int) -> Array:
        """The direction of the ray through each pixel of a grid, H W 3."""
        step = pixel_size(rows, columns)
        down = ((np.arange(rows) + 0.5 - rows / 2) * step)[:, None, None]
        across = ((np.arange(columns) + 0.5 - columns / 2) * step)[None, :, None]
        return (AWAY * self.ahead + across * self.right - down * self.up).astype(np.float32)

    def lamp(self) -> Array:
        """The direction of the lamp, which stands beside and above the camera."""
        lamp = -self.ahead * 0.6 - self.right * 0.45 + self.up * 0.35 + ABOVE_CAMERA
        lamp = lamp.astype(np.float32)
        return lamp / np.sqrt(inner_product(lamp, lamp))


def pixel_size(rows: int, columns: int) -> float:
    """The side of the square that one ray stands for, at the chair's distance, in units of the chair's
    space."""
    return 2 * HALF / min(rows, columns)


@dataclass(frozen=True)
class ChairSurface:
    """The surface that each ray meets first: distances H W, normals and colours H W 3."""

    distance: Array
    normal: Array
    colour: Array

    @classmethod
    def empty(cls, rows: int, columns: int) -> "ChairSurface":
        normal = np.zeros((rows, columns, 3), np.float32)
        return cls(np.full((rows, columns), NEVER), normal, np.full_like(normal, GROUND))

    def add(self, part: Part, camera: ChairCamera, directions: Array) -> None:
        """Add a part: it replaces what the rays met before where it is nearer."""
        window = _window(part, camera, self.distance.shape)
        distance, normal = ray_entry(part, camera.position.astype(np.float32), directions[window])
        closer = distance < self.distance[window]
        self.distance[window] = np.where(closer, distance, self.distance[window])
        self.normal[window] = np.where(closer[..., None], normal, self.normal[window])
        self.colour[window] = np.where(closer[..., None], part.colour.astype(np.float32), self.colour[window])


def draw_chair(
    parts: list[Part], camera: ChairCamera, size: tuple[int, int], fine: int
) -> tuple[Array, Array]:
    """The chair's picture, light in [0, 1], H W 3, and the share of each pixel that the chair covers, H W."""
    rows = size[0] * fine
    columns = size[1] * fine
    directions = camera.directions(rows, columns)
    surface = ChairSurface.empty(rows, columns)
    for part in parts:
        surface.add(part, camera, directions)
    hit = surface.distance < NEVER
    normal = surface.normal[hit]
    path = surface.distance[hit][:, None] * directions[hit]
    points = camera.position.astype(np.float32) + path + ABOVE * normal
    surface.colour[hit] *= _light(points, normal, camera.lamp(), parts)[:, None]
    cover = _averaged(hit.astype(np.float32)[..., None], fine)[..., 0]
    return _averaged(np.clip(surface.colour, 0, 1), fine), cover


def _light(points: Array, normal: Array, lamp: Array, parts: list[Part]) -> Array:
    """The light at points of the surface, from the lamp and from all sides (ambient light).

    Other parts cast shadows. The ambient light is weaker on low points and on surfaces that do not face up.
    """
    share = np.where(_blocked(points, lamp, parts), np.float32(SHADOW), np.float32(1))
    direct = np.maximum(inner_product(normal, lamp), 0) * share
    ambient = AMBIENT * (0.82 + 0.18 * normal[:, 2]) * (0.78 + 0.22 * np.clip(points[:, 2] / 0.5, 0, 1))
    return (ambient + LAMP * direct).astype(np.float32)


def _blocked(points: Array, lamp: Array, parts: list[Part]) -> Array:
    """Whether a part of the chair stands between each point and the lamp."""
    blocked = np.zeros(len(points), bool)
    for part in parts:
        blocked |= ray_entry(part, points, np.broadcast_to(lamp, points.shape))[0] < NEVER
    return blocked


def _corners(part: Part) -> Array:
    """The eight corners of a part, 8 3."""
    x, y, z = (CORNERS * part.half).T[..., None]
    return part.centre + x * part.axes[0] + y * part.axes[1] + z * part.axes[2]


def _window(part: Part, camera: ChairCamera, size: tuple[int, ...]) -> tuple[slice, slice]:
    """The rows and columns of the picture in which all corners of the part lie."""
    corners = _corners(part) - camera.position
    ahead = inner_product(corners, camera.ahead) / AWAY
    step = pixel_size(*size)
    row = -inner_product(corners, camera.up) / ahead / step + size[0] / 2
    column = inner_product(corners, camera.right) / ahead / step + size[1] / 2
    return _span(row, size[0]), _span(column, size[1])


def _span(position: Array, side: int) -> slice:
    """The range of whole numbers that holds all positions, with a margin."""
    return slice(max(int(position.min()) - 2, 0), max(min(int(position.max()) + 3, side), 0))


def _averaged(values: Array, fine: int) -> Array:
    """The mean of the fine x fine rays at each pixel. They are added one after another, for the same
    rounding."""
    total = sum(values[i::fine, j::fine] for i in range(fine) for j in range(fine))
    return np.asarray(total) / (fine * fine)
