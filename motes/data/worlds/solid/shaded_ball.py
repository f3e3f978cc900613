"""A generated shaded ball with marks on it, in clips in which one factor varies.

The factor is azimuth, elevation, light or look; all pictures of a clip agree in the other three. The ball
turns so little that no two views look alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from motes.data.base import Split
from motes.data.worlds.dice import Dice
from motes.data.worlds.generated import Generated, to_bytes
from motes.data.worlds.portable import PI, Array, cosine, hue, sine, smooth
from motes.errors import UserError
from motes.types.truth import Truth

VARIES = ("azimuth", "elevation", "light", "look")
REACH = {"azimuth": 55.0, "elevation": 40.0, "light": 70.0}  # degrees to both sides
LOOK = ("paint", "mark", "size", "belt")  # hues of ball and mark, size of the mark, width of the belt
LOWEST = dict.fromkeys(REACH, -1.0) | dict.fromkeys(LOOK, 0.0)
RADIUS = 0.84  # of the ball, in half pictures
GROUND = 0.12  # grey level around the ball
EDGE = 0.06  # softness of the marks' edges


@dataclass(frozen=True)
class BallConfig:
    """Options of a generated shaded ball.

    `parts` says how often each factor varies. With 1 1 1 2, the look varies in two of five clips, and each
    other factor in one.
    """

    # rows, columns
    image_size: tuple[int, int] = (64, 64)
    # 1: grey, 3: colours
    channels: int = 3
    # training clips
    count: int = 2000
    # clips of the validation split, and of the test split
    held_out: int = 100
    # pictures of a clip
    frames: int = 8
    # shares of the clips in which azimuth, elevation, light, look vary
    parts: tuple[int, int, int, int] = (1, 1, 1, 1)
    # points along a pixel's side
    fine: int = 2
    # another seed, other pictures
    seed: int = 0


class Ball(Generated):
    """Clips of a ball; row // frames is the number of the clip.

    `scene` has the angles as shares of their range, -1 to 1, the look's numbers, and which factor `varies`.
    """

    Config = BallConfig
    area = 2**14

    def __init__(self, config: BallConfig, split: Split = "train"):
        super().__init__(config, split)
        if config.frames < 2 or not 1 <= config.fine <= 8:
            raise UserError(
                f"a clip has at least 2 frames, not {config.frames}, "
                f"and fine is from 1 to 8, not {config.fine}"
            )
        if min(config.parts) < 0 or sum(config.parts) == 0:
            raise UserError(f"parts {config.parts} must not be negative, and not all be zero")

    def truth(self, rows: Sequence[int]) -> Truth:
        index = self._checked(rows)
        factors = {name: value.astype(np.float32) for name, value in self.factors(index).items()}
        clips = index // self.frames
        return Truth(
            present=torch.ones(len(index), 1, dtype=torch.bool),
            scene={
                **{name: torch.from_numpy(factors[name]) for name in REACH},
                "look": torch.from_numpy(np.stack([factors[name] for name in LOOK], -1)),
                "varies": torch.from_numpy(self._varies(clips)),
                "clip": torch.from_numpy(clips),
            },
        )

    def factors(self, rows: Array) -> dict[str, Array]:
        """The numbers from which each picture is drawn: angles from -1 to 1, the look's numbers from 0 to
        1."""
        clips, times = np.divmod(rows, self.frames)
        dice = self._dice(clips)
        varies = self._varies(clips)
        steps = np.broadcast_to(np.arange(self.frames), (len(rows), self.frames))
        angles = {name: self._varied(dice, name, times, steps) for name in REACH}
        look = {
            name: self._varied(dice, name, times, dice.orders(f"{name} order", self.frames)) for name in LOOK
        }
        return {
            name: np.where(varies == VARIES.index(name if name in REACH else "look"), moving, still)
            for name, (moving, still) in (angles | look).items()
        }

    def _varied(self, dice: Dice, name: str, times: Array, order: Array) -> tuple[Array, Array]:
        """The values of a factor in clips where it varies, and in clips where it is constant.

        `order`, B T, has the ranks of the frames.
        """
        low = LOWEST[name]
        moving = low + (1 - low) * (order + dice.uniform(f"{name} moves", self.frames)) / self.frames
        return moving[np.arange(len(times)), times], dice.between(name, low, 1.0)

    def drawn(self, factors: dict[str, Array]) -> Array:
        """The pictures of any factors, which are given as `factors` returns them: uint8, B H W 3."""
        x, y, scale = self._grid()
        squared = x * x + y * y
        z = np.sqrt(np.maximum(1 - squared, 0))
        cover = np.clip((1 - np.sqrt(squared)) / scale + 0.5, 0, 1)[..., None]
        light = _lit_ball(_planes(factors), x, y, z)
        picture = GROUND + (light - GROUND) * cover
        return to_bytes(_averaged(picture, self.config.fine))

    def _grid(self) -> tuple[Array, Array, np.float32]:
        """The x, 1 1 W, and y, 1 H 1, of the sample points, and the width of a point, all in radii of the
        ball."""
        rows, columns = (side * self.config.fine for side in self.config.image_size)
        scale = 2 / (min(rows, columns) * RADIUS)
        x = ((np.arange(columns) + 0.5 - columns / 2) * scale)[None, None, :]
        y = ((np.arange(rows) + 0.5 - rows / 2) * scale)[None, :, None]
        return x.astype(np.float32), y.astype(np.float32), np.float32(scale)

    def _paint(self, rows: Array) -> Array:
        return self.drawn(self.factors(rows))

    def _varies(self, clips: Array) -> Array:
        """The index in VARIES of the factor that varies in each clip: int64."""
        ends = np.cumsum(self.config.parts)
        draw = self._dice(clips).integers("varies", 0, int(ends[-1]) - 1)
        return np.searchsorted(ends, draw, side="right").astype(np.int64)


def _averaged(picture: Array, fine: int) -> Array:
    """The mean of the fine x fine points at each pixel. They are added one after another, for the same
    rounding."""
    total = sum(picture[:, i::fine, j::fine] for i in range(fine) for j in range(fine))
    return np.asarray(total) / (fine * fine)


def _planes(factors: dict[str, Array]) -> dict[str, Array]:
    """The factors with each array B reshaped to B 1 1."""
    return {name: value[:, None, None] for name, value in factors.items()}


def _lit_ball(factors: dict[str, Array], x: Array, y: Array, z: Array) -> Array:
    """The colours of the ball, B H W 3: matt light and gloss of a lamp that is a little above."""
    paint = _painted(factors, *_turned(factors, x, y, z))
    ahead, aside = _directions(factors["light"] * REACH["light"])
    lamp = (0.87 * aside, np.float32(-0.5), 0.87 * ahead)
    facing = lamp[0] * x + lamp[1] * y + lamp[2] * z
    gloss = _gloss(2 * facing * z - lamp[2])
    return paint * (0.22 + 0.85 * np.maximum(facing, 0))[..., None] + 0.45 * gloss[..., None]


def _gloss(mirrored: Array) -> Array:
    """The gloss: the cosine between the mirrored lamp and the eye to the power of 16."""
    gloss = np.maximum(mirrored, 0) ** 2
    gloss = gloss * gloss * gloss * gloss
    return gloss * gloss


def _turned(factors: dict[str, Array], x: Array, y: Array, z: Array) -> tuple[Array, Array, Array]:
    """Where points of the picture lie on the ball after it was turned to the right by the azimuth and up
    by the elevation."""
    across, aside = _directions(factors["azimuth"] * REACH["azimuth"])
    turned_x = across * x - aside * z
    z = aside * x + across * z
    level, rise = _directions(factors["elevation"] * REACH["elevation"])
    return turned_x, level * y + rise * z, -rise * y + level * z


def _directions(degrees: Array) -> tuple[Array, Array]:
    """The cosine and sine of angles, in single precision, as is everything after this step."""
    return cosine(degrees * PI / 180).astype(np.float32), sine(degrees * PI / 180).astype(np.float32)


def _painted(factors: dict[str, Array], x: Array, y: Array, z: Array) -> Array:
    """The colours of the ball's surface: a belt, and at the front a mark with a dot in it."""
    colour = _hue(factors["paint"], 0.55, 0.95) + 0 * x[..., None]
    colour = colour + (0.95 - colour) * _belt(factors, y)
    colour = colour + (_hue(factors["mark"], 0.85, 0.8) - colour) * _mark(factors, z)
    return colour * (1 - 0.9 * _soft(z - 0.965))


def _belt(factors: dict[str, Array], y: Array) -> Array:
    """The cover of the belt."""
    width = (0.1 + 0.16 * factors["belt"]).astype(np.float32)
    return _soft(width - np.abs(y))


def _mark(factors: dict[str, Array], z: Array) -> Array:
    """The cover of the mark; its edge is at an angle of which the cosine is known."""
    edge = (0.86 - 0.2 * factors["size"]).astype(np.float32)
    return _soft(z - edge)


def _hue(turn: Array, saturation: float, value: float) -> Array:
    return hue(turn, np.full_like(turn, saturation), np.full_like(turn, value)).astype(np.float32)


def _soft(inside: Array) -> Array:
    """The cover of a mark at points that lie this far inside its edge, ... 1."""
    return smooth(inside / EDGE + 0.5)[..., None]
