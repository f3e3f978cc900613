"""Elastic collisions of discs in many clips at once, by the rule of the published balls data."""

from collections.abc import Iterator

import numpy as np

from motes.data.worlds.portable import Array


def distances(position: Array, pairs: Array) -> tuple[Array, Array]:
    """The vector from the second to the first of each pair, B P 2, and its length, B P."""
    offset = position[:, pairs[:, 0]] - position[:, pairs[:, 1]]
    return offset, np.sqrt(offset[..., 0] * offset[..., 0] + offset[..., 1] * offset[..., 1])


def meetings(position: Array, radius: Array, pairs: Array) -> Iterator[tuple[int, int, Array, Array]]:
    """Yield each pair that overlaps in any clip: the numbers of its two discs, the clips in which they
    overlap, and for each of these clips the unit vector from the second disc to the first."""
    if not len(pairs):
        return
    offset, distance = distances(position, pairs)
    for pair, (i, j) in enumerate(pairs.tolist()):
        clips = np.nonzero(distance[:, pair] < radius[i] + radius[j])[0]
        if len(clips):
            yield i, j, clips, offset[clips, pair] / np.maximum(distance[clips, pair], 1e-9)[:, None]


def collide(
    position: Array, velocity: Array, radius: Array, mass: Array, pairs: Array, hits: Array | None = None
) -> None:
    """Let each pair that overlaps exchange, elastically, the parts of its velocities along the line between
    the two centres; `velocity`, B N 2, changes. In `hits`, B N N, these pairs are marked.

    Pairs collide one after another, as published: a later pair has the velocities that earlier ones left.
    Discs that already part turn back as well, so that in a crowd two may cling to each other for a while, as
    in the published data.
    """
    for i, j, clips, line in meetings(position, radius, pairs):
        impulse = closing_speed(velocity, i, j, clips, line)[:, None] * line * (2 / (mass[i] + mass[j]))
        velocity[clips, i] += impulse * mass[j]
        velocity[clips, j] -= impulse * mass[i]
        if hits is not None:
            hits[clips, i, j] = True
            hits[clips, j, i] = True


def closing_speed(velocity: Array, i: int, j: int, clips: Array, line: Array) -> Array:
    """How fast discs i and j approach each other in these clips; below 0 they move apart."""
    closing = velocity[clips, j] - velocity[clips, i]
    return closing[:, 0] * line[:, 0] + closing[:, 1] * line[:, 1]


def bounce(position: Array, velocity: Array, radius: Array, side: float) -> None:
    """Turn discs that would leave the square back into it: `velocity` changes."""
    reach = radius[..., None]
    speed = np.abs(velocity)
    np.copyto(velocity, speed, where=position - reach < 0)
    np.copyto(velocity, -speed, where=position + reach > side)
