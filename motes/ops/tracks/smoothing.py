"""How much of what is seen a track follows: the gains of a Kalman filter for velocities that change by chance."""

import torch
from jaxtyping import Float
from torch import Tensor

# the least and the most that is believed to be error, of the changes of steps
MOST_NOISE = 0.97
ENTRIES = 65


def _gains(noise: float) -> tuple[float, float]:
    """The steady gains of place and velocity, where this share of the changes of steps is error of places.

    A step changes by w, of variance q, from frame to frame, and a place has an error of variance 1. A change of
    a step then has the variance q + 6, of which 6 is error.
    """
    process = 6 * (1 - noise) / max(noise, 1e-4)
    # covariance of place and velocity before a place is seen
    place, both, velocity = process + 1, process, process + 1
    gain_place = gain_velocity = 1.0
    for _ in range(200):
        gain_place = place / (place + 1)
        gain_velocity = both / (place + 1)
        seen_place = (1 - gain_place) * place
        seen_both = (1 - gain_place) * both
        seen_velocity = velocity - gain_velocity * both
        place = seen_place + 2 * seen_both + seen_velocity + process
        both = seen_both + seen_velocity + process
        velocity = seen_velocity + process
    return gain_place, gain_velocity


TABLE = [_gains(MOST_NOISE * entry / (ENTRIES - 1)) for entry in range(ENTRIES)]


def gains(noise: Float[Tensor, "B"]) -> tuple[Float[Tensor, "B"], Float[Tensor, "B"]]:
    """The shares of an error of prediction by which the place and the velocity follow what is seen."""
    table = torch.tensor(TABLE, dtype=noise.dtype, device=noise.device)
    entry = (noise / MOST_NOISE * (ENTRIES - 1)).round().long().clamp(0, ENTRIES - 1)
    place, velocity = table[entry].unbind(-1)
    return place, velocity
