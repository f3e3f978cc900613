"""Build a chair of bars and plates (seat, legs, back and arms) from the random numbers of its class."""

from motes.data.worlds.chairs.backs import back
from motes.data.worlds.chairs.legs import legs
from motes.data.worlds.chairs.parts import Part, slab
from motes.data.worlds.chairs.plan import ChairPlan
from motes.data.worlds.dice import Dice


def chair(dice: Dice) -> list[Part]:
    """All parts of the chair of one class; `dice` has the random numbers of the class."""
    plan = ChairPlan.of_class(dice)
    arms = _arms(plan) if plan.draws.chance("arms", 0.35) else []
    return [*_seat(plan), *legs(plan), *back(plan), *arms]


def _seat(plan: ChairPlan) -> list[Part]:
    """The parts of the seat: a board and, in some classes, a cushion."""
    bottom = plan.height - plan.draws.between("board", 0.02, 0.045)
    disc = plan.draws.chance("disc", 0.25)
    board = slab(bottom, plan.height, (plan.half_width, plan.half_depth), disc, plan.wood)
    return [board, _cushion(plan, disc)] if plan.draws.chance("cushion", 0.6) else [board]


def _cushion(plan: ChairPlan, disc: bool) -> Part:
    top = plan.height + plan.draws.between("soft", 0.02, 0.07)
    half = (plan.half_width * 0.94, plan.half_depth * 0.94)
    return slab(plan.height, top, half, disc, plan.cloth)


def _arms(plan: ChairPlan) -> list[Part]:
    """The parts of the arms: an arm rest at each side, and the bar that carries it."""
    height = plan.height + plan.draws.between("arm", 0.16, 0.24)
    x = plan.half_width * 0.98
    front = -plan.half_depth * 0.7
    rear = plan.half_depth * 0.95
    rests = plan.plates((x, front - 0.03, height), (x, rear, height), (0.03, 0.014))
    return [*rests, *plan.bars((x, front, plan.height - 0.02), (x, front, height), 0.9)]
