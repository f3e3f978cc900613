"""Random textures of known kinds and sizes, from which a network learns to recognise textures.

All functions are pure functions of a random generator.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor

PERIODS = (3.5, 6.0, 10.0)  # pixels, of the sizes that are told apart


@dataclass(frozen=True)
class Ground:
    """What textures are made from: rotated coordinates in periods, soft clouds of the same size, and
    grain."""

    ahead: Float[Tensor, "B S S"]
    across: Float[Tensor, "B S S"]
    clouds: Float[Tensor, "B S S"]
    grain: Float[Tensor, "B S S"]


def _wave(phase: Tensor) -> Tensor:
    return 0.5 + 0.5 * torch.sin(2 * math.pi * phase)


def _line(phase: Tensor, width: float) -> Tensor:
    """1 where the phase is near a whole number, 0 elsewhere."""
    return (1 - (phase - phase.round()).abs() / width).clamp(0, 1)


def _bricks(ground: Ground) -> Tensor:
    shifted = ground.across / 2 + 0.5 * (ground.ahead.floor() % 2)
    return torch.maximum(_line(ground.ahead, 0.2), _line(shifted, 0.1))


def _dots(ground: Ground) -> Tensor:
    reach = (ground.ahead - ground.ahead.round()).square() + (ground.across - ground.across.round()).square()
    return (4 * (0.35 - reach.sqrt()) + 0.5).clamp(0, 1)


def _checks(ground: Ground) -> Tensor:
    return (2 * torch.sin(math.pi * ground.ahead) * torch.sin(math.pi * ground.across) + 0.5).clamp(0, 1)


KINDS: dict[str, Callable[[Ground], Tensor]] = {
    "clouds": lambda ground: ground.clouds,
    "grained clouds": lambda ground: 0.5 * ground.clouds + 0.5 * ground.grain,
    "spots": lambda ground: (6 * (ground.clouds - 0.5) + 0.5).clamp(0, 1),
    "cracks": lambda ground: (1 - 9 * (ground.clouds - 0.5).abs()).clamp(0, 1),
    "stripes": lambda ground: _wave(ground.ahead),
    "bent stripes": lambda ground: _wave(ground.ahead + 1.5 * ground.clouds),
    "lines": lambda ground: _line(ground.ahead, 0.25),
    "grid": lambda ground: torch.maximum(_line(ground.ahead, 0.2), _line(ground.across, 0.2)),
    "checks": _checks,
    "bricks": _bricks,
    "dots": _dots,
}
CLASSES = len(KINDS) * len(PERIODS)


def synthesise_textures(
    classes: Int[Tensor, "B"], side: int, random: torch.Generator
) -> Float[Tensor, "B 3 S S"]:
    """One texture for each class number, which is kind * (number of periods) + (number of the period).

    Each is turned, shifted, coloured and lit at random, with values in [0, 1].
    """
    count = len(classes)
    ground = _ground(classes % len(PERIODS), side, random)
    patterns = torch.stack([pattern(ground) for pattern in KINDS.values()], 1)
    pattern = patterns[torch.arange(count), classes // len(PERIODS)][:, None]
    colours = torch.rand(2, count, 3, 1, 1, generator=random)
    picture = torch.lerp(colours[0], colours[1], pattern)
    light = _light(count, side, random)
    noise = 0.03 * torch.randn(picture.shape, generator=random)
    return (picture * light + noise).clamp(0, 1)


def _light(count: int, side: int, random: torch.Generator) -> Float[Tensor, "B 1 S S"]:
    """Pictures of light that is brighter towards a random side."""
    gradient = 0.6 * (torch.rand(count, 2, 1, 1, generator=random) - 0.5)
    ramp = torch.linspace(-1, 1, side)
    return 1 + gradient[:, :1] * ramp[:, None] + gradient[:, 1:] * ramp


def _ground(sizes: Int[Tensor, "B"], side: int, random: torch.Generator) -> Ground:
    count = len(sizes)
    period = torch.tensor(PERIODS)[sizes] * (0.85 + 0.3 * torch.rand(count, generator=random))
    angle = math.pi * torch.rand(count, generator=random)
    down = (angle.cos() / period)[:, None, None]
    right = (angle.sin() / period)[:, None, None]
    shift = 8 * torch.rand(2, count, 1, 1, generator=random)
    steps = torch.arange(side, dtype=torch.float32)
    ahead = down * steps[:, None] + right * steps + shift[0]
    across = down * steps - right * steps[:, None] + shift[1]
    grain = torch.rand(count, side, side, generator=random)
    clouds = torch.stack([_clouds(count, side, size, random) for size in PERIODS], 1)
    return Ground(ahead, across, clouds[torch.arange(count), sizes], grain)


def _clouds(count: int, side: int, period: float, random: torch.Generator) -> Float[Tensor, "B S S"]:
    """Noise in cells of half a period, enlarged smoothly; values are about 0 to 1."""
    cells = math.ceil(2 * side / period) + 1
    coarse = torch.rand(count, 1, cells, cells, generator=random)
    large = F.interpolate(coarse, size=(side, side), mode="bicubic", align_corners=True)
    return rearrange(0.5 + 1.4 * (large - 0.5), "b 1 r s -> b r s").clamp(0, 1)
