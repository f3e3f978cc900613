"""Scores of tracks against the truth: CLEAR MOT, IDF1, HOTA, and survival through occlusions.

All functions take B clips of T frames at once, with N true things and K tracks in a clip. A pair of a thing and
a track is `allowed` in a frame where are_there are there and near enough.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from motes.ops.points.assignment import assign, taken

# the thresholds of similarity over which HOTA is a mean: 0.05, 0.1 ... 0.95
THRESHOLDS = 19


@dataclass(frozen=True)
class ClearMotPairs:
    """Which track each thing is paired with, frame by frame, by the rules of CLEAR MOT."""

    # -1: the thing is missed
    track: Int[Tensor, "B T N"]
    # the thing was paired with another track when it was last paired
    switched: Bool[Tensor, "B T N"]


def clear_mot(distance: Float[Tensor, "B T N K"], allowed: Bool[Tensor, "B T N K"]) -> ClearMotPairs:
    """The pairs of Bernardin & Stiefelhagen 2008 (https://doi.org/10.1155/2008/246309).

    A thing keeps its last track where this is allowed. The others get the most pairs at the least distance.
    """
    batch, frames, things, _ = distance.shape
    last = torch.full((batch, things), -1, device=distance.device)
    tracks = []
    switched = []
    for frame in range(frames):
        pair = _continued(last, allowed[:, frame])
        free = allowed[:, frame] & (pair < 0)[..., None] & ~taken(pair, allowed.shape[3])[:, None]
        if free.any():
            pair = torch.where(pair < 0, assign(distance[:, frame], free), pair)
        tracks.append(pair)
        switched.append((pair >= 0) & (last >= 0) & (pair != last))
        last = torch.where(pair < 0, last, pair)
    if not frames:
        nothing = last.new_zeros(batch, 0, things)
        return ClearMotPairs(nothing, nothing.bool())
    return ClearMotPairs(torch.stack(tracks, 1), torch.stack(switched, 1))


def _continued(last: Int[Tensor, "B N"], allowed: Bool[Tensor, "B N K"]) -> Int[Tensor, "B N"]:
    """The last track of each thing, where it is allowed; if two things had the same, the first keeps it."""
    if not allowed.shape[2]:
        return torch.full_like(last, -1)
    holds = (last >= 0) & allowed.gather(2, last.clamp_min(0)[..., None])[..., 0]
    same = (last[:, :, None] == last[:, None]) & holds[:, None] & holds[:, :, None]
    is_first = ~same.tril(-1).any(2)
    return torch.where(holds & is_first, last, -1)


def identity_pairs(allowed: Bool[Tensor, "B T N K"]) -> Int[Tensor, "B"]:
    """IDTP of Ristani et al. 2016 (https://arxiv.org/abs/1609.01775).

    Each thing is paired with one track for the whole clip, so that the most pairs of all frames are allowed.
    """
    together = allowed.sum(1)
    track = assign(-together.double(), torch.ones_like(together, dtype=torch.bool))
    if not together.shape[2]:
        return together.sum((1, 2))
    right = together.gather(2, track.clamp_min(0)[..., None])[..., 0]
    return torch.where(track < 0, 0, right).sum(1)


@dataclass(frozen=True)
class Hota:
    """The counts of HOTA for each of its A thresholds."""

    # pairs in each frame that are at least so similar
    right: Int[Tensor, "B T A"]
    # the sum over all right pairs of a clip of their association, |TPA| / |TPA + FNA + FPA|
    associated: Float[Tensor, "B A"]


def hota(
    similarity: Float[Tensor, "B T N K"], present: Bool[Tensor, "B T N"], there: Bool[Tensor, "B T K"]
) -> Hota:
    """Luiten et al. 2020 (https://arxiv.org/abs/2009.07736); `similarity` is in [0, 1].

    `present` marks the frames in which a thing is to be found, `there` those in which a track says it is.
    """
    are_there = present[..., :, None] & there[..., None, :]
    similarity = torch.where(are_there, similarity, 0).double()
    frames_present = present.sum(1)[..., None]
    frames_there = there.sum(1)[:, None]
    match = _best_pairs(similarity, are_there, frames_present, frames_there)
    limits = torch.arange(1, THRESHOLDS + 1, device=similarity.device).double() / (THRESHOLDS + 1)
    # pairs of each threshold: b t n k a
    right = match[..., None] & (similarity[..., None] >= limits - torch.finfo(torch.double).eps)
    together = right.sum(1).double()
    union = (frames_present + frames_there)[..., None] - together
    associated = (together * together / union.clamp_min(1)).sum((1, 2))
    return Hota(right.sum((2, 3)), associated)


def _best_pairs(
    similarity: Float[Tensor, "B T N K"],
    are_there: Bool[Tensor, "B T N K"],
    things: Int[Tensor, "B N 1"],
    tracks: Int[Tensor, "B 1 K"],
) -> Bool[Tensor, "B T N K"]:
    """The pairs of each frame that agree best, in the frame and over the whole clip."""
    rivals = similarity.sum(2, keepdim=True) + similarity.sum(3, keepdim=True) - similarity
    potential = (similarity / rivals.clamp_min(torch.finfo(torch.double).eps)).sum(1)
    alignment = potential / (things + tracks - potential).clamp_min(torch.finfo(torch.double).eps)
    score = alignment[:, None] * similarity
    track = assign(-score.flatten(0, 1), are_there.flatten(0, 1))
    paired = track[..., None] == torch.arange(similarity.shape[3], device=track.device)
    return paired.unflatten(0, similarity.shape[:2])


@dataclass(frozen=True)
class Survival:
    """The things that come back from behind something, and whether their tracks came back with them."""

    # the first frame in which a thing is visible again
    returned: Bool[Tensor, "B T N"]
    # and its track is the one that it had before
    survived: Bool[Tensor, "B T N"]


def survival(track: Int[Tensor, "B T N"], hidden: Bool[Tensor, "B T N"]) -> Survival:
    """Compares the last track before each occlusion with the first one after it, and before the next.

    `track` is that of `clear_mot`, `hidden` says that nothing can be seen of a thing that is in the picture.
    """
    shown = (~hidden).cumsum(1) > 0
    before = torch.zeros_like(hidden)
    before[:, 1:] = hidden[:, :-1] & shown[:, :-1]
    returned = before & ~hidden
    track = track.masked_fill(hidden, -1)
    earlier = _carried(track)
    previous = torch.full_like(track, -1)
    previous[:, 1:] = earlier[:, :-1]
    later = _until_hidden(track, hidden)
    return Survival(returned, returned & (previous >= 0) & (later == previous))


def _carried(track: Int[Tensor, "B T N"]) -> Int[Tensor, "B T N"]:
    """The last track of each thing up to each frame; -1 before the first."""
    frame = torch.arange(track.shape[1], device=track.device)[:, None]
    last = torch.where(track >= 0, frame, -1).cummax(1).values if track.shape[1] else track
    return torch.where(last < 0, -1, track.gather(1, last.clamp_min(0)))


def _until_hidden(track: Int[Tensor, "B T N"], hidden: Bool[Tensor, "B T N"]) -> Int[Tensor, "B T N"]:
    """The next track of each thing from each frame on, until it is hidden again; -1 if there is none."""
    following = torch.full_like(track, -1)
    coming = torch.full_like(track[:, :1], -1)
    for frame in reversed(range(track.shape[1])):
        current = track[:, frame : frame + 1]
        coming = torch.where(current >= 0, current, coming).masked_fill(hidden[:, frame : frame + 1], -1)
        following[:, frame : frame + 1] = coming
    return following
