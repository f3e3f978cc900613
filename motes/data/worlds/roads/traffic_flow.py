"""How vehicles cross a generated junction: who comes from where, queues at the lights, follows, turns; clips
at once, in small steps of time.

The ground: x to the right, y ahead, metres, the junction's middle at 0; traffic keeps to the right. A
vehicle's way is counted from its stop line (its front there: 0). Arms take turns at green; nobody enters
while another arm's vehicle is still inside.
"""

from dataclasses import dataclass

import numpy as np

from motes.data.worlds.portable import PI, Array, cosine, picks, sine, uniforms
from motes.data.worlds.roads.vehicles import KINDS, LENGTHS

LANE = 1.7  # of a lane's middle from the road's
STOP = 8.6  # of a stop line from the junction's middle
BEND = 5.4  # where arcs begin
CLEAR = STOP + BEND + 3.0  # way at which a vehicle's end has left the junction
# seconds for one arm, and for none
GREEN = 4.5
RED = 2.0
STEP = 0.1  # seconds
# m/s^2, m/s^2, s, m: of the intelligent driver model
HASTE = 2.2
BRAKE = 2.6
HEADWAY = 1.0
GAP = 1.6
SLOW = 4.6  # m/s in a bend
WARM = (4.0, 24.0)  # seconds before a clip begins


@dataclass(frozen=True)
class Flow:
    """Vehicles of clips: C N of the clip, C T N of its frames."""

    kind: Array
    # bool: whether the clip has so many
    there: Array
    # 0 comes from below, then counter-clockwise
    arm: Array
    # -1 left, 0 ahead, 1 right
    exit: Array
    # C T N: the middle of the vehicle
    x: Array
    y: Array
    # C T N: where it points
    east: Array
    north: Array
    speed: Array


def flow(random: np.random.Generator, count: int, most: tuple[int, int], frames: int, seconds: float) -> Flow:
    """`most`: fewest and most vehicles of a clip; `seconds` from frame to frame."""
    shape = (count, most[1])
    total = count * most[1]
    kind = picks(random, total, {name: float(row[0]) for name, row in KINDS.items()}).reshape(shape)
    there = np.arange(most[1]) < (most[0] + np.floor(random.random((count, 1)) * (most[1] - most[0] + 1)))
    arm = np.floor(random.random(shape) * 4).astype(np.int64)
    out = picks(random, total, {"left": 1.0, "ahead": 2.0, "right": 1.0}).reshape(shape) - 1
    draws = {
        name: value.reshape(shape)
        for name, value in uniforms(
            random, total, {"gap": (2.0, 10.0), "first": (0.0, 14.0), "wish": (7.0, 9.5)}
        ).items()
    }
    clip = uniforms(random, count, {"begin": WARM, "phase": (0.0, 4 * (GREEN + RED))})
    length = LENGTHS[kind]
    ahead = _ahead(arm)
    way = _line_up(ahead, length, draws)
    speed = draws["wish"] * 0.7
    stride = max(round(seconds / STEP), 1)
    first = np.rint(clip["begin"] / STEP).astype(np.int64)
    kept = np.zeros((2, count, frames, most[1]))
    for step in range(int(first.max()) + stride * (frames - 1) + 1):
        frame, rest = np.divmod(step - first, stride)
        now = np.flatnonzero((rest == 0) & (frame >= 0) & (frame < frames))
        kept[0, now, frame[now]] = way[now]
        kept[1, now, frame[now]] = speed[now]
        push = _push(way, speed, (arm, out, ahead, length, there), draws["wish"], step * STEP + clip["phase"])
        speed = np.maximum(speed + push * STEP, 0)
        way = way + speed * STEP
    place = _place(kept[0] - length[:, None] / 2, arm[:, None], out[:, None])
    return Flow(kind, there, arm, out, *place, kept[1])


def _ahead(arm: Array) -> Array:
    """The slot of the next vehicle of the same arm, or -1: those of lower slots came first."""
    ahead = np.full(arm.shape, -1)
    for n in range(arm.shape[1]):
        for other in range(n):
            ahead[:, n] = np.where(arm[:, other] == arm[:, n], other, ahead[:, n])
    return ahead


def _line_up(ahead: Array, length: Array, draws: dict[str, Array]) -> Array:
    way = -2 - draws["first"]
    every = np.arange(len(way))
    for n in range(way.shape[1]):
        front = ahead[:, n]
        behind = way[every, front] - length[every, front] - draws["gap"][:, n]
        way[:, n] = np.where(front >= 0, behind, way[:, n])
    return way


def _push(way: Array, speed: Array, who: tuple[Array, ...], wish: Array, time: Array) -> Array:
    """Acceleration, m/s^2, by the intelligent driver model: towards the wished speed, away from what is in
    front."""
    arm, out, ahead, length, there = who
    every = np.arange(len(way))[:, None]
    bend = (out != 0) & (way > -4) & (way - length < STOP - BEND + 9)
    wish = np.where(bend, SLOW, wish)
    room = np.where(ahead >= 0, way[every, ahead] - length[every, ahead] - way, 1e3)
    closing = np.where(ahead >= 0, speed - speed[every, ahead], 0)
    turn, rest = np.divmod(time, GREEN + RED)
    green = (turn.astype(np.int64)[:, None] % 4 == arm) & (rest < GREEN)[:, None]
    inside = there & (way > 0) & (way - length < CLEAR)
    others = (inside[:, None, :] & (arm[:, None, :] != arm[:, :, None])).any(-1)
    waits = (~green | others) & (way <= 0) & (speed * speed < 8 * (0.2 - way))
    halts = waits & (-0.2 - way < room)
    room = np.where(halts, -0.2 - way + GAP, room)
    closing = np.where(halts, speed, closing)
    wanted = GAP + np.maximum(speed * HEADWAY + speed * closing / (2 * np.sqrt(HASTE * BRAKE)), 0)
    near = wanted / np.maximum(room, 0.1)
    free = speed / wish
    return np.clip(HASTE * (1 - free * free * free * free - near * near), -7, HASTE)


def _place(way: Array, arm: Array, out: Array) -> tuple[Array, Array, Array, Array]:
    """x, y and direction at a way from the stop line: a line, a quarter of a circle, a line; then turned to
    the arm."""
    after = way - (STOP - BEND)
    radius = np.where(out > 0, BEND - LANE, BEND + LANE)
    angle = np.clip(after / radius, 0, PI / 2) * (out != 0)
    past = np.maximum(after - radius * PI / 2, 0)
    c = cosine(angle)
    s = sine(angle)
    side = np.where(out == 0, 0, out)
    x = LANE + side * (radius * (1 - c) + past)
    y = np.where(out == 0, way - STOP, np.where(after > 0, radius * s, after) - BEND)
    east = side * s
    north = np.where(out == 0, 1.0, c)
    for turn in (1, 2, 3):
        x, y = np.where(arm >= turn, -y, x), np.where(arm >= turn, x, y)
        east, north = np.where(arm >= turn, -north, east), np.where(arm >= turn, east, north)
    return x, y, east, north
