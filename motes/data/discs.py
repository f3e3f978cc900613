"""Discs that hit each other: many clips at once, by the rule of the published balls data."""

import numpy as np


def distances(position: np.ndarray, pairs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """From the second to the first of each pair, B P 2, and how far, B P."""
    apart = position[:, pairs[:, 0]] - position[:, pairs[:, 1]]
    return apart, np.sqrt(apart[..., 0] * apart[..., 0] + apart[..., 1] * apart[..., 1])


def collide(position: np.ndarray, velocity: np.ndarray, radius: np.ndarray, mass: np.ndarray, pairs: np.ndarray) -> None:
    """Each pair that overlaps exchanges the parts of its velocities along the line between, elastically; `velocity`, B N 2, changes.

    Pair after pair, as published: what the first pair does to a disc the next sees.
    """
    if not len(pairs):
        return
    apart, distance = distances(position, pairs)
    for pair, (i, j) in enumerate(pairs.tolist()):
        clips = np.nonzero(distance[:, pair] < radius[..., i] + radius[..., j])[0]
        if not len(clips):
            continue
        line = apart[clips, pair] / np.maximum(distance[clips, pair], 1e-9)[:, None]
        closing = velocity[clips, j] - velocity[clips, i]
        along = (closing[:, 0] * line[:, 0] + closing[:, 1] * line[:, 1])[:, None] * line
        share = np.broadcast_to(2 / (mass[..., i] + mass[..., j]), len(distance))[clips, None]
        first, second = (np.broadcast_to(mass[..., k], len(distance))[clips, None] for k in (i, j))
        velocity[clips, i] += along * (share * second)
        velocity[clips, j] -= along * (share * first)


def bounce(position: np.ndarray, velocity: np.ndarray, radius: np.ndarray, side: float) -> None:
    """What would leave the square is sent back: `velocity` changes."""
    reach = radius[..., None]
    speed = np.abs(velocity)
    np.copyto(velocity, speed, where=position - reach < 0)
    np.copyto(velocity, -speed, where=position + reach > side)
