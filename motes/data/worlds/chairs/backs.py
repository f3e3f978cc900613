"""The back of a chair: a plate, slats, a ladder, a frame, or a low back that goes round the sides."""

from dataclasses import dataclass

from motes.data.worlds.chairs.parts import Part
from motes.data.worlds.chairs.plan import SIDES, ChairPlan


def back(plan: ChairPlan) -> list[Part]:
    """All parts of the chair's back."""
    kinds = (_plate, _plate, _slats, _ladder, _framed, _low_back)
    return plan.draws.pick("back", kinds)(plan, BackLine.of(plan))


@dataclass(frozen=True)
class BackLine:
    """The slanted line along which a back rises from the seat."""

    # of the seat
    height: float
    # y at the seat
    foot: float
    # how far the back leans from there to its top
    tilt: float
    # height of its upper end
    top: float

    @classmethod
    def of(cls, plan: ChairPlan) -> "BackLine":
        tilt = plan.draws.between("tilt", 0.0, 0.14)
        top = plan.height + plan.draws.between("back", 0.36, 0.56)
        return cls(plan.height, plan.half_depth * 0.92, tilt, top)

    def at(self, share: float) -> tuple[float, float]:
        """The coordinates y and z at this share of the way from the bottom to the top."""
        return self.foot + share * self.tilt, self.height + share * (self.top - self.height)

    def end(self) -> tuple[float, float]:
        """The coordinates y and z of the top."""
        return self.foot + self.tilt, self.top

    def upright(self, plan: ChairPlan, x: float, drop: float, thicker: float = 1.0) -> Part:
        """An upright bar at x, from `drop` below the seat's upper side to the top."""
        return plan.bar((x, self.foot, self.height - drop), (x, *self.end()), thicker)

    def posts(self, plan: ChairPlan) -> list[Part]:
        return [self.upright(plan, i * plan.half_width * 0.9, 0.02) for i in SIDES]


def _plate(plan: ChairPlan, line: BackLine) -> list[Part]:
    y, z = line.at(plan.draws.between("gap", 0.0, 0.2))
    cloth = plan.draws.chance("soft back", 0.5)
    half = (plan.half_width * 0.96, 0.025)
    return [plan.plate((0.0, y, z), (0.0, *line.end()), half, cloth), *line.posts(plan)]


def _slats(plan: ChairPlan, line: BackLine) -> list[Part]:
    count = 3 + int(plan.draws.between("slats", 0.0, 4.0))
    x = plan.half_width * 0.9
    slats = [line.upright(plan, x * (2 * (n + 1) / (count + 1) - 1), 0.01, 0.6) for n in range(count)]
    return [*line.posts(plan), *slats, _top_rail(plan, line)]


def _top_rail(plan: ChairPlan, line: BackLine) -> Part:
    x = plan.half_width * 0.9
    half = (plan.half_thickness, plan.half_thickness * 1.6)
    return plan.plate((-x, *line.end()), (x, *line.end()), half)


def _ladder(plan: ChairPlan, line: BackLine) -> list[Part]:
    count = 2 + int(plan.draws.between("rungs", 0.0, 3.0))
    rungs = [_rung(plan, line, 1 - 0.62 * n / max(count - 1, 1)) for n in range(count)]
    return [*line.posts(plan), *rungs]


def _rung(plan: ChairPlan, line: BackLine, share: float) -> Part:
    x = plan.half_width * 0.9
    y, z = line.at(share)
    return plan.plate((-x, y, z - 0.04), (x, y, z - 0.04), (0.014, 0.04))


def _framed(plan: ChairPlan, line: BackLine) -> list[Part]:
    """The parts of a back of three rails, with cloth between the lower two."""
    x = plan.half_width * 0.9
    (y, z), (upper_y, upper_z) = line.at(0.3), line.at(0.85)
    cushion = plan.plate((0.0, y, z), (0.0, upper_y, upper_z), (plan.half_width * 0.62, 0.02), True)
    rails = [plan.bar((-x, y, z), (x, y, z), 0.9) for y, z in map(line.at, (0.3, 0.85, 1.0))]
    return [*line.posts(plan), cushion, *rails]


def _low_back(plan: ChairPlan, line: BackLine) -> list[Part]:
    """The parts of a back that is half as high as the others, with a panel along each side of the seat."""
    _, top = line.at(0.5)
    start = plan.height + 0.04
    wing = plan.half_depth * plan.draws.between("wing", 0.3, 0.9)
    x = plan.half_width * 0.97
    y = line.foot - wing
    sides = plan.plates((x, y, start), (x, y, top), (0.022, wing), True)
    return [
        plan.plate((0.0, line.foot, start), (0.0, line.foot, top), (plan.half_width, 0.025), True),
        *sides,
    ]
