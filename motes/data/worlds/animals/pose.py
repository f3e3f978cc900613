"""Where an animal's joints are: a back that bends, a head that turns, legs that step, a tail that swings.

Lengths are in those of the animal's back. Points are (x, y, z), B 3: x and y on the ground, z up; the middle of the back
is above the origin.
"""

import numpy as np

from motes.data.worlds.animals.build import Build
from motes.data.worlds.dice import Dice
from motes.data.worlds.portable import PI, Array, cosine, sine

Joints = dict[str, Array]
# angles in radians, the rest in shares; B each
Pose = dict[str, Array]

SIDES = {"left": 1.0, "right": -1.0}
TAIL_JOINTS = 6
# degrees: how far from straight an angle rests at most, and how far it sways about that while the animal walks
ANGLES = {
    "heading": (0.0, 5.0),
    "bend": (45.0, 8.0),
    "look": (60.0, 12.0),
    "nod": (28.0, 6.0),
    "wag": (45.0, 16.0),
    "curl": (80.0, 12.0),
    "tail rise": (30.0, 8.0),
}
# how much the head hangs down, in degrees
DROOP = 12.0
# cycles of the gait a frame, and cycles of the slow sways in one of the gait
GAIT = (0.04, 0.1)
SLOW = 0.4
# how far a paw swings to the front and the back, at most, and how high it is lifted
STRIDE = 0.3
LIFT = 0.14


def poses(dice: Dice, turn: float, time: Array) -> Pose:
    """The pose of each animal, which turns by at most `turn` degrees, `time` frames after its clip's start."""
    cycles = dice.between("gait", *GAIT) * time
    angles = {name: _sway(dice, name, limits, cycles) for name, limits in ANGLES.items()}
    angles["course"] = dice.between("turn", -turn, turn)
    angles["heading"] = angles["course"] + angles["heading"]
    shares = {
        "arch": dice.between("arch", -0.03, 0.12),
        "rise": dice.between("neck rise", 0.0, 45.0) * PI / 180,
        "stride": dice.between("stride", 0.3, 1.0) * STRIDE,
        "step": dice.uniform("step") + cycles,
    }
    return {name: value * PI / 180 for name, value in angles.items()} | shares


def _sway(dice: Dice, name: str, limits: tuple[float, float], cycles: Array) -> Array:
    middle, sway = limits
    phase = dice.uniform(f"{name} phase") + SLOW * cycles
    return dice.bell(name, -middle, middle) + sway * sine(2 * PI * phase)


def travelled(dice: Dice, pose: Pose) -> Array:
    """Where on the ground each animal has come since its clip's start, B 2, in two strides a cycle of its gait."""
    length = 4 * pose["stride"] * (pose["step"] - dice.uniform("step"))
    return _times(direction(pose["course"]), length)[:, :2]


def joints_of(build: Build, pose: Pose) -> Joints:
    joints = _back(build, pose)
    fore = pose["heading"] + pose["bend"] / 2
    rear = pose["heading"] - pose["bend"] / 2
    joints |= _head(build, pose, joints["chest"], fore)
    for side in SIDES:
        joints |= _leg(build, pose, f"{side} fore", joints["chest"], fore)
        joints |= _leg(build, pose, f"{side} hind", joints["hip"], rear)
    return joints | _tail(build, pose, joints["hip"], rear)


def direction(turn: Array, rise: Array | float = 0.0) -> Array:
    """The unit vector that points so far to the left of x and so far up, in radians: B 3."""
    angle = rise + 0 * turn
    flat = cosine(angle)
    return np.stack([cosine(turn) * flat, sine(turn) * flat, sine(angle)], -1)


def _left(turn: Array) -> Array:
    return direction(turn + PI / 2)


def _up(height: Array) -> Array:
    """A vector of this length that points up."""
    return np.stack([0 * height, 0 * height, height], -1)


def _times(vector: Array, length: Array | float) -> Array:
    return vector * np.asarray(length)[..., None]


def _back(build: Build, pose: Pose) -> Joints:
    height = build["belly"] + build["clearance"]
    middle = _up(height + pose["arch"])
    half = pose["bend"] / 2
    chest = _up(height) + _times(direction(pose["heading"] + half), 0.5)
    hip = _up(height) - _times(direction(pose["heading"] - half), 0.5)
    spot = middle + _up(0.35 * build["belly"]) - _times(direction(pose["heading"]), 0.1)
    return {"middle": middle, "chest": chest, "hip": hip, "spot": spot}


def _head(build: Build, pose: Pose, chest: Array, fore: Array) -> Joints:
    turn = fore + pose["look"]
    neck = chest + _times(direction(fore + pose["look"] / 2, pose["rise"]), build["neck length"])
    front = direction(turn, pose["nod"] - DROOP * PI / 180)
    skull = build["skull"]
    joints = {"neck": neck, "nose": neck + _times(front, build["head"])}
    joints["face"] = neck + _times(front, 0.4 * build["head"])
    for name, side in SIDES.items():
        beside = _times(_left(turn), side * skull)
        root = neck + _times(front, 0.12 * build["head"]) + 0.7 * beside + _up(0.5 * skull)
        joints[f"{name} ear root"] = root
        joints[f"{name} ear"] = root + _times(_left(turn), side * build["ear"]) + _up(0.7 * build["ear"])
        joints[f"{name} eye"] = neck + _times(front, 0.58 * build["head"]) + 0.6 * beside + _up(0.35 * skull)
    return joints


def _leg(build: Build, pose: Pose, name: str, root: Array, facing: Array) -> Joints:
    """A leg from the flank to the ground; the legs of a diagonal step together."""
    side = SIDES[name.partition(" ")[0]]
    is_hind = name.endswith("hind")
    girth = build["hip" if is_hind else "chest"]
    front = direction(facing)
    beside = _times(_left(facing), side * girth)
    is_diagonal = name in ("left fore", "right hind")
    phase = 2 * PI * (pose["step"] + 0.5 * is_diagonal)
    top = root + 0.7 * beside - _up(0.2 * girth)
    flat = top * np.array([1.0, 1.0, 0.0])
    swung = _times(front, pose["stride"] * sine(phase)) + _times(_left(facing), side * build["splay"])
    lifted = build["paw"] + LIFT * np.maximum(cosine(phase), 0)
    paw = flat + swung + _up(lifted)
    # elbows point back and knees to the front
    knee = _bent(top, paw, _length_of_half_a_leg(build), front if is_hind else -front)
    foot = _times(front, build["foot"] / 2)
    return {
        f"{name} root": top,
        f"{name} knee": knee,
        f"{name} heel": paw - foot,
        f"{name} paw": paw,
        f"{name} toes": paw + foot,
    }


def _length_of_half_a_leg(build: Build) -> Array:
    """Long enough for an animal of this height."""
    return 0.6 * (build["belly"] + build["clearance"])


def _bent(top: Array, paw: Array, half_length: Array, facing: Array) -> Array:
    """The joint between two equally long halves of a leg, which bends to where `facing` points; straight if they are too
    short."""
    offset = paw - top
    square = _dot(offset, offset)
    aside = facing - _times(offset, _dot(facing, offset) / square)
    bend = np.sqrt(np.maximum(half_length * half_length - square / 4, 0) / _dot(aside, aside))
    return (top + paw) / 2 + _times(aside, bend)


def _dot(first: Array, second: Array) -> Array:
    return first[:, 0] * second[:, 0] + first[:, 1] * second[:, 1] + first[:, 2] * second[:, 2]


def _tail(build: Build, pose: Pose, hip: Array, rear: Array) -> Joints:
    point = hip - _times(direction(rear), build["hip"] * 0.8) + _up(0.2 * build["hip"])
    joints = {"tail 0": point}
    for number in range(TAIL_JOINTS):
        share = (number + 0.5) / TAIL_JOINTS
        turn = rear + PI + pose["wag"] + pose["curl"] * share
        rise = pose["tail rise"] - share * 20 * PI / 180
        point = point + _times(direction(turn, rise), build["tail"] / TAIL_JOINTS)
        # it may lie on the ground
        point = np.stack([point[:, 0], point[:, 1], np.maximum(point[:, 2], build["tail tip"])], -1)
        joints[f"tail {number + 1}"] = point
    return joints
