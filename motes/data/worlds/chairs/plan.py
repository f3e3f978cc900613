"""Dimensions and colours that the parts of one chair share, drawn at random for each class."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from motes.data.worlds.chairs.parts import Part, bar
from motes.data.worlds.dice import Dice
from motes.data.worlds.portable import Array, along_palette

WOOD = [
    (243, 222, 186),
    (214, 166, 108),
    (176, 112, 62),
    (124, 72, 40),
    (72, 44, 30),
    (40, 36, 38),
    (232, 232, 228),
    (166, 170, 176),
]
CLOTH = [
    (196, 60, 54),
    (226, 140, 52),
    (222, 190, 92),
    (74, 140, 88),
    (52, 120, 150),
    (60, 72, 128),
    (122, 80, 128),
    (92, 88, 84),
]
SIDES = (-1.0, 1.0)
Point = tuple[float, float, float]


class ClassDraws:
    """The random numbers of one class; each draw has a name."""

    def __init__(self, dice: Dice):
        self._dice = dice

    def between(self, name: str, low: float, high: float) -> float:
        return float(self._dice.between(name, low, high)[0])

    def chance(self, name: str, share: float) -> bool:
        return self.between(name, 0.0, 1.0) < share

    def pick(self, name: str, choices: tuple[Callable[..., list[Part]], ...]) -> Callable[..., list[Part]]:
        return choices[int(self._dice.integers(name, 0, len(choices) - 1)[0])]

    def colour(self, name: str, palette: list[tuple[int, int, int]]) -> Array:
        """A random colour from anywhere along the palette."""
        return along_palette(palette, np.array(self.between(name, 0.0, 1.0)))


@dataclass(frozen=True)
class ChairPlan:
    """The dimensions and colours of one chair."""

    draws: ClassDraws
    # of the seat
    half_width: float
    half_depth: float
    # of the seat's upper side
    height: float
    # of a leg
    half_thickness: float
    # whether legs and bars are round
    round: bool
    wood: Array
    cloth: Array

    @classmethod
    def of_class(cls, dice: Dice) -> "ChairPlan":
        draws = ClassDraws(dice)
        return cls(
            draws,
            half_width=draws.between("wide", 0.19, 0.28),
            half_depth=draws.between("deep", 0.18, 0.25),
            height=draws.between("high", 0.4, 0.5),
            half_thickness=draws.between("thick", 0.016, 0.034),
            round=draws.chance("round", 0.5),
            wood=draws.colour("wood", WOOD),
            cloth=draws.colour("cloth", CLOTH),
        )

    def bar(self, start: Point, end: Point, thicker: float = 1.0) -> Part:
        """A bar of wood, `thicker` times as thick as a leg."""
        half = self.half_thickness * thicker
        return bar(np.array(start), np.array(end), (half, half), self.round, self.wood)

    def post(self, bottom: float, thicker: float) -> Part:
        """A vertical bar in the middle, from the height `bottom` up to the seat."""
        return self.bar((0.0, 0.0, bottom), (0.0, 0.0, self.height - 0.02), thicker)

    def bars(self, start: Point, end: Point, thicker: float = 1.0) -> list[Part]:
        """Two bars: one between the two points, on the right, and its mirror image on the left."""
        return [self.bar(_at_side(side, start), _at_side(side, end), thicker) for side in SIDES]

    def plates(self, start: Point, end: Point, half: tuple[float, float], cloth: bool = False) -> list[Part]:
        """A plate at each side; `start` and `end` are those of the right one."""
        return [self.plate(_at_side(side, start), _at_side(side, end), half, cloth) for side in SIDES]

    def plate(self, start: Point, end: Point, half: tuple[float, float], cloth: bool = False) -> Part:
        """A box of wood or cloth between two points."""
        return bar(np.array(start), np.array(end), half, False, self.cloth if cloth else self.wood)


def _at_side(side: float, point: Point) -> Point:
    return side * point[0], point[1], point[2]
