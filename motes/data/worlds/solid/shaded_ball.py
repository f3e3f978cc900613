"""A generated shaded ball with marks on it, in clips in which one thing varies: azimuth, elevation, light,
or the look.

All pictures of a clip agree in the other three. The ball turns so little that no two views look alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from motes.data.base import Split
from motes.data.worlds.generated import Generated, to_bytes
from motes.data.worlds.portable import PI, Array, cosine, hue, sine, smooth
from motes.errors import UserError
from motes.types.truth import Truth

VARIES = ("azimuth", "elevation", "light", "look")
REACH = {"azimuth": 55.0, "elevation": 40.0, "light": 70.0}  # degrees to both sides
LOOK = {
    "paint": (0.0, 1.0),
    "mark": (0.0, 1.0),
    "size": (0.0, 1.0),
    "belt": (0.0, 1.0),
}  # hues, how large the mark is, how wide the belt
# of the ball, in half pictures; grey level around it
RADIUS = 0.84
GROUND = 0.12
EDGE = 0.06  # softness of the marks' edges


@dataclass(frozen=True)
class BallConfig:
    """How often each thing varies is told by parts, as 1 1 1 2."""

    # rows, columns
    image_size: tuple[int, int] = (64, 64)
    # 1: grey
    channels: int = 3
    # training clips
    count: int = 2000
    # clips of the validation split, and of the test split
    held_out: int = 100
    # pictures of a clip
    frames: int = 8
    # of clips in which azimuth, elevation, light, look vary
    parts: tuple[int, int, int, int] = (1, 1, 1, 1)
    # points a pixel's side
    fine: int = 2
    # another seed, other pictures
    seed: int = 0


class Ball(Generated):
    """Row // frames is the clip. `scene` has the angles in parts of their reach, -1 to 1, the look's
    numbers, and what `varies`."""

    Config = BallConfig
    area = 2**14

    def __init__(self, config: BallConfig, split: Split = "train"):
        super().__init__(config, split)
        if config.frames < 2 or not 1 <= config.fine <= 8:
            raise UserError(
                f"a clip has at least 2 frames, not {config.frames}, and fine is from 1 to 8, not {config.fine}"
            )
        if min(config.parts) < 0 or sum(config.parts) == 0:
            raise UserError(f"parts {config.parts} must not be negative, and not all be zero")

    def truth(self, rows: Sequence[int]) -> Truth:
        asked = self._checked(rows)
        scene = self.factors(asked)
        look = np.stack([scene[name] for name in LOOK], -1)
        return Truth(
            present=torch.ones(len(asked), 1, dtype=torch.bool),
            scene={
                **{name: torch.from_numpy(scene[name].astype(np.float32)) for name in REACH},
                "look": torch.from_numpy(look.astype(np.float32)),
                "varies": torch.from_numpy(self._varies(asked // self.frames)),
                "clip": torch.from_numpy(asked // self.frames),
            },
        )

    def factors(self, rows: np.ndarray) -> dict[str, Array]:
        """What each picture is drawn from: angles from -1 to 1, the look's numbers from 0 to 1."""
        clips, times = np.divmod(rows, self.frames)
        dice = self._dice(clips)
        varies = self._varies(clips)
        found = {}
        for name in (*REACH, *LOOK):
            low = -1.0 if name in REACH else 0.0
            order = (
                np.arange(self.frames)[None] if name in REACH else dice.orders(f"{name} order", self.frames)
            )
            moving = low + (1 - low) * (order + dice.uniform(f"{name} moves", self.frames)) / self.frames
            own = VARIES.index(name if name in REACH else "look")
            found[name] = np.where(
                varies == own, moving[np.arange(len(rows)), times], dice.between(name, low, 1.0)
            )
        return found

    def drawn(self, factors: dict[str, Array]) -> np.ndarray:
        """uint8, B H W 3: any factors, as `factors` has them."""
        fine = self.config.fine
        rows, columns = self.config.image_size
        scale = 2 / (min(rows, columns) * fine * RADIUS)
        y = ((np.arange(rows * fine) + 0.5 - rows * fine / 2) * scale)[None, :, None]
        x = ((np.arange(columns * fine) + 0.5 - columns * fine / 2) * scale)[None, None, :]
        x = x.astype(np.float32)
        y = y.astype(np.float32)
        scale = np.float32(scale)
        away = x * x + y * y
        z = np.sqrt(np.maximum(1 - away, 0))
        cover = np.clip((1 - np.sqrt(away)) / scale + 0.5, 0, 1)[..., None]
        plane = {name: value[:, None, None] for name, value in factors.items()}
        paint = _painted(plane, *_turned(plane, x, y, z))
        ahead, aside = _directions(plane["light"] * REACH["light"])
        lamp = (0.87 * aside, np.float32(-0.5), 0.87 * ahead)  # a little from above
        facing = lamp[0] * x + lamp[1] * y + lamp[2] * z
        mirrored = 2 * facing * z - lamp[2]  # how straight the lamp is mirrored to the eye
        gloss = np.maximum(mirrored, 0) ** 2
        gloss = gloss * gloss * gloss * gloss
        light = paint * (0.22 + 0.85 * np.maximum(facing, 0))[..., None] + 0.45 * (gloss * gloss)[..., None]
        picture = GROUND + (light - GROUND) * cover
        parts = sum(picture[:, i::fine, j::fine] for i in range(fine) for j in range(fine))
        return to_bytes(np.asarray(parts) / (fine * fine))

    def _paint(self, rows: np.ndarray) -> np.ndarray:
        return self.drawn(self.factors(rows))

    def _varies(self, clips: np.ndarray) -> np.ndarray:
        """int64: the place in VARIES."""
        edges = np.cumsum(self.config.parts)
        return np.searchsorted(
            edges, self._dice(clips).integers("varies", 0, int(edges[-1]) - 1), side="right"
        ).astype(np.int64)


def _turned(factors: dict[str, Array], x: Array, y: Array, z: Array) -> tuple[Array, Array, Array]:
    """Places of the picture on the ball that has been turned: to the right by the azimuth, up by the
    elevation."""
    (a, b), (c, d) = (_directions(factors[name] * REACH[name]) for name in ("azimuth", "elevation"))
    x, z = a * x - b * z, b * x + a * z
    y, z = c * y + d * z, -d * y + c * z
    return x, y, z


def _directions(degrees: Array) -> tuple[Array, Array]:
    """Cosine and sine, in single precision from here on."""
    return cosine(degrees * PI / 180).astype(np.float32), sine(degrees * PI / 180).astype(np.float32)


def _painted(factors: dict[str, Array], x: Array, y: Array, z: Array) -> Array:
    """A belt, and at the front a mark with a dot in it."""
    one = np.ones_like(factors["paint"])
    paint = hue(factors["paint"], 0.55 * one, 0.95 * one).astype(np.float32)
    mark = hue(factors["mark"], 0.85 * one, 0.8 * one).astype(np.float32)
    colour = paint + 0 * x[..., None]
    belt = (0.1 + 0.16 * factors["belt"]).astype(np.float32)
    colour = colour + (0.95 - colour) * smooth((belt - np.abs(y)) / EDGE + 0.5)[..., None]
    size = (0.86 - 0.2 * factors["size"]).astype(np.float32)  # cosine of its reach
    colour = colour + (mark - colour) * smooth((z - size) / EDGE + 0.5)[..., None]
    return colour * (1 - 0.9 * smooth((z - 0.965) / EDGE + 0.5)[..., None])
