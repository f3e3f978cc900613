"""Generated streets, and the class of every pixel: sky, road, houses, cars and trees, each with its own
texture."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from motes.data.base import Split
from motes.data.kept import RowCache
from motes.data.worlds.dice import Dice
from motes.data.worlds.generated import Generated, to_bytes
from motes.data.worlds.portable import Array, fraction, mix, recoloured
from motes.data.worlds.roads.street_objects import car, houses, tree
from motes.data.worlds.roads.street_view import StreetView, per_picture, street_view
from motes.data.worlds.textures import clouds
from motes.types.truth import Truth

# points a pixel's side
FINE = 2
CLASSES = ("sky", "road", "building", "car", "tree")
SKY, ROAD, BUILDING, CAR, TREE = range(5)
# cars, and trees, at most
OBJECTS = 4
# colours of the sky, above and below, on three kinds of day
DAYS = np.array(
    [
        [[0.30, 0.52, 0.86], [0.75, 0.86, 0.95]],
        [[0.50, 0.58, 0.70], [0.80, 0.82, 0.84]],
        [[0.36, 0.38, 0.66], [0.98, 0.72, 0.50]],
    ]
)
BLUISH = np.array([1.0, 1.0, 1.04])


@dataclass(frozen=True)
class StreetsConfig:
    """The layout does not determine windows, clouds, leaves, grain and colours: one layout fits many
    pictures."""

    # rows, columns
    image_size: tuple[int, int] = (48, 80)
    # 1: grey, 3: colours
    channels: int = 3
    # training pictures
    count: int = 4000
    # pictures of the validation split, and of the test split
    held_out: int = 500
    # another seed gives other pictures
    seed: int = 0


class Streets(Generated):
    """Pictures of streets. `Truth.scene["layout"]` has the class of each pixel, an index into CLASSES."""

    Config = StreetsConfig
    area = 2**17

    def __init__(self, config: StreetsConfig, split: Split = "train"):
        super().__init__(config, split)
        self._drawn = RowCache(self._draw)

    def truth(self, rows: Sequence[int]) -> Truth:
        layout = torch.from_numpy(self._drawn(self._checked(rows).tolist())[1]).long()
        return Truth(torch.ones(len(layout), 1, dtype=torch.bool), scene={"layout": layout})

    def _paint(self, rows: Array) -> Array:
        return self._drawn(rows.tolist())[0]

    def _draw(self, rows: list[int]) -> tuple[Array, Array]:
        """Pictures, uint8 B H W 3, and layouts, uint8 B H W."""
        colour, classes = _street(self._dice(rows), self.config.image_size, FINE)
        corners = [colour[:, row::FINE, column::FINE] for row in range(FINE) for column in range(FINE)]
        total = corners[0]
        for corner in corners[1:]:
            total = total + corner
        return to_bytes(total / FINE**2), classes[:, ::FINE, ::FINE].astype(np.uint8)


def _street(dice: Dice, size: tuple[int, int], fine: int) -> tuple[Array, Array]:
    """Colours in [0, 1], B h w 3, and classes, B h w, of fine x fine points a pixel."""
    points = (size[0] * fine, size[1] * fine)
    view = street_view(dice, points)
    grain = dice.uniform("grain", *size).repeat(fine, 1).repeat(fine, 2)
    sky = _sky(dice, view, clouds(dice, points))
    colour = recoloured(_road(dice, view, grain)[..., None] * BLUISH, view.sky, sky)
    classes = np.where(view.sky, SKY, ROAD) + np.zeros(grain.shape, np.int64)
    for mask, paint, number in _objects(dice, view, grain):
        colour = recoloured(colour, mask, paint)
        classes = np.where(mask, number, classes)
    haze = _haze(view) * (classes != SKY)
    return mix(colour, sky[:, -1:, :1], haze[..., None]), classes


def _haze(view: StreetView) -> Array:
    """How much of the sky's colour covers a point: more if it is far away."""
    return 0.35 / (1 + 12 * np.maximum(view.offset, view.row - view.horizon))


def _sky(dice: Dice, view: StreetView, soft: Array) -> Array:
    day = DAYS[dice.integers("day", 0, len(DAYS) - 1)][:, :, None, None]
    blue = mix(day[:, 0], day[:, 1], np.minimum(view.row / 0.6, 1)[..., None])
    clear = per_picture(dice.between("cloudless", 0.45, 0.75))
    cloudy = np.clip(2.5 * (soft - clear), 0, 0.8)[..., None]
    return mix(blue, 0.97, cloudy)


def _road(dice: Dice, view: StreetView, grain: Array) -> Array:
    """The brightness of the road, B h w: asphalt with a dashed line, between pavements."""
    below = np.maximum(view.row - view.horizon, 0.01)
    lateral = np.abs((view.column - view.vanish) / below)
    asphalt = 0.3 + 0.16 * (grain - 0.5) + 0.1 * below
    dashes = fraction(0.35 / below + per_picture(dice.uniform("dashes"))) < 0.5
    road = np.where((lateral < 0.07) & dashes, 0.88, asphalt)
    return np.where(lateral > 0.78 * _kerb(view), 0.58 + 0.1 * (grain - 0.5), road)


def _kerb(view: StreetView) -> Array:
    """How far to the side the kerb lies, B 1 w."""
    return np.where(view.side == 1, 1 / view.slope[:, 1:, None], 1 / view.slope[:, :1, None])


def _objects(dice: Dice, view: StreetView, grain: Array) -> list[tuple[Array, Array, int]]:
    """The objects in the street, from the farthest to the nearest: the mask, colours and class of each."""
    layers = [(*houses(dice, view, grain), BUILDING)]
    for n in range(OBJECTS):
        nearness = (n + dice.uniform(f"depth {n}", 2)) / OBJECTS
        size = 0.05 + 0.3 * nearness * nearness
        layers.append((*tree(dice, view, grain, n, size[:, 0]), TREE))
        layers.append((*car(dice, view, n, size[:, 1]), CAR))
    return layers
