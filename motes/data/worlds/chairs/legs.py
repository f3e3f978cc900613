"""The parts that carry a chair's seat: four legs, a column, a star of feet, runners or side panels."""

import numpy as np

from motes.data.worlds.chairs.parts import Part, bar, slab
from motes.data.worlds.chairs.plan import SIDES, ChairPlan

HUB = np.array([0.0, 0.0, 0.08])  # where the feet of a star meet
# directions of a star's five feet: points of a regular pentagon
PENTAGON = ((0.0, 1.0), (0.951, 0.309), (0.588, -0.809), (-0.588, -0.809), (-0.951, 0.309))


def legs(plan: ChairPlan) -> list[Part]:
    """All parts of the chair below its seat."""
    kinds = (_four_legs, _four_legs, _four_legs, _column, _star, _runners, _panels)
    return plan.draws.pick("legs", kinds)(plan)


def _four_legs(plan: ChairPlan) -> list[Part]:
    splay = plan.draws.between("splay", 0.0, 0.07)
    top = plan.height - 0.02
    x = plan.half_width * 0.84
    y = plan.half_depth * 0.84
    parts = [
        plan.bar((i * x, j * y, top), (i * (x + splay), j * (y + splay), 0.0)) for i in SIDES for j in SIDES
    ]
    if plan.draws.chance("stretchers", 0.5):
        height = plan.draws.between("stretcher", 0.1, 0.25)
        out = splay * (1 - height / top)
        parts += _stretchers(plan, x + out, y + out, height)
    return parts


def _stretchers(plan: ChairPlan, x: float, y: float, height: float) -> list[Part]:
    """Thin bars between the legs: one at each side and one across."""
    return [
        *plan.bars((x, -y, height), (x, y, height), 0.7),
        plan.bar((-x, 0.0, height), (x, 0.0, height), 0.7),
    ]


def _column(plan: ChairPlan) -> list[Part]:
    radius = plan.draws.between("foot", 0.16, 0.24)
    return [slab(0.0, 0.03, (radius, radius), True, plan.wood), plan.post(0.03, 1.4)]


def _star(plan: ChairPlan) -> list[Part]:
    reach = plan.draws.between("reach", 0.2, 0.28)
    return [*(_foot(plan, reach * x, reach * y) for x, y in PENTAGON), plan.post(0.06, 1.3)]


def _foot(plan: ChairPlan, x: float, y: float) -> Part:
    """One foot of a star base; all feet are equally thick, in all chairs."""
    return bar(HUB, np.array([x, y, 0.025]), (0.02, 0.02), plan.round, plan.wood)


def _runners(plan: ChairPlan) -> list[Part]:
    """The parts of two runners: a bar along the floor at each side, and two legs upon it."""
    x = plan.half_width * 0.9
    y = plan.half_depth * 0.92
    low = plan.half_thickness
    top = plan.height - 0.02
    lean = plan.draws.between("lean", 0.0, 0.12)
    return [
        *plan.bars((x, -y, low), (x, y, low)),
        *plan.bars((x, -y, low), (x, -y + lean, top)),
        *plan.bars((x, y, low), (x, y - lean, top)),
    ]


def _panels(plan: ChairPlan) -> list[Part]:
    top = plan.height - 0.01
    x = plan.half_width * 0.93
    half = (0.02, plan.half_depth * plan.draws.between("panel", 0.6, 0.98))
    return plan.plates((x, 0.0, 0.0), (x, 0.0, top), half)
