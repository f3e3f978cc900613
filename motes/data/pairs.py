"""Warped pairs for the prior: proposals come from a strongly bent picture, particles from a hardly bent one (Daniel & Tamar 2022, faces)."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from motes.ops.types import Batch
from motes.ops.warp import even_points, seen_through, thin_plate_basis

CONTROLS = 10  # along each side


@dataclass(frozen=True)
class Warps:
    """Standard deviations of the strong warp, in halves of a picture; the published ones for faces."""

    bend: float = 0.001
    bend_some: float = 0.01  # of those weights, each with probability 1/2, that are drawn again
    shift: float = 0.1
    scale: float = 0.1
    turn: float = 5.0  # degrees
    weak: float = 0.1  # all of them times this: the weak warp


def with_warped_pair(batch: Batch, seed: int = 0, warps: Warps | None = None) -> Batch:
    """`image` weakly warped, `prior_image` the same warped strongly once more; a function of the pictures, the seed and their rows.

    The 2022 code cuts away an eighth of every side, where zeros show; here the whole picture stays, mirrored at its edges.
    """
    warps = warps or Warps()
    basis = thin_plate_basis(even_points((batch.image.shape[2], batch.image.shape[3]), batch.image), CONTROLS)
    weak, strong = [], []
    for row in batch.index.tolist():  # one picture at a time, so that no rounding depends on its neighbours in the batch
        random = np.random.default_rng([seed, row])
        weak.append(basis @ _weights(warps, warps.weak, random).to(basis))
        strong.append(basis @ _weights(warps, 1.0, random).to(basis))
    image = seen_through(batch.image, torch.stack(weak), "reflection").clamp(0, 1)
    return Batch(image, batch.index, seen_through(image, torch.stack(strong), "reflection").clamp(0, 1))


def _weights(warps: Warps, share: float, random: np.random.Generator) -> Float[Tensor, "f 2"]:
    bend = random.normal(0, share * warps.bend, (CONTROLS**2, 2))
    again = random.random(bend.shape) < 0.5
    bend = np.where(again, random.normal(0, share * warps.bend_some, bend.shape), bend)
    shift = random.normal(0, share * warps.shift, (1, 2))
    scale = 1 + random.normal(0, share * warps.scale)
    angle = math.radians(random.normal(0, share * warps.turn))
    turn = scale * np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    return torch.from_numpy(np.concatenate([bend, shift, turn]))
