"""What a generated chair is made of: bars and plates, square or round, each from one end to another; drawn
by dice for each class.

The chair's space: x to its right, y to its back, z up; the seat faces -y. It is about one unit high and
stands on z = 0.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from motes.data.worlds.dice import Dice
from motes.data.worlds.portable import along_palette

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


@dataclass(frozen=True)
class Part:
    """A box or, if round, an elliptic cylinder along its third axis."""

    # 3
    centre: np.ndarray
    # 3 3: its own axes, as rows
    axes: np.ndarray
    # 3: half its extents along them
    half: np.ndarray
    round: bool
    # 3, in [0, 1]
    colour: np.ndarray


class Draws:
    """The numbers of one class, by name."""

    def __init__(self, dice: Dice):
        self._dice = dice

    def between(self, name: str, low: float, high: float) -> float:
        return float(self._dice.between(name, low, high)[0])

    def chance(self, name: str, share: float) -> bool:
        return self.between(name, 0.0, 1.0) < share

    def one_of(self, name: str, choices: tuple[Callable[..., list[Part]], ...]) -> Callable[..., list[Part]]:
        return choices[int(self._dice.integers(name, 0, len(choices) - 1)[0])]


@dataclass(frozen=True)
class Plan:
    """What the parts of one chair agree on."""

    draws: Draws
    # half the seat's width
    wide: float
    # half its depth
    deep: float
    # of the seat's upper side
    high: float
    # half of a leg
    thick: float
    # legs and bars
    round: bool
    wood: np.ndarray
    cloth: np.ndarray

    def bar(self, start: tuple[float, ...], end: tuple[float, ...], thick: float | None = None) -> Part:
        half = self.thick if thick is None else thick
        return bar(np.array(start), np.array(end), (half, half), self.round, self.wood)


def chair(dice: Dice) -> list[Part]:
    """All parts of the chair of one class."""
    draws = Draws(dice)
    plan = Plan(
        draws,
        wide=draws.between("wide", 0.19, 0.28),
        deep=draws.between("deep", 0.18, 0.25),
        high=draws.between("high", 0.4, 0.5),
        thick=draws.between("thick", 0.016, 0.034),
        round=draws.chance("round", 0.5),
        wood=along_palette(WOOD, np.array(draws.between("wood", 0.0, 1.0))),
        cloth=along_palette(CLOTH, np.array(draws.between("cloth", 0.0, 1.0))),
    )
    below = draws.one_of("legs", (_four_legs, _four_legs, _four_legs, _column, _star, _sled, _panels))
    behind = draws.one_of("back", (_plate, _plate, _slats, _ladder, _framed, _low_back))
    arms = _arms(plan) if draws.chance("arms", 0.35) else []
    return [*_seat(plan), *below(plan), *behind(plan), *arms]


def bar(
    start: np.ndarray, end: np.ndarray, half: tuple[float, float], is_round: bool, colour: np.ndarray
) -> Part:
    """From one end to the other; its first axis lies as nearly along x as it can."""
    along = end - start
    length = np.sqrt(dot(along, along))
    along = along / length
    first = np.eye(3)[0 if abs(along[0]) < 0.9 else 1]
    first = first - dot(first, along) * along
    first = first / np.sqrt(dot(first, first))
    second = np.array(
        [along[(n + 1) % 3] * first[(n + 2) % 3] - along[(n + 2) % 3] * first[(n + 1) % 3] for n in range(3)]
    )
    return Part(
        (start + end) / 2, np.stack([first, second, along]), np.array([*half, length / 2]), is_round, colour
    )


def dot(a: np.ndarray, b: np.ndarray) -> Any:
    """Of ... 3 and ... 3; a library's own product differs in the last bit between machines."""
    return a[..., 0] * b[..., 0] + a[..., 1] * b[..., 1] + a[..., 2] * b[..., 2]


def _seat(plan: Plan) -> list[Part]:
    board = plan.draws.between("board", 0.02, 0.045)
    disc = plan.draws.chance("disc", 0.25)
    parts = [
        bar(
            np.array([0, 0, plan.high - board]),
            np.array([0, 0, plan.high]),
            (plan.wide, plan.deep),
            disc,
            plan.wood,
        )
    ]
    if plan.draws.chance("cushion", 0.6):
        top = plan.high + plan.draws.between("soft", 0.02, 0.07)
        parts.append(
            bar(
                np.array([0, 0, plan.high]),
                np.array([0, 0, top]),
                (plan.wide * 0.94, plan.deep * 0.94),
                disc,
                plan.cloth,
            )
        )
    return parts


def _four_legs(plan: Plan) -> list[Part]:
    splay = plan.draws.between("splay", 0.0, 0.07)
    top = plan.high - 0.02
    x = plan.wide * 0.84
    y = plan.deep * 0.84
    parts = [
        plan.bar((i * x, j * y, top), (i * (x + splay), j * (y + splay), 0.0)) for i in SIDES for j in SIDES
    ]
    if plan.draws.chance("stretchers", 0.5):
        low = plan.draws.between("stretcher", 0.1, 0.25)
        out = splay * (1 - low / top)
        thin = plan.thick * 0.7
        parts += [
            plan.bar((i * (x + out), -y - out, low), (i * (x + out), y + out, low), thin) for i in SIDES
        ]
        parts.append(plan.bar((-x - out, 0.0, low), (x + out, 0.0, low), thin))
    return parts


def _column(plan: Plan) -> list[Part]:
    wide = plan.draws.between("foot", 0.16, 0.24)
    foot = bar(np.array([0, 0, 0]), np.array([0, 0, 0.03]), (wide, wide), True, plan.wood)
    return [foot, plan.bar((0.0, 0.0, 0.03), (0.0, 0.0, plan.high - 0.02), plan.thick * 1.4)]


def _star(plan: Plan) -> list[Part]:
    """Five feet, whose ways are points of a regular pentagon."""
    ways = ((0.0, 1.0), (0.951, 0.309), (0.588, -0.809), (-0.588, -0.809), (-0.951, 0.309))
    reach = plan.draws.between("reach", 0.2, 0.28)
    feet = [plan.bar((0.0, 0.0, 0.08), (reach * x, reach * y, 0.025), 0.02) for x, y in ways]
    return [*feet, plan.bar((0.0, 0.0, 0.06), (0.0, 0.0, plan.high - 0.02), plan.thick * 1.3)]


def _sled(plan: Plan) -> list[Part]:
    x = plan.wide * 0.9
    y = plan.deep * 0.92
    low = plan.thick
    top = plan.high - 0.02
    runs = [plan.bar((i * x, -y, low), (i * x, y, low)) for i in SIDES]
    lean = plan.draws.between("lean", 0.0, 0.12)
    fronts = [plan.bar((i * x, -y, low), (i * x, -y + lean, top)) for i in SIDES]
    return [*runs, *fronts, *(plan.bar((i * x, y, low), (i * x, y - lean, top)) for i in SIDES)]


def _panels(plan: Plan) -> list[Part]:
    top = plan.high - 0.01
    side = (0.02, plan.deep * plan.draws.between("panel", 0.6, 0.98))
    return [
        bar(
            np.array([i * plan.wide * 0.93, 0, 0]),
            np.array([i * plan.wide * 0.93, 0, top]),
            side,
            False,
            plan.wood,
        )
        for i in SIDES
    ]


def _back(plan: Plan) -> tuple[float, float, float]:
    """Where the back begins, how far it leans, how high it goes."""
    return (
        plan.deep * 0.92,
        plan.draws.between("tilt", 0.0, 0.14),
        plan.high + plan.draws.between("back", 0.36, 0.56),
    )


def _posts(plan: Plan) -> list[Part]:
    foot, tilt, top = _back(plan)
    return [
        plan.bar((i * plan.wide * 0.9, foot, plan.high - 0.02), (i * plan.wide * 0.9, foot + tilt, top))
        for i in SIDES
    ]


def _plate(plan: Plan) -> list[Part]:
    foot, tilt, top = _back(plan)
    gap = plan.draws.between("gap", 0.0, 0.2)
    start = np.array([0, foot + gap * tilt, plan.high + gap * (top - plan.high)])
    cloth = plan.draws.chance("soft back", 0.5)
    plate = bar(
        start,
        np.array([0, foot + tilt, top]),
        (plan.wide * 0.96, 0.025),
        False,
        plan.cloth if cloth else plan.wood,
    )
    return [plate, *_posts(plan)]


def _slats(plan: Plan) -> list[Part]:
    foot, tilt, top = _back(plan)
    count = 3 + int(plan.draws.between("slats", 0.0, 4.0))
    reach = plan.wide * 0.9
    places = [reach * (2 * (n + 1) / (count + 1) - 1) for n in range(count)]
    uprights = [
        plan.bar((x, foot, plan.high - 0.01), (x, foot + tilt, top), plan.thick * 0.6) for x in places
    ]
    rail = bar(
        np.array([-reach, foot + tilt, top]),
        np.array([reach, foot + tilt, top]),
        (plan.thick, plan.thick * 1.6),
        False,
        plan.wood,
    )
    return [*_posts(plan), *uprights, rail]


def _ladder(plan: Plan) -> list[Part]:
    foot, tilt, top = _back(plan)
    count = 2 + int(plan.draws.between("rungs", 0.0, 3.0))
    reach = plan.wide * 0.9
    found = _posts(plan)
    for n in range(count):
        part = 1 - 0.62 * n / max(count - 1, 1)
        y = foot + part * tilt
        z = plan.high + part * (top - plan.high) - 0.04
        found.append(bar(np.array([-reach, y, z]), np.array([reach, y, z]), (0.014, 0.04), False, plan.wood))
    return found


def _framed(plan: Plan) -> list[Part]:
    foot, tilt, top = _back(plan)
    inner = bar(
        np.array([0, foot + 0.3 * tilt, plan.high + 0.3 * (top - plan.high)]),
        np.array([0, foot + 0.85 * tilt, plan.high + 0.85 * (top - plan.high)]),
        (plan.wide * 0.62, 0.02),
        False,
        plan.cloth,
    )
    reach = plan.wide * 0.9
    rails = []
    for part in (0.3, 0.85, 1.0):
        y = foot + part * tilt
        z = plan.high + part * (top - plan.high)
        rails.append(plan.bar((-reach, y, z), (reach, y, z), plan.thick * 0.9))
    return [*_posts(plan), inner, *rails]


def _low_back(plan: Plan) -> list[Part]:
    """Half as high, and round the sides."""
    foot, _, top = _back(plan)
    low = plan.high + 0.5 * (top - plan.high)
    start = plan.high + 0.04
    wing = plan.deep * plan.draws.between("wing", 0.3, 0.9)
    back = bar(np.array([0, foot, start]), np.array([0, foot, low]), (plan.wide, 0.025), False, plan.cloth)
    sides = [
        bar(
            np.array([i * plan.wide * 0.97, foot - wing, start]),
            np.array([i * plan.wide * 0.97, foot - wing, low]),
            (0.022, wing),
            False,
            plan.cloth,
        )
        for i in SIDES
    ]
    return [back, *sides]


def _arms(plan: Plan) -> list[Part]:
    high = plan.high + plan.draws.between("arm", 0.16, 0.24)
    x = plan.wide * 0.98
    front = -plan.deep * 0.7
    rear = plan.deep * 0.95
    rests = [
        bar(
            np.array([i * x, front - 0.03, high]),
            np.array([i * x, rear, high]),
            (0.03, 0.014),
            False,
            plan.wood,
        )
        for i in SIDES
    ]
    return [
        *rests,
        *(plan.bar((i * x, front, plan.high - 0.02), (i * x, front, high), plan.thick * 0.9) for i in SIDES),
    ]
