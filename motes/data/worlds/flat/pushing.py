"""Generated clips of a white disc that is moved by recorded actions and pushes other discs about a box.

The box is 64 x 64. An action says how far the white disc, the effector, is to go until the next frame, in rows and
columns of the box. It goes for one of the discs after another, from a side that changes, and pushes what is in its
way; discs push each other, glide on for a little and stop. Walls stop all of them, and then the effector, too.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from motes.data.base import Split
from motes.data.worlds.collisions import distances
from motes.data.worlds.dice import Dice
from motes.data.worlds.flat.balls import COLOURS
from motes.data.worlds.flat.disc_drawing import painted_discs, truth_of_discs
from motes.data.worlds.generated import Generated
from motes.data.worlds.portable import Array
from motes.errors import UserError
from motes.types.truth import Truth

# of the box, in the pixels in which actions count
SIDE = 64.0
# of a disc, and of the effector
RADIUS = 7.0
EFFECTOR = 5.0
WHITE = (255, 255, 255)
# pixels a frame: the effector's slowest and fastest aim
SPEED = (1.5, 4.0)
# share of an action that is that of the frame before: it turns gradually
INERTIA = 0.5
# frames for which the effector aims at one disc, and how far beside its middle
AIMS = 10
ASIDE = 6.0
# share of a disc's last way that it glides on
GLIDE = 0.5
# steps of the simulation a frame, and rounds of pushing in each
STEPS = 4
ROUNDS = 4
# share of an overlap that pushes the effector back: little, but enough that walls stop it
YIELDING = 0.1
# simulated at once; no pixel depends on it
CLIPS = 128


@dataclass(frozen=True)
class PushingConfig:
    """The discs have different colours and start anywhere in the box; the effector is white and in front."""

    # rows, columns: a square
    image_size: tuple[int, int] = (64, 64)
    # 1: grey, 3: colours
    channels: int = 3
    # training clips
    count: int = 1000
    # clips of the validation split, and of the test split
    held_out: int = 100
    # discs that can be pushed, from 1 to 4
    objects: int = 3
    # frames of a clip
    frames: int = 60
    # another seed gives other pictures
    seed: int = 0


class Pushing(Generated):
    """Clips of discs and an effector, which is the last thing; row // frames is the number of the clip.

    `collisions` are touches since the frame before.
    """

    Config = PushingConfig

    def __init__(self, config: PushingConfig, split: Split = "train"):
        super().__init__(config, split)
        if config.image_size[0] != config.image_size[1]:
            raise UserError(f"the box of pushing is a square; image_size {config.image_size} is not")
        if not 1 <= config.objects <= 4:
            raise UserError(f"objects must be from 1 to 4, not {config.objects}")
        if config.frames < 1:
            raise UserError(f"frames must be at least 1, not {config.frames}")
        self.radius = np.array([RADIUS] * config.objects + [EFFECTOR])
        self._paths: dict[int, dict[str, Array]] = {}

    def truth(self, rows: Sequence[int]) -> Truth:
        numbers = self._checked(rows)
        path = self._moments(numbers)
        shape = (len(numbers), len(self.radius))
        depth = torch.arange(shape[1] - 1.0, -1.0, -1.0)
        factors = {
            "size": torch.tensor(self._radii).expand(shape),
            "colour": torch.from_numpy(self._colours(self._disc_colours(numbers))),
            "effector": (depth == 0).expand(shape),
            "depth": depth.expand(shape),
        }
        return truth_of_discs(
            path["position"] * self._scale,
            self._radii,
            self.config.image_size,
            factors,
            {"collisions": torch.from_numpy(path["hits"])},
        )

    def actions(self, rows: Sequence[int]) -> Float[Tensor, "N A"]:
        """How far the effector is to go after each frame, in rows and columns of a box of 64."""
        return torch.from_numpy(self._moments(self._checked(rows))["action"])

    def _paint(self, rows: Array) -> Array:
        middles = self._moments(rows)["position"] * np.float32(self._scale)
        colours = self._disc_colours(rows).astype(np.float32)
        return painted_discs(middles, self._radii, colours, self.config.image_size[0])

    @property
    def _scale(self) -> float:
        """The number of pixels of the picture per pixel of the box."""
        return self.config.image_size[0] / SIDE

    @property
    def _radii(self) -> list[float]:
        """In pixels of the picture."""
        return [float(radius) * self._scale for radius in self.radius]

    def _disc_colours(self, rows: Array) -> Array:
        """The colour of each disc and of the effector, uint8, B N 3."""
        order = self._dice(rows // self.frames).orders("colour", len(COLOURS))
        white = np.broadcast_to(np.array(WHITE, np.uint8), (len(rows), 1, 3))
        return np.concatenate([COLOURS[order[:, : self.config.objects]], white], 1)

    def _moments(self, rows: Array) -> dict[str, Array]:
        """Position, action and hits in these rows; in units of the box."""
        moments = zip((rows // self.frames).tolist(), (rows % self.frames).tolist(), strict=True)
        blocks = [(self._paths_near(clip), clip % CLIPS, time) for clip, time in moments]
        names = ("position", "action", "hits")
        return {name: np.stack([path[name][clip, time] for path, clip, time in blocks]) for name in names}

    def _paths_near(self, clip: int) -> dict[str, Array]:
        """The paths of the clips that are simulated together with this one."""
        number = clip // CLIPS
        if number not in self._paths:
            end = min((number + 1) * CLIPS, len(self) // self.frames)
            self._paths[number] = self._simulated(self._dice(range(number * CLIPS, end)))
        return self._paths[number]

    def _simulated(self, dice: Dice) -> dict[str, Array]:
        """Position (float32), action (float32) and hits in every clip and frame, B T ..."""
        position = self._start(dice)
        displacement = np.zeros_like(position)
        action = np.zeros((len(dice), 2))
        hits = np.zeros((len(dice), len(self.radius), len(self.radius)), bool)
        frames = []
        for time in range(self.frames):
            action = INERTIA * action + (1 - INERTIA) * self._aim(dice, position, time)
            # what is recorded is what is done
            recorded = action.astype(np.float32)
            frames.append((position.astype(np.float32), recorded, hits))
            displacement = np.concatenate(
                [GLIDE * displacement[:, :-1], recorded.astype(np.float64)[:, None]], 1
            )
            before = position
            position, hits = self._after_frame(position, displacement)
            displacement = position - before
        position, action, hits = (np.stack(values, 1) for values in zip(*frames, strict=True))
        return {"position": position, "action": action, "hits": hits}

    def _aim(self, dice: Dice, position: Array, time: int) -> Array:
        """Where the effector wants to go in a frame, B 2: through one of the discs, near its middle."""
        turn = time // AIMS
        chosen = dice.integers(f"aim {turn}", 0, self.config.objects - 1)
        aside = dice.between(f"aside {turn}", -ASIDE, ASIDE, 2)
        speed = dice.between(f"speed {turn}", *SPEED, 1)
        line = position[np.arange(len(position)), chosen] + aside - position[:, -1]
        return speed * line / np.maximum(_lengths(line), 1e-3)[:, None]

    def _after_frame(self, position: Array, displacement: Array) -> tuple[Array, Array]:
        """The positions one frame later, and which things have touched."""
        hits = np.zeros((*position.shape[:2], position.shape[1]), bool)
        for _ in range(STEPS):
            position = position + displacement / STEPS
            for _ in range(ROUNDS):
                self._push_apart(position, hits)
                self._keep_inside(position)
        return position, hits

    def _push_apart(self, position: Array, hits: Array) -> None:
        """Move things that overlap apart: two discs by half the overlap each, a disc away from the effector."""
        effector = len(self.radius) - 1
        for i in range(effector, -1, -1):
            for j in range(i):
                offset, distance = distances(position, np.array([[i, j]]))
                overlap = self.radius[i] + self.radius[j] - distance[:, 0]
                clips = np.nonzero(overlap > 0)[0]
                push = overlap[clips, None] * offset[clips, 0] / np.maximum(distance[clips], 1e-9)
                share = YIELDING if i == effector else 0.5
                position[clips, i] += share * push
                position[clips, j] -= (1 - share) * push
                hits[clips, i, j] = True
                hits[clips, j, i] = True

    def _keep_inside(self, position: Array) -> None:
        reach = self.radius[:, None]
        np.clip(position, reach, SIDE - reach, out=position)

    def _start(self, dice: Dice) -> Array:
        """Positions at the start, B N 2; things are placed one after another where they overlap no other."""
        position = np.zeros((len(dice), len(self.radius), 2))
        for n, radius in enumerate(self.radius):
            clips = np.arange(len(dice))
            attempt = 0
            while len(clips):
                start = dice.of(clips).between(f"start {n} {attempt}", radius, SIDE - radius, 2)
                position[clips, n] = start
                gap = _lengths(start[:, None] - position[clips, :n])
                clips = clips[(gap < self.radius[:n] + radius).any(1)]
                attempt = attempt + 1
        return position


def _lengths(vectors: Array) -> Array:
    return np.sqrt(vectors[..., 0] * vectors[..., 0] + vectors[..., 1] * vectors[..., 1])
