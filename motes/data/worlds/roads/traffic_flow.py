"""How vehicles cross a generated junction: they queue at the lights, follow each other and turn.

Many clips are simulated at once, in small steps of time.

The ground: x to the right, y ahead, in metres, 0 in the junction's middle; traffic keeps to the right. The
distance that a vehicle has travelled is 0 when its front is at its stop line. Arms have green one after
another; nobody enters while a vehicle of another arm is still inside.
"""

from dataclasses import dataclass

import numpy as np

from motes.data.worlds.portable import PI, Array, cosine, picks, sine, uniforms
from motes.data.worlds.roads.vehicles import KINDS, LENGTHS

# metres from the road's middle to a lane's
LANE = 1.7
# metres from the junction's middle to a stop line
STOP = 8.6
# metres from the junction's middle to where arcs begin
BEND = 5.4
# metres travelled at which a vehicle's end has left the junction
CLEAR = STOP + BEND + 3.0
# seconds for one arm, and for none
GREEN = 4.5
RED = 2.0
# seconds
STEP = 0.1
# metres from point to point of a way, and the length of a way
SPACING = 0.5
REACH = 36.0
# of the intelligent driver model: acceleration and braking in m/s^2, seconds, metres
HASTE = 2.2
BRAKE = 2.6
HEADWAY = 1.0
GAP = 1.6
# m/s in a bend
SLOW = 4.6
# seconds before a clip begins
WARM = (4.0, 24.0)


@dataclass(frozen=True)
class Flow:
    """The vehicles of clips; arrays are C N (one value per clip and vehicle) or C T N (also per frame)."""

    kind: Array
    # bool: whether the clip has a vehicle in this slot
    present: Array
    # 0 comes from below, then counter-clockwise
    arm: Array
    # -1 left, 0 ahead, 1 right
    exit: Array
    # C T N: the middle of the vehicle
    x: Array
    y: Array
    # C T N: the direction of travel
    east: Array
    north: Array
    speed: Array


@dataclass(frozen=True)
class _Drivers:
    """Properties of each vehicle of each clip that do not change, C N."""

    kind: Array
    present: Array
    arm: Array
    exit: Array
    # slot of the next vehicle ahead in the same arm, or -1
    leader: Array
    length: Array
    # m/s
    wish: Array
    # metres travelled at the start by the first of an arm, below 0, and metres between the others
    first: Array
    gap: Array


def flow(
    random: np.random.Generator, count: int, vehicles: tuple[int, int], frames: int, seconds: float
) -> Flow:
    """Simulate `count` clips.

    `vehicles`: the fewest and the most in a clip; `seconds`: the time from one frame to the next.
    """
    drivers = _drivers(random, count, vehicles)
    clip = uniforms(random, count, {"begin": WARM, "phase": (0.0, 4 * (GREEN + RED))})
    begin = np.rint(clip["begin"] / STEP).astype(np.int64)
    stride = max(round(seconds / STEP), 1)
    travelled, speed = _simulated(drivers, clip["phase"], begin, stride, frames)
    middle = travelled - drivers.length[:, None] / 2
    x, y, east, north = _on_ground(middle, drivers.arm[:, None], drivers.exit[:, None])
    return Flow(drivers.kind, drivers.present, drivers.arm, drivers.exit, x, y, east, north, speed)


def ways_ahead(x: Array, y: Array, arm: Array) -> tuple[Array, Array]:
    """The x and y of points along the ways of vehicles with their middles here, V 3 P each: left, ahead and right.

    Not a number for vehicles whose way is decided, because they have reached the place where ways part.
    """
    for quarter in (3, 2, 1):
        x, y = _turned_right(x, y, arm >= quarter)
    travelled = (y + STOP)[:, None, None] + np.arange(0.0, REACH, SPACING)
    turn = np.array([-1, 0, 1])[:, None]
    on_way = _on_ground(travelled, arm[:, None, None], turn)[:2]
    has_choice = (y < -BEND)[:, None, None]
    along_x, along_y = (np.where(has_choice, values, np.nan) for values in on_way)
    return along_x, along_y


def _drivers(random: np.random.Generator, count: int, vehicles: tuple[int, int]) -> _Drivers:
    fewest, most = vehicles
    shape = (count, most)
    total = count * most
    kind = picks(random, total, {name: float(row[0]) for name, row in KINDS.items()}).reshape(shape)
    present = np.arange(most) < (fewest + np.floor(random.random((count, 1)) * (most - fewest + 1)))
    arm = np.floor(random.random(shape) * 4).astype(np.int64)
    turn = picks(random, total, {"left": 1.0, "ahead": 2.0, "right": 1.0}).reshape(shape) - 1
    ranges = {"gap": (2.0, 10.0), "first": (0.0, 14.0), "wish": (7.0, 9.5)}
    numbers = {name: value.reshape(shape) for name, value in uniforms(random, total, ranges).items()}
    first = -2 - numbers["first"]
    return _Drivers(
        kind, present, arm, turn, _leaders(arm), LENGTHS[kind], numbers["wish"], first, numbers["gap"]
    )


def _leaders(arm: Array) -> Array:
    """The slot of the next vehicle ahead in the same arm, or -1 if there is none.

    Vehicles with lower slots came first.
    """
    leader = np.full(arm.shape, -1)
    for slot in range(arm.shape[1]):
        for earlier in range(slot):
            leader[:, slot] = np.where(arm[:, earlier] == arm[:, slot], earlier, leader[:, slot])
    return leader


def _simulated(
    drivers: _Drivers, phase: Array, begin: Array, stride: int, frames: int
) -> tuple[Array, Array]:
    """The metres travelled and the speeds at the frames, C T N each.

    `begin`: the step of each clip's first frame, C; `stride`: steps from frame to frame; `phase`: seconds by
    which the lights of a clip are ahead, C.
    """
    travelled = _queued(drivers)
    speed = drivers.wish * 0.7
    record = np.zeros((2, len(begin), frames, speed.shape[1]))
    for step in range(int(begin.max()) + stride * (frames - 1) + 1):
        frame, remainder = np.divmod(step - begin, stride)
        clips = np.flatnonzero((remainder == 0) & (frame >= 0) & (frame < frames))
        record[0, clips, frame[clips]] = travelled[clips]
        record[1, clips, frame[clips]] = speed[clips]
        acceleration = _acceleration(drivers, travelled, speed, step * STEP + phase)
        speed = np.maximum(speed + acceleration * STEP, 0)
        travelled = travelled + speed * STEP
    return record[0], record[1]


def _queued(drivers: _Drivers) -> Array:
    """The metres travelled at the start, where each vehicle stands behind its leader."""
    travelled = drivers.first.copy()
    clips = np.arange(len(travelled))
    for slot in range(travelled.shape[1]):
        leader = drivers.leader[:, slot]
        behind = travelled[clips, leader] - drivers.length[clips, leader] - drivers.gap[:, slot]
        travelled[:, slot] = np.where(leader >= 0, behind, travelled[:, slot])
    return travelled


def _acceleration(drivers: _Drivers, travelled: Array, speed: Array, time: Array) -> Array:
    """The acceleration in m/s^2, by the intelligent driver model.

    It brings a vehicle towards its desired speed, and slows it behind its leader or before a stop line.
    """
    room, closing = _leader_ahead(drivers, travelled, speed)
    to_line = -0.2 - travelled
    halts = _must_wait(drivers, travelled, speed, time) & (to_line < room)
    room = np.where(halts, to_line + GAP, room)
    closing = np.where(halts, speed, closing)
    desired_gap = GAP + np.maximum(speed * HEADWAY + speed * closing / (2 * np.sqrt(HASTE * BRAKE)), 0)
    near = desired_gap / np.maximum(room, 0.1)
    free = speed / _desired_speed(drivers, travelled)
    return np.clip(HASTE * (1 - free * free * free * free - near * near), -7, HASTE)


def _leader_ahead(drivers: _Drivers, travelled: Array, speed: Array) -> tuple[Array, Array]:
    """The metres to the rear end of the leader, and by how many m/s the leader is slower."""
    clips = np.arange(len(travelled))[:, None]
    leader = drivers.leader
    end = travelled[clips, leader] - drivers.length[clips, leader]
    return (
        np.where(leader >= 0, end - travelled, 1e3),
        np.where(leader >= 0, speed - speed[clips, leader], 0),
    )


def _must_wait(drivers: _Drivers, travelled: Array, speed: Array, time: Array) -> Array:
    """Whether a vehicle faces a red light or an occupied junction, and can still stop before its line."""
    stopped = ~_has_green(drivers, time) | _is_occupied(drivers, travelled)
    return stopped & (travelled <= 0) & (speed * speed < 8 * (0.2 - travelled))


def _has_green(drivers: _Drivers, time: Array) -> Array:
    turn, since = np.divmod(time, GREEN + RED)
    return (turn.astype(np.int64)[:, None] % 4 == drivers.arm) & (since < GREEN)[:, None]


def _is_occupied(drivers: _Drivers, travelled: Array) -> Array:
    """Whether a vehicle from another arm is on the junction."""
    arm = drivers.arm
    inside = drivers.present & (travelled > 0) & (travelled - drivers.length < CLEAR)
    return (inside[:, None, :] & (arm[:, None, :] != arm[:, :, None])).any(-1)


def _desired_speed(drivers: _Drivers, travelled: Array) -> Array:
    """The speed that each vehicle wants to have, in m/s; it is less in a bend."""
    before_end = travelled - drivers.length < STOP - BEND + 9
    bend = (drivers.exit != 0) & (travelled > -4) & before_end
    return np.where(bend, SLOW, drivers.wish)


def _on_ground(travelled: Array, arm: Array, turn: Array) -> tuple[Array, Array, Array, Array]:
    """The x, y and direction (east, north) of vehicles after the distance that they have travelled."""
    x, y, east, north = _from_below(travelled, turn)
    for quarter in (1, 2, 3):
        x, y = _turned_left(x, y, arm >= quarter)
        east, north = _turned_left(east, north, arm >= quarter)
    return x, y, east, north


def _from_below(travelled: Array, turn: Array) -> tuple[Array, Array, Array, Array]:
    """The x, y and direction of vehicles as if all came from below: along a line, a quarter of a circle, a
    line."""
    after = travelled - (STOP - BEND)
    radius = np.where(turn > 0, BEND - LANE, BEND + LANE)
    angle = np.clip(after / radius, 0, PI / 2) * (turn != 0)
    past = np.maximum(after - radius * PI / 2, 0)
    sideways = sine(angle)
    upwards = cosine(angle)
    x = LANE + turn * (radius * (1 - upwards) + past)
    bent = np.where(after > 0, radius * sideways, after) - BEND
    y = np.where(turn == 0, travelled - STOP, bent)
    return x, y, turn * sideways, np.where(turn == 0, 1.0, upwards)


def _turned_left(x: Array, y: Array, where: Array) -> tuple[Array, Array]:
    """The vectors (x, y), turned left by a quarter where the mask `where` is true."""
    return np.where(where, -y, x), np.where(where, x, y)


def _turned_right(x: Array, y: Array, where: Array) -> tuple[Array, Array]:
    """The vectors (x, y), turned right by a quarter where the mask `where` is true."""
    return np.where(where, y, x), np.where(where, -x, y)
