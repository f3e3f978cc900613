"""`History`: the last frames of clips, thing by thing, as what comes next is predicted from them."""

from dataclasses import dataclass, replace

import torch
from einops import rearrange
from jaxtyping import Bool, Float
from torch import Tensor

from motes.types.clips import ParticleClip
from motes.types.rows import Rows


@dataclass(frozen=True)
class History(Rows):
    """What is known of the things in K slots over h frames, the oldest first.

    Looks and scales stay as they are while places move on.
    """

    # (row, column) in [-1, 1]; of frames before the thing was there, its first place
    position: Float[Tensor, "B K h 2"]
    # whether the thing was there in that frame
    tracked: Bool[Tensor, "B K h"]
    # of the newest frame; 0: the slot is empty, and stays so
    presence: Float[Tensor, "B K"]
    look: Float[Tensor, "B K F"]
    # along rows and columns, in windows; ones where all things are of one size
    scale: Float[Tensor, "B K 2"]

    @classmethod
    def of(cls, clip: ParticleClip, frames: int) -> "History":
        """The last `frames` of the clips; frames that a shorter clip lacks are not tracked."""
        clip = clip.window(max(clip.frames - frames, 0), frames)
        particles = clip.particles
        position = rearrange(clip.by_clip(particles.position), "b t k c -> b k t c")
        track = rearrange(clip.by_clip(clip.track), "b t k -> b k t")
        visible = rearrange(clip.by_clip(clip.seen), "b t k -> b k t")
        tracked = (track == track[..., -1:]) & (track[..., -1:] >= 0)
        missing = frames - position.shape[2]
        position = torch.cat([position[:, :, :1].expand(-1, -1, missing, -1), position], 2)
        extent = particles.extent
        scale = torch.ones_like(particles.position) if extent is None else extent.scale
        return cls(
            position=_first_known(position, _padded(tracked, missing)),
            tracked=_padded(tracked, missing),
            presence=clip.by_clip(particles.presence)[:, -1].where(tracked[..., -1], 0),
            look=_typical(clip.by_clip(particles.features), visible & tracked),
            scale=_typical(clip.by_clip(scale), visible & tracked),
        )

    @property
    def newest(self) -> Float[Tensor, "B K 2"]:
        return self.position[:, :, -1]

    @property
    def alive(self) -> Bool[Tensor, "B K"]:
        return self.presence > 0

    @property
    def step(self) -> Float[Tensor, "B K 2"]:
        """How far each thing went in the last frame; nothing where that is not tracked."""
        gone = self.position[:, :, -1] - self.position[:, :, -2]
        return gone * self.tracked[:, :, -2:].all(-1)[..., None]

    def followed_by(self, position: Float[Tensor, "B K 2"], presence: Float[Tensor, "B K"]) -> "History":
        """The history one frame later. Empty slots stay where they are."""
        position = torch.where(self.alive[..., None], position, self.newest)
        return replace(
            self,
            position=torch.cat([self.position[:, :, 1:], position[:, :, None]], 2),
            tracked=torch.cat([self.tracked[:, :, 1:], self.alive[:, :, None]], 2),
            presence=presence.where(self.alive, 0),
        )

    def in_order(self) -> "tuple[History, Tensor]":
        """The same things ordered by their places, and the slot that each had.

        Sums over things then have one order, whichever slots the things are in.
        """
        row, column = self.newest.unbind(-1)
        order = column.argsort(dim=1, stable=True)
        order = order.gather(1, row.gather(1, order).argsort(dim=1, stable=True))
        index = torch.arange(len(order), device=order.device)[:, None]
        return self.mapped(lambda value: value[index, order]), order


def _padded(tracked: Bool[Tensor, "B K t"], missing: int) -> Bool[Tensor, "B K h"]:
    return torch.cat([tracked.new_zeros(*tracked.shape[:2], missing), tracked], 2)


def _first_known(
    position: Float[Tensor, "B K h 2"], tracked: Bool[Tensor, "B K h"]
) -> Float[Tensor, "B K h 2"]:
    """Places with that of the first known frame in all frames before it."""
    frames = position.shape[2]
    number = torch.arange(frames, device=position.device)
    first = torch.where(tracked, number, frames - 1).amin(-1, keepdim=True)
    # a thing that was away for a moment keeps the guess of that moment
    row = torch.maximum(number, first)[..., None].expand_as(position)
    return position.gather(2, row)


def _typical(values: Float[Tensor, "B t K F"], seen: Bool[Tensor, "B K t"]) -> Float[Tensor, "B K F"]:
    """The mean over the frames in which a thing was seen.

    Where its newest frame is a guess, that of the guess: what was predicted goes on as it was.
    """
    weight = rearrange(seen, "b k t -> b t k 1").to(values.dtype)
    mean = (values * weight).sum(1) / weight.sum(1).clamp_min(1)
    return torch.where(seen[..., -1:], mean, values[:, -1])
