"""Discs that hit each other: many clips at once, by the rule of the published balls data."""

from collections.abc import Iterator

import numpy as np

from motes.data.worlds.portable import Array


def distances(position: Array, pairs: Array) -> tuple[Array, Array]:
    """The vector from the second to the first of each pair, B P 2, and its length, B P."""
    offset = position[:, pairs[:, 0]] - position[:, pairs[:, 1]]
    return offset, np.sqrt(offset[..., 0] * offset[..., 0] + offset[..., 1] * offset[..., 1])


def meetings(position: Array, radius: Array, pairs: Array) -> Iterator[tuple[int, int, Array, Array]]:
    """Each pair that overlaps anywhere: its two numbers, the clips where it does, and there the unit vector
    from the second to the first."""
    if not len(pairs):
        return
    offset, distance = distances(position, pairs)
    for pair, (i, j) in enumerate(pairs.tolist()):
        clips = np.nonzero(distance[:, pair] < radius[i] + radius[j])[0]
        if len(clips):
            yield i, j, clips, offset[clips, pair] / np.maximum(distance[clips, pair], 1e-9)[:, None]


def collide(position: Array, velocity: Array, radius: Array, mass: Array, pairs: Array) -> None:
    """Each pair that overlaps exchanges the parts of its velocities along the line between, elastically;
    `velocity`, B N 2, changes.

    Pairs collide one after another, as published: a later pair has the velocities that earlier ones left.
    Discs that already part turn back as well, so that in a crowd two may cling to each other for a while, as
    in the published data.
    """
    for i, j, clips, line in meetings(position, radius, pairs):
        impulse = closing_speed(velocity, i, j, clips, line)[:, None] * line * (2 / (mass[i] + mass[j]))
        velocity[clips, i] += impulse * mass[j]
        velocity[clips, j] -= impulse * mass[i]


def closing_speed(velocity: Array, i: int, j: int, clips: Array, line: Array) -> Array:
    """How fast two discs come closer; below 0 they part."""
    closing = velocity[clips, j] - velocity[clips, i]
    return closing[:, 0] * line[:, 0] + closing[:, 1] * line[:, 1]


def bounce(position: Array, velocity: Array, radius: Array, side: float) -> None:
    """Sends back what would leave the square: `velocity` changes."""
    reach = radius[..., None]
    speed = np.abs(velocity)
    np.copyto(velocity, speed, where=position - reach < 0)
    np.copyto(velocity, -speed, where=position + reach > side)
