"""The motion of solids on a floor, seen from above as discs.

Discs push each other along the line between them, spin when they are hit off their middle, and are slowed by
the floor.
"""

import numpy as np

from motes.data.worlds.collisions import closing_speed, distances, meetings
from motes.data.worlds.portable import Array
from motes.data.worlds.solid.plane import cross, length, rotated, squared_length, unit_vectors
from motes.data.worlds.solid.solids import SPHERE

RADIUS = 0.5  # of all discs
SLOWING = np.array([0.0024, 0.0012])  # of rubber and of metal, in lengths a frame and a frame
ROLLS = 0.3  # the share of that for a sphere
SPRING = 0.85  # share of the closing speed with which discs part
GRIP = 0.25  # share of the speed along the surface that becomes spin
SPIN_LEFT = 0.985  # share of the spin that is left after a frame
MASS = np.array([1.0, 1.6])  # of rubber and of metal
SOFTEST = 0.002  # closing speed of a touch that counts as a hit
FAR = 100.0  # where discs wait, apart from each other, until they enter


class RollingDiscs:
    """The discs of some clips, B N, as they move.

    look: kind and metal, B N; start: position B N 2, velocity B N 2 and turn B N 2 (cosine and sine) of each
    disc when it enters; frame: the frame in which it enters, B N.
    """

    def __init__(self, look: dict[str, Array], start: dict[str, Array], frame: Array):
        clips, number = frame.shape
        self._start = start
        self._frame = frame
        self.position = _waiting(clips, number)
        self.velocity = np.zeros((clips, number, 2))
        self.turn = start["turn"].copy()
        self.spin = np.zeros((clips, number))
        self.entered = np.zeros((clips, number), bool)
        self.hits = np.zeros((clips, number, number), bool)
        metal = look["metal"].astype(int)
        self.mass = MASS[metal]
        self.slowing = SLOWING[metal] * np.where(look["kind"] == SPHERE, ROLLS, 1.0)
        self.pairs = _pairs(number)
        self.radius = np.full(number, RADIUS)

    def state(self) -> dict[str, Array]:
        """Copies of the state: position, turn and velocity (float32), entered, and hits since they were
        last cleared."""
        floats = {"position": self.position, "turn": self.turn, "velocity": self.velocity}
        states = {name: value.astype(np.float32) for name, value in floats.items()}
        return states | {"entered": self.entered.copy(), "hits": self.hits.copy()}

    def enter(self, time: int) -> None:
        """Let each disc that is due at this time enter, as soon as its position is free."""
        for n in range(self.entered.shape[1]):
            gap = self.position - self._start["position"][:, n, None]
            free = (squared_length(gap) > (2 * RADIUS) ** 2).all(1)
            due = free & ~self.entered[:, n] & (self._frame[:, n] <= time)
            self.position[due, n] = self._start["position"][due, n]
            self.velocity[due, n] = self._start["velocity"][due, n]
            self.entered[:, n] |= due

    def step(self, part: float) -> None:
        """Move all discs for this part of a frame."""
        self._hit(self.position + part * self.velocity)
        self.position = self.position + part * self.velocity
        for _ in range(3):
            self._push_apart()
        self._slow_down(part)
        self._spin(part)

    def _slow_down(self, part: float) -> None:
        speed = length(self.velocity)
        share = np.maximum(speed - part * self.slowing, 0) / np.maximum(speed, 1e-12)
        self.velocity = self.velocity * share[..., None]

    def _spin(self, part: float) -> None:
        # to the first order of the angle
        self.turn = unit_vectors(rotated(self.turn, np.ones_like(self.spin), part * self.spin))
        self.spin = self.spin * (1 - part * (1 - SPIN_LEFT))

    def _hit(self, tentative: Array) -> None:
        """Let discs bounce that overlap and approach each other; they spin by the speed along their
        surface."""
        for i, j, clips, line in meetings(tentative, self.radius, self.pairs):
            closing = np.maximum(closing_speed(self.velocity, i, j, clips, line), 0)
            # the spin first: it depends on the velocities before the push
            spin = self._spin_of_hit(i, j, clips, line) * (closing > 0)
            self._push(i, j, clips, line, closing * (1 + SPRING))
            self.spin[clips, i] -= spin
            self.spin[clips, j] -= spin
            self.hits[clips, i, j] |= closing > SOFTEST
            self.hits[clips, j, i] |= closing > SOFTEST

    def _push(self, i: int, j: int, clips: Array, line: Array, speed: Array) -> None:
        """Change the closing speed of discs i and j along the line by `speed`; the lighter disc changes
        more."""
        push = (speed / (self.mass[clips, i] + self.mass[clips, j]))[:, None] * line
        self.velocity[clips, i] += push * self.mass[clips, j][:, None]
        self.velocity[clips, j] -= push * self.mass[clips, i][:, None]

    def _spin_of_hit(self, i: int, j: int, clips: Array, line: Array) -> Array:
        past = self.velocity[clips, j] - self.velocity[clips, i]
        return GRIP * cross(line, past) / RADIUS

    def _push_apart(self) -> None:
        """Move the two discs of each overlapping pair apart, each by half of the overlap."""
        for i, j, clips, line in meetings(self.position, self.radius, self.pairs):
            _, distance = distances(self.position[clips], np.array([[i, j]]))
            push = (RADIUS - distance / 2) * line
            self.position[clips, i] += push
            self.position[clips, j] -= push


def _pairs(number: int) -> Array:
    return np.array([(i, j) for i in range(number) for j in range(i)])


def _waiting(clips: int, number: int) -> Array:
    """The positions, B N 2, of discs that have not entered yet."""
    position = np.stack([FAR + 10 * np.arange(number), np.zeros(number)], -1)
    return np.broadcast_to(position, (clips, number, 2)).copy()
