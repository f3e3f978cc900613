"""The starts of an encoding: their noise, and the best of them for each picture."""

from collections.abc import Sequence
from dataclasses import replace

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from motes.types.slots import Slots


def noise_of_start(seed: int, count: int, like: Float[Tensor, "B K Z"]) -> list[Float[Tensor, "B K Z"]]:
    """Noise for so many samples, the same for every picture; more samples begin with the same noise."""
    generator = torch.Generator().manual_seed(seed)
    noise = [torch.randn(like.shape[1:], generator=generator) for _ in range(count)]
    return [sample.to(like).expand(like.shape) for sample in noise]


def best_of(readings: Sequence[Slots]) -> Slots:
    """For each picture, the slots with the best bound; slots that are missing there have presence 0."""
    most = max(reading.count for reading in readings)
    rows = Slots.cat([_padded(reading, most) for reading in readings])
    bounds = torch.stack([reading.bound for reading in readings if reading.bound is not None])
    pictures = torch.arange(len(readings[0]), device=bounds.device)
    return rows[bounds.argmax(0) * len(pictures) + pictures]


def _padded(slots: Slots, count: int) -> Slots:
    """So many slots; those that are added are not present."""
    missing = count - slots.count
    parts = {}
    for name, value in slots.per_slot().items():
        parts[name] = F.pad(value, (0, 0) * (value.dim() - 2) + (0, missing))
    return replace(slots, **parts)
