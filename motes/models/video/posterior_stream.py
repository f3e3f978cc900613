"""A film that is followed by the posterior piece by piece, however long it is."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from motes.models.particles.dlp import DeepLatentParticles
from motes.models.particles.view import View
from motes.models.video.anchors import TrackedAnchors, after_frames, confirmed
from motes.models.video.known_things import KnownThings
from motes.models.video.tracking_posterior import clip_of_encoding, networks_of
from motes.nn.blocks.normalisation import settled
from motes.ops.tracks.stream import clips_through
from motes.ops.tracks.tracker import DELAY
from motes.types.clips import ParticleClip
from motes.types.latents import Image


@dataclass(frozen=True)
class PosteriorStream:
    """The tracks of a film that goes on. Frames are the same in whatever pieces they come.

    The last ones wait until it is known which of their new things are seen again.
    """

    still: DeepLatentParticles
    things: KnownThings | None = None
    waiting: tuple[View, TrackedAnchors] | None = None
    # the last frame that was handed out
    last: ParticleClip | None = None

    @torch.no_grad()
    def advanced(self, image: Image) -> "tuple[PosteriorStream, ParticleClip | None]":
        """The stream after the next frames, and those of its frames that are certain now."""
        encoder, decoder = networks_of(self.still)
        with settled(self.still):
            view = encoder.view(image, decoder)
            things, anchors = after_frames(self.things, view, len(image), encoder, decoder)
        if self.waiting is not None:
            view = View.cat([self.waiting[0], view])
            anchors = TrackedAnchors.cat([self.waiting[1], anchors])
        ready = max(len(view) - DELAY, 0)
        clip = self._clip(view, anchors, ready)
        last = self.last if clip is None else clip.window(ready - 1, 1)
        return PosteriorStream(self.still, things, (view[ready:], anchors[ready:]), last), clip

    @torch.no_grad()
    def rest(self) -> ParticleClip | None:
        return None if self.waiting is None else self._clip(*self.waiting, len(self.waiting[0]))

    def _clip(self, view: View, anchors: TrackedAnchors, ready: int) -> ParticleClip | None:
        """The first frames, which are ready."""
        if not ready:
            return None
        encoder, decoder = networks_of(self.still)
        tracked = confirmed(anchors, len(anchors))[:ready]
        with settled(self.still):
            encoding = encoder.read(view[:ready], tracked.in_order, None, decoder)
            return clip_of_encoding(self.still, encoding, tracked, ready, self.last)


def film_by_posterior(
    still: DeepLatentParticles, pieces: Iterable[Float[Tensor, "_ C H W"]]
) -> Iterator[ParticleClip]:
    """Yields the frames of one film as clips with identity; a clip may be shorter or longer than a piece."""
    return clips_through(PosteriorStream(still), pieces)
