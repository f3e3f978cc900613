"""Generated clips like CLEVRER's: spheres, boxes and cylinders that come in, roll or slide, hit each other,
and leave or come to rest.

As in CLEVRER: 128 frames, solids of one size, no two alike, a still camera. The motion is in `discs.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from motes.data.base import Split
from motes.data.worlds.dice import Dice
from motes.data.worlds.generated import Generated
from motes.data.worlds.portable import Array
from motes.data.worlds.solid import tabletop
from motes.data.worlds.solid.discs import RADIUS, RollingDiscs
from motes.data.worlds.solid.plane import inner, length, squared_length, unit_vectors
from motes.data.worlds.solid.solids import Solids, half_heights
from motes.data.worlds.solid.tabletop import COLOURS, RAYS, Camera, make_camera, on_screen
from motes.errors import UserError
from motes.types.truth import Truth

# solids that rest at the start stand within so much of the middle, and so far apart
FIELD = 2.2
GAP = 0.3
TRIES = 60  # positions tried for a solid
# solids come in from so far, and not from behind: the cosine between their side and the camera's direction
AWAY = 6.0
AHEAD = 0.4
SIDES = 16  # sides tried for a solid
SPEED = (0.12, 0.24)  # of those that come in, in lengths a frame
INTERVAL = 22  # frames between two that come in, about
NEVER = 10**6  # a frame that no clip has
STEPS = 4  # of the simulation a frame
CLIPS = 32  # simulated at once, on which no pixel depends
SHAKE = 0.3  # of camera and lamp
NEAREST = 3.0  # what is not so far ahead of the camera is below its view


@dataclass(frozen=True)
class RollingConfig:
    """Some solids rest on the floor at the start; the others come in one by one, aimed at the resting
    ones."""

    # rows, columns
    image_size: tuple[int, int] = (64, 64)
    # 1: grey, 3: colours
    channels: int = 3
    # training clips
    count: int = 2000
    # clips of the validation split, and of the test split
    held_out: int = 100
    # fewest and most solids in a clip, those that come in later included
    objects: tuple[int, int] = (3, 6)
    # frames of a clip
    frames: int = 128
    # rays along a pixel's side
    fine: int = 2
    # another seed, other pictures
    seed: int = 0


class Rolling(Generated):
    """Clips of moving solids; row // frames is the number of the clip.

    Velocity is in units of the floor per frame; `collisions` are those since the frame before.
    """

    Config = RollingConfig

    def __init__(self, config: RollingConfig, split: Split = "train"):
        self.area = RAYS // max(config.fine, 1) ** 2
        super().__init__(config, split)
        if not 2 <= config.objects[0] <= config.objects[1] <= 8:
            raise UserError(
                f"objects {config.objects} must be the fewest and the most, from 2 to 8, such as 3 6"
            )
        tabletop.check_fine(config.fine)
        if config.frames < 1:
            raise UserError(f"frames must be at least 1, not {config.frames}")
        self._paths: dict[int, dict[str, Array]] = {}

    def truth(self, rows: Sequence[int]) -> Truth:
        solids, camera, moment = self._moments(self._checked(rows))
        factors = {
            "colour": self._colours((solids.colour * 255).round().byte().numpy()),
            "velocity": moment["velocity"],
        }
        truth = tabletop.truth_of_solids(solids, camera, factors, self.config)
        return replace(truth, scene={**truth.scene, "collisions": torch.from_numpy(moment["hits"])})

    def _paint(self, rows: Array) -> Array:
        solids, camera, _ = self._moments(rows)
        return tabletop.picture_of_solids(solids, camera, self.config)

    def _moments(self, rows: Array) -> tuple[Solids, Camera, dict[str, Array]]:
        """The solids, the camera and the state of motion in each row."""
        dice = self._dice(rows // self.frames)
        motion = self.motion(rows)
        camera = make_camera(dice, SHAKE)
        return self._solids(self._looks(dice), motion, camera), camera, motion

    def looks(self, rows: Array) -> dict[str, Array]:
        """Kind, metal and colour of each solid in each row; on kind and metal its motion depends."""
        return self._looks(self._dice(rows // self.frames))

    def motion(self, rows: Array) -> dict[str, Array]:
        """The state of motion in each row: position and velocity on the floor, turn, who has entered and who hit whom.

        Blocks of clips are simulated once.
        """
        block, clip = np.divmod(rows // self.frames, CLIPS)
        paths = [self._paths_of(number) for number in block.tolist()]
        index = list(zip(paths, clip.tolist(), (rows % self.frames).tolist(), strict=True))
        return {name: np.stack([path[name][clip, time] for path, clip, time in index]) for name in paths[0]}

    def _paths_of(self, block: int) -> dict[str, Array]:
        if block not in self._paths:
            end = min((block + 1) * CLIPS, len(self) // self.frames)
            self._paths[block] = self._simulated(self._dice(range(block * CLIPS, end)))
        return self._paths[block]

    def _solids(self, look: dict[str, Array], moment: dict[str, Array], camera: Camera) -> Solids:
        height = half_heights(look["kind"], np.array(RADIUS))[..., None]
        centre = np.concatenate([moment["position"], height.astype(np.float32)], -1)
        ahead = on_screen(centre.astype(np.float64), camera, self.config.image_size)[..., 2]
        return Solids(
            centre=torch.from_numpy(centre),
            radius=torch.full(look["kind"].shape, RADIUS),
            kind=torch.from_numpy(look["kind"]),
            turn=torch.from_numpy(moment["turn"]),
            colour=tabletop.colours_of(look["colour"]),
            metal=torch.from_numpy(look["metal"]),
            present=torch.from_numpy(moment["entered"] & (ahead > NEAREST)),
        )

    def _looks(self, dice: Dice) -> dict[str, Array]:
        """The random look of each solid. No two solids of a clip agree in shape, material and colour."""
        look = dice.orders("look", 6 * len(COLOURS))[:, : self.config.objects[1]]
        return {"kind": look % 3, "metal": look // 3 % 2 == 1, "colour": look // 6}

    def _simulated(self, dice: Dice) -> dict[str, Array]:
        """The motion in every clip and frame, B T N ...

        It has position, turn, velocity (float32), entered, and hits, N N.
        """
        discs = RollingDiscs(self._looks(dice), *self._start(dice))
        frames = []
        for time in range(self.frames):
            discs.enter(time)
            frames.append(discs.state())
            discs.hits[:] = False
            for _ in range(STEPS):
                discs.step(1 / STEPS)
        return {name: np.stack([frame[name] for frame in frames], 1) for name in frames[0]}

    def _start(self, dice: Dice) -> tuple[dict[str, Array], Array]:
        """The position, velocity and turn of each solid when it enters, and the frame in which it enters.

        The frame is `NEVER` for solids that a clip does not have.
        """
        most = self.config.objects[1]
        count = dice.integers("count", self.config.objects[0], most)
        resting = 1 + np.floor(dice.uniform("resting") * (count - 1)).astype(np.int64)[:, None]
        rest_position = _resting(dice, most)
        side = _open_side(dice, most)
        entering = (np.arange(most) >= resting)[..., None]
        start = {
            "position": np.where(entering, side, rest_position),
            "velocity": np.where(entering, _velocity(dice, side, rest_position, resting), 0.0),
            "turn": dice.directions("turn", most),
        }
        return start, _entry_frames(dice, most, count[:, None], resting)


def _entry_frames(dice: Dice, most: int, count: Array, resting: Array) -> Array:
    """The frame in which each solid enters, B N: 0 for those at rest at the start, then one after another.

    `count` and `resting` are numbers of solids, B 1.
    """
    order = np.arange(most)
    later = INTERVAL * (order - resting) + dice.integers("when", -10, 10, most)
    return np.where(order < resting, 0, np.where(order < count, later, NEVER))


def _resting(dice: Dice, most: int) -> Array:
    """Positions of solids at rest near the middle, apart from each other, found one after another; B N 2.

    Where no candidate is free the last one is used; the simulation pushes such solids apart.
    """
    position = np.zeros((len(dice), most, 2))
    for n in range(most):
        candidate = dice.between(f"rest {n}", -FIELD, FIELD, TRIES, 2)
        gap = candidate[:, :, None] - position[:, None, :n]
        free = np.asarray((squared_length(gap) >= (2 * RADIUS + GAP) ** 2).all(-1))
        position[:, n] = candidate[np.arange(len(dice)), np.where(free.any(1), free.argmax(1), -1)]
    return position


def _open_side(dice: Dice, most: int) -> Array:
    """Where each solid would come in, out of view, B N 2; never from straight ahead of the camera."""
    side = dice.directions("side", most, SIDES)
    first = (_cosine_ahead(dice, side) < AHEAD).argmax(-1)
    return AWAY * _entry(side, first)


def _entry(values: Array, index: Array) -> Array:
    """For each solid, the candidate with this index, B N: from B N S 2 to B N 2."""
    return np.take_along_axis(values, index[..., None, None], 2)[:, :, 0]


def _cosine_ahead(dice: Dice, side: Array) -> Array:
    """The cosine of the angle between each side vector on the floor, B N S 2, and the camera's direction."""
    ahead = make_camera(dice, SHAKE)["axes"][:, 2, None, None]
    return inner(side, ahead) / length(ahead)


def _velocity(dice: Dice, side: Array, rest_position: Array, resting: Array) -> Array:
    """The velocity of each solid from its side towards roughly one of the solids at rest, B N 2.

    `resting` is the number of solids at rest, B 1.
    """
    most = side.shape[1]
    target = (dice.uniform("aim", most) * resting).astype(np.int64)[..., None]
    aim = np.take_along_axis(rest_position, target, 1) + dice.between("aside", -0.6, 0.6, most, 2)
    return unit_vectors(aim - side) * dice.between("speed", *SPEED, most, 1)
