"""Motion that needs no learning: each thing goes on, as far as its motion so far can be trusted."""

from dataclasses import dataclass

import torch
from einops import rearrange
from jaxtyping import Bool, Float
from torch import Tensor

from motes.models.motion.future import continued
from motes.models.motion.history import History
from motes.ops.points.pixels import pixels_of_positions
from motes.types.clips import ParticleClip

# frames whose motion counts
FRAMES = 10
# of a pixel: how far off a place is at least taken to be
UNSURE = 0.15
# pixels: a box that begins or ends so near the picture's edge is cut off there
EDGE = 1.0
# of its velocity, what a thing keeps from frame to frame
KEPT = 0.9


@dataclass(frozen=True)
class PersistentMotion:
    """Every thing goes on with the velocity of its newest frames; looks stay as they are.

    The velocity v is fitted to the newer half of the frames. It is multiplied by 1 - var(v) / |v|^2, which is nothing
    for a thing that only trembles (James & Stein 1961), and by the share of the older half's velocity that is still
    in it. In each frame it loses a tenth.
    """

    # rows and columns of the pictures
    size: tuple[int, int]

    def predict(
        self,
        seen: ParticleClip,
        frames: int,
        steps: int,
        actions: Float[Tensor, "B steps A"] | None = None,
        samples: int = 0,
        seed: int = 0,
    ) -> ParticleClip:
        """The `steps` frames that follow each clip. They say where a thing goes, and not how sure that is, so to go
        on from them predicts other frames."""
        # other futures are the same
        seen = seen.repeated(max(samples, 1))
        given = seen.window(max(seen.frames - FRAMES, 0), FRAMES)
        history = History.of(given, given.frames)
        step = self._velocity(given, history.tracked)
        future = []
        for _ in range(steps):
            history = history.followed_by(history.newest + step, history.presence)
            step = KEPT * step
            future.append(history)
        return continued(seen, future, self.size)

    def _velocity(self, given: ParticleClip, tracked: Bool[Tensor, "B K t"]) -> Float[Tensor, "B K 2"]:
        """In halves of the picture per frame."""
        half = given.particles.position.new_tensor(self.size) / 2
        pixels = rearrange(given.by_clip(self._points(given)), "b t k c -> b k t c")
        known = tracked & rearrange(given.by_clip(given.seen), "b t k -> b k t")
        middle = pixels.shape[2] // 2
        older = _Line.through(pixels[:, :, : middle + 1], known[:, :, : middle + 1])
        newer = _Line.through(pixels[:, :, middle:], known[:, :, middle:])
        trust = newer.trust() * newer.persistence(older)
        return newer.slope * trust[..., None] / half

    def _points(self, given: ParticleClip) -> Float[Tensor, "N K 2"]:
        """What is followed of each thing, in pixels: its middle; of a thing that the picture's edge cuts off, whose visible
        middle moves half as fast, the side that is inside."""
        points = pixels_of_positions(given.particles.position, self.size)
        if given.box is None:
            return points
        newest = given.by_clip(given.box)[:, -1].repeat_interleave(given.frames, 0)
        first, last = given.box.chunk(2, -1)
        size = points.new_tensor(self.size)
        is_cut_before = newest[..., :2] < EDGE
        is_cut_behind = newest[..., 2:] > size - EDGE
        points = torch.where(is_cut_before & ~is_cut_behind, last, points)
        return torch.where(is_cut_behind & ~is_cut_before, first, points)


@dataclass(frozen=True)
class _Line:
    """The straight motion that is nearest to some places, in pixels."""

    slope: Float[Tensor, "B K 2"]
    # of the slope, both axes together
    variance: Float[Tensor, "B K"]
    known: Bool[Tensor, "B K"]

    @classmethod
    def through(cls, places: Float[Tensor, "B K t 2"], tracked: Bool[Tensor, "B K t"]) -> "_Line":
        weight = tracked.to(places.dtype)[..., None]
        count = weight.sum(2)
        time = rearrange(torch.arange(places.shape[2], device=places.device), "t -> t 1")
        time = weight * (time - (weight * time).sum(2, keepdim=True) / count.clamp_min(1)[:, :, None])
        centred = weight * (places - (weight * places).sum(2, keepdim=True) / count.clamp_min(1)[:, :, None])
        spread = time.square().sum(2)
        slope = (time * centred).sum(2) / spread.clamp_min(1e-9)
        residual = (centred - time * slope[:, :, None]).square().sum((2, 3))
        noise = residual / (count[..., 0] - 2).clamp_min(1) + 2 * UNSURE**2
        known = count[..., 0] >= 2
        return cls(slope, noise / spread[..., 0].clamp_min(1e-9), known)

    def trust(self) -> Float[Tensor, "B K"]:
        """From 0, as likely nothing moves, to 1."""
        squared = self.slope.square().sum(-1)
        return (1 - self.variance / squared.clamp_min(1e-9)).clamp_min(0) * self.known

    def persistence(self, older: "_Line") -> Float[Tensor, "B K"]:
        """The share of an older velocity that is still in this one, 0 to 1; 1 where no older one is known."""
        agreement = (self.slope * older.slope).sum(-1) / older.slope.square().sum(-1).clamp_min(1e-9)
        return agreement.clamp(0, 1).where(older.known, 1.0)
