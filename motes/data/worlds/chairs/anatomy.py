"""A generated chair of bars and plates: seat, legs, back and arms, by the random numbers of its class."""

import numpy as np

from motes.data.worlds.chairs.backs import back
from motes.data.worlds.chairs.legs import legs
from motes.data.worlds.chairs.parts import Part, bar
from motes.data.worlds.chairs.plan import ChairPlan
from motes.data.worlds.dice import Dice


def chair(dice: Dice) -> list[Part]:
    """All parts of the chair of one class."""
    plan = ChairPlan.of_class(dice)
    arms = _arms(plan) if plan.draws.chance("arms", 0.35) else []
    return [*_seat(plan), *legs(plan), *back(plan), *arms]


def _seat(plan: ChairPlan) -> list[Part]:
    bottom = plan.height - plan.draws.between("board", 0.02, 0.045)
    disc = plan.draws.chance("disc", 0.25)
    half = (plan.half_width, plan.half_depth)
    parts = [_slab(bottom, plan.height, half, disc, plan.wood)]
    if plan.draws.chance("cushion", 0.6):
        top = plan.height + plan.draws.between("soft", 0.02, 0.07)
        half = (plan.half_width * 0.94, plan.half_depth * 0.94)
        parts.append(_slab(plan.height, top, half, disc, plan.cloth))
    return parts


def _slab(bottom: float, top: float, half: tuple[float, float], disc: bool, colour: np.ndarray) -> Part:
    return bar(np.array([0, 0, bottom]), np.array([0, 0, top]), half, disc, colour)


def _arms(plan: ChairPlan) -> list[Part]:
    """At each side an arm rest and the bar that carries it."""
    height = plan.height + plan.draws.between("arm", 0.16, 0.24)
    x = plan.half_width * 0.98
    front = -plan.half_depth * 0.7
    rear = plan.half_depth * 0.95
    rests = plan.plates((x, front - 0.03, height), (x, rear, height), (0.03, 0.014))
    return [*rests, *plan.bars((x, front, plan.height - 0.02), (x, front, height), 0.9)]
