"""Generated clips like CLEVRER's: spheres, boxes and cylinders that come in, roll or slide, hit each other,
and leave or come to rest.

As there: 128 frames, things of one size, no two alike, a still camera. The physics is flat: things are discs
seen from above, which push each other along the line between, spin if struck off their middle, and are
slowed by the floor.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from motes.data.base import Split
from motes.data.worlds.collisions import closing_speed, distances, meetings
from motes.data.worlds.dice import Dice
from motes.data.worlds.generated import Generated, to_bytes
from motes.data.worlds.solid.raycast import paint, trace
from motes.data.worlds.solid.solids import BOX, SPHERE, Solids
from motes.data.worlds.solid.tabletop import (
    COLOURS,
    POINTS,
    Camera,
    make_camera,
    on_screen,
    truth_of,
    view_of,
)
from motes.errors import UserError
from motes.types.truth import Truth

# of all things; those that are there at the start stand within so much of the middle, so far apart
RADIUS = 0.5
FIELD = 2.2
GAP = 0.3
# things come in from so far, and not from the back: the cosine between their side and the camera's way
AWAY = 6.0
AHEAD = 0.4
SPEED = (0.12, 0.24)  # of those that come in, in lengths a frame
SLOWING = np.array([0.0024, 0.0012])  # rubber's and metal's, in lengths a frame and a frame
ROLLS = 0.3  # the share of that for a sphere
# of the closing speed what comes back; of the speed along what turns; of the spin a frame
SPRING = 0.85
GRIP = 0.25
SPIN_LEFT = 0.985
MASS = np.array([1.0, 1.6])
# a frame; simulated at once, on which no pixel depends; of camera and lamp
STEPS = 4
CLIPS = 32
SHAKE = 0.3
SOFTEST = 0.002  # closing speed of a touch that counts as a hit
NEAREST = 3.0  # what is not so far ahead of the camera is below its view


@dataclass(frozen=True)
class RollingConfig:
    """Some things rest on the floor at the start; the others come in one by one and are aimed at these."""

    # rows, columns
    image_size: tuple[int, int] = (64, 64)
    # 1: grey
    channels: int = 3
    # training clips
    count: int = 2000
    # clips of the validation split, and of the test split
    held_out: int = 100
    # fewest and most in a clip, those to come included
    objects: tuple[int, int] = (3, 6)
    # of a clip
    frames: int = 128
    # rays a pixel's side
    fine: int = 2
    # another seed, other pictures
    seed: int = 0


class Rolling(Generated):
    """Row // frames is the clip. Velocity is in lengths of the floor a frame; `collisions` are those since
    the frame before."""

    Config = RollingConfig

    def __init__(self, config: RollingConfig, split: Split = "train"):
        self.area = POINTS // max(config.fine, 1) ** 2
        super().__init__(config, split)
        if not 2 <= config.objects[0] <= config.objects[1] <= 8:
            raise UserError(
                f"objects {config.objects} must be the fewest and the most, from 2 to 8, such as 3 6"
            )
        if not 1 <= config.fine <= 8:
            raise UserError(f"fine must be from 1 to 8 rays a pixel's side, not {config.fine}")
        if config.frames < 1:
            raise UserError(f"frames must be at least 1, not {config.frames}")
        self._paths: dict[int, dict[str, np.ndarray]] = {}

    def truth(self, rows: Sequence[int]) -> Truth:
        solids, camera, moment = self._moments(self._checked(rows))
        factors = {
            "colour": self._colours((solids.colour * 255).round().byte().numpy()),
            "velocity": moment["velocity"],
        }
        truth = truth_of(solids, camera, factors, self.config.image_size, self.config.fine)
        return replace(truth, scene={**truth.scene, "collisions": torch.from_numpy(moment["hits"])})

    def _paint(self, rows: np.ndarray) -> np.ndarray:
        solids, camera, _ = self._moments(rows)
        view = view_of(camera, self.config.image_size, self.config.fine)
        return to_bytes(paint(solids, view, trace(solids, view)).permute(0, 2, 3, 1).numpy())

    def _moments(self, rows: np.ndarray) -> tuple[Solids, Camera, dict[str, np.ndarray]]:
        clips = rows // self.frames
        times = rows % self.frames
        for number in np.unique(clips // CLIPS).tolist():
            if number not in self._paths:
                most = len(self) // self.frames
                self._paths[number] = self._simulated(
                    self._dice(range(number * CLIPS, min((number + 1) * CLIPS, most)))
                )
        paths = [self._paths[clip // CLIPS] for clip in clips.tolist()]
        places = list(zip(paths, (clips % CLIPS).tolist(), times.tolist(), strict=True))
        moment = {key: np.stack([path[key][clip, time] for path, clip, time in places]) for key in paths[0]}
        dice = self._dice(clips)
        camera = make_camera(dice, SHAKE)
        look = self._looks(dice)
        height = np.where(look["kind"] == BOX, RADIUS * 0.7071067690849304, RADIUS)[..., None]
        centre = np.concatenate([moment["place"], height.astype(np.float32)], -1)
        ahead = on_screen(centre.astype(np.float64), camera, self.config.image_size)[..., 2]
        solids = Solids(
            torch.from_numpy(centre),
            torch.full(look["kind"].shape, RADIUS),
            torch.from_numpy(look["kind"]),
            torch.from_numpy(moment["turn"]),
            torch.from_numpy(COLOURS[look["colour"]].astype(np.float32) / 255),
            torch.from_numpy(look["metal"]),
            torch.from_numpy(moment["entered"] & (ahead > NEAREST)),
        )
        return solids, camera, moment

    def _looks(self, dice: Dice) -> dict[str, np.ndarray]:
        """No two things of a clip have shape, material and colour alike."""
        look = dice.orders("look", 6 * len(COLOURS))[:, : self.config.objects[1]]
        return {"kind": look % 3, "metal": look // 3 % 2 == 1, "colour": look // 6}

    def _simulated(self, dice: Dice) -> dict[str, np.ndarray]:
        """Of every clip and frame, B T N ...: place, turn, velocity (float32), entered, and hits, N N."""
        world = World(self._looks(dice), *self._start(dice))
        kept: dict[str, list[np.ndarray]] = {
            name: [] for name in ("place", "turn", "velocity", "entered", "hits")
        }
        for time in range(self.frames):
            world.enter(time)
            for name, values in kept.items():
                value = getattr(world, name)
                values.append(value.astype(np.float32) if value.dtype == np.float64 else value.copy())
            world.hits[:] = False
            for _ in range(STEPS):
                world.step(1 / STEPS)
        return {name: np.stack(values, 1) for name, values in kept.items()}

    def _start(self, dice: Dice) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Place, velocity and turn of everything when it appears; and in which frame: never, if the clip has
        fewer."""
        most = self.config.objects[1]
        count = dice.integers("count", self.config.objects[0], most)[:, None]
        resting = 1 + np.floor(dice.uniform("resting") * (count[:, 0] - 1)).astype(np.int64)[:, None]
        order = np.arange(most)
        when = np.where(
            order < resting,
            0,
            np.where(order < count, 22 * (order - resting) + dice.integers("when", -10, 10, most), NEVER),
        )
        place = _resting(dice, most)
        velocity = np.zeros((len(dice), most, 2))
        aim = np.take_along_axis(place, (dice.uniform("aim", most) * resting).astype(np.int64)[..., None], 1)
        aim = aim + dice.between("aside", -0.6, 0.6, most, 2)
        side = dice.directions("side", most, 16)
        ahead = make_camera(dice, SHAKE)["axes"][:, 2, None, None]
        flat = np.sqrt(ahead[..., 0] * ahead[..., 0] + ahead[..., 1] * ahead[..., 1])
        cosine = (side[..., 0] * ahead[..., 0] + side[..., 1] * ahead[..., 1]) / flat
        chosen = (cosine < AHEAD).argmax(-1)[..., None, None]
        outside = AWAY * np.take_along_axis(side, chosen, 2)[:, :, 0]
        way = aim - outside
        way /= np.sqrt(way[..., 0] * way[..., 0] + way[..., 1] * way[..., 1])[..., None]
        comes = (order >= resting)[..., None]
        velocity = np.where(comes, way * dice.between("speed", *SPEED, most, 1), velocity)
        return {
            "place": np.where(comes, outside, place),
            "velocity": velocity,
            "turn": dice.directions("turn", most),
        }, when


NEVER = 10**6


def _resting(dice: Dice, most: int) -> np.ndarray:
    """Places apart from each other near the middle, one after another; the last try stands where all fail,
    which is pushed apart."""
    place = np.zeros((len(dice), most, 2))
    for n in range(most):
        tried = dice.between(f"rest {n}", -FIELD, FIELD, 60, 2)
        gap = tried[:, :, None] - place[:, None, :n]
        free = np.asarray(
            (gap[..., 0] * gap[..., 0] + gap[..., 1] * gap[..., 1] >= (2 * RADIUS + GAP) ** 2).all(-1)
        )
        place[:, n] = tried[np.arange(len(dice)), np.where(free.any(1), free.argmax(1), -1)]
    return place


class World:
    """The discs of some clips, as they move. What has not entered lies far off, each in a place of its
    own."""

    def __init__(self, look: dict[str, np.ndarray], start: dict[str, np.ndarray], when: np.ndarray):
        clips, things = when.shape
        shape = clips, things
        self._start = start
        self._when = when
        self.place = np.broadcast_to(
            np.stack([100.0 + 10 * np.arange(things), np.zeros(things)], -1), (*shape, 2)
        ).copy()
        self.velocity = np.zeros((*shape, 2))
        self.turn = start["turn"].copy()
        self.spin = np.zeros(shape)
        self.entered = np.zeros(shape, bool)
        self.hits = np.zeros((*shape, things), bool)
        self.mass = MASS[look["metal"].astype(int)]
        self.slowing = SLOWING[look["metal"].astype(int)] * np.where(look["kind"] == SPHERE, ROLLS, 1.0)
        self.pairs = np.array([(i, j) for i in range(things) for j in range(i)])
        self.radius = np.full(things, RADIUS)

    def enter(self, time: int) -> None:
        """What is due comes in, as soon as its place is free."""
        for n in range(self.entered.shape[1]):
            gap = self.place - self._start["place"][:, n, None]
            free = (gap[..., 0] * gap[..., 0] + gap[..., 1] * gap[..., 1] > (2 * RADIUS) ** 2).all(1)
            now = free & ~self.entered[:, n] & (self._when[:, n] <= time)
            self.place[now, n] = self._start["place"][now, n]
            self.velocity[now, n] = self._start["velocity"][now, n]
            self.entered[:, n] |= now

    def step(self, part: float) -> None:
        """Part of a frame."""
        self._hit(self.place + part * self.velocity)
        self.place = self.place + part * self.velocity
        for _ in range(3):
            self._push_apart()
        speed = np.sqrt(
            self.velocity[..., 0] * self.velocity[..., 0] + self.velocity[..., 1] * self.velocity[..., 1]
        )
        left = np.maximum(speed - part * self.slowing, 0) / np.maximum(speed, 1e-12)
        self.velocity = self.velocity * left[..., None]
        cosine = self.turn[..., 0]
        sine = self.turn[..., 1]
        angle = part * self.spin
        turned = np.stack([cosine - angle * sine, sine + angle * cosine], -1)
        self.turn = turned / np.sqrt(turned[..., :1] * turned[..., :1] + turned[..., 1:] * turned[..., 1:])
        self.spin = self.spin * (1 - part * (1 - SPIN_LEFT))

    def _hit(self, tentative: np.ndarray) -> None:
        """Those that overlap and come closer bounce off each other, and turn by what slides past."""
        for i, j, clips, line in meetings(tentative, self.radius, self.pairs):
            closing = np.maximum(closing_speed(self.velocity, i, j, clips, line), 0)
            push = (closing * (1 + SPRING) / (self.mass[clips, i] + self.mass[clips, j]))[:, None] * line
            past = self.velocity[clips, j] - self.velocity[clips, i]
            slide = GRIP * (past[:, 1] * line[:, 0] - past[:, 0] * line[:, 1]) / RADIUS * (closing > 0)
            self.velocity[clips, i] += push * self.mass[clips, j][:, None]
            self.velocity[clips, j] -= push * self.mass[clips, i][:, None]
            self.spin[clips, i] -= slide
            self.spin[clips, j] -= slide
            self.hits[clips, i, j] |= closing > SOFTEST
            self.hits[clips, j, i] |= closing > SOFTEST

    def _push_apart(self) -> None:
        """Half of what still overlaps to each side."""
        for i, j, clips, line in meetings(self.place, self.radius, self.pairs):
            _, distance = distances(self.place[clips], np.array([[i, j]]))
            push = (RADIUS - distance / 2) * line
            self.place[clips, i] += push
            self.place[clips, j] -= push
