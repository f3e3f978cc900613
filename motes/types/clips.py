"""`ParticleClip`: particles over time, in which a slot is the same thing in all frames."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from einops import rearrange
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor

from motes.types.latents import Particles
from motes.types.rows import Rows


@dataclass(frozen=True)
class ParticleClip(Rows):
    """B clips of T frames as particles with identity; the T frames of a clip are neighbouring rows, N = B x T.

    Slot k of a frame and slot k of the next frame of the same clip are the same thing, as long as `track` says
    the same number. A slot may be used again after its track has ended; where nothing is in it, its presence
    is 0 and its track -1.

    >>> particles = Particles(position=torch.zeros(6, 2, 2), log_variance=torch.zeros(6, 2, 2),
    ...     features=torch.zeros(6, 2, 3), feature_log_variance=torch.zeros(6, 2, 3),
    ...     presence=torch.ones(6, 2), background=torch.zeros(6, 3))
    >>> clip = ParticleClip.of_slots(particles, frames=3)
    >>> len(clip), len(clip.at(0)), len(clip.window(1, 2)), clip.seen.all().item()
    (6, 2, 4, True)
    """

    particles: Particles
    # the number of the track in each slot, counted in each clip; -1: none
    track: Int[Tensor, "N K"]
    # the number of the model's particle that was seen; -1: none, and the place is a guess
    source: Int[Tensor, "N K"]
    # around what is visible, in pixels: first row, first column, the row after the last, the column after the
    # last
    box: Float[Tensor, "N K 4"] | None = None
    # T
    frames: int = 1
    # the number of the track that each is a piece of, or its own; None: all are things of their own
    whole: Int[Tensor, "N K"] | None = None

    def __getitem__(self, index: Any) -> "ParticleClip":
        """Some of the frames, as clips of one frame: they need not be whole clips any more."""
        alone = replace(self, frames=1)
        return super(ParticleClip, alone).__getitem__(index)

    @classmethod
    def of_slots(
        cls, particles: Particles, frames: int, box: Float[Tensor, "N K 4"] | None = None
    ) -> "ParticleClip":
        """The clips of a model whose particle k is the same thing in all frames of a clip."""
        numbers = torch.arange(particles.count, device=particles.position.device).expand(len(particles), -1)
        numbers = numbers.where(particles.believed, -1)
        return cls(particles, numbers, numbers, box, frames)

    @property
    def seen(self) -> Bool[Tensor, "N K"]:
        """Whether the thing was found in the frame; if not, its place is a guess, or nothing is in the slot."""
        return self.source >= 0

    @property
    def things(self) -> Int[Tensor, "N K"]:
        """The number of the thing that each is, or is a piece of; -1: none."""
        return self.track if self.whole is None else self.whole

    def of_things(self) -> "ParticleClip":
        """The same clips with one particle for each thing: those that are pieces of another are left out."""
        if self.whole is None:
            return self
        alone = self.whole == self.track
        particles = replace(self.particles, presence=self.particles.presence * alone)
        return ParticleClip(
            particles, self.track.where(alone, -1), self.source.where(alone, -1), self.box, self.frames
        )

    @property
    def clips(self) -> int:
        """B, the number of clips."""
        return len(self) // self.frames

    def by_clip(self, values: Shaped[Tensor, "N ..."]) -> Shaped[Tensor, "B T ..."]:
        """Values of all frames, arranged by clip and frame."""
        return rearrange(values, "(b t) ... -> b t ...", t=self.frames)

    def at(self, frame: int) -> Particles:
        """The particles of one frame of each clip, B rows."""
        return self.particles[slice(frame % self.frames, None, self.frames)]

    def window(self, first: int, count: int) -> "ParticleClip":
        """`count` frames of each clip, from the frame `first` on."""
        rows = torch.arange(len(self)).reshape(self.clips, self.frames)[:, first : first + count]
        return replace(self[rows.flatten()], frames=rows.shape[1])

    def repeated(self, times: int) -> "ParticleClip":
        """Each of the clips so many times, one after the other."""
        if times == 1:
            return self
        rows = torch.arange(len(self)).reshape(self.clips, self.frames).repeat_interleave(times, 0)
        return replace(self[rows.flatten()], frames=self.frames)

    def joined(self, *later: "ParticleClip") -> "ParticleClip":
        """The same clips with the frames of others behind; missing slots are filled with nothing."""
        parts = [self, *later]
        slots = max(part.particles.count for part in parts)
        filled = [part.with_slots(slots) for part in parts]
        if any(part.whole is not None for part in parts):
            filled = [replace(part, whole=part.things) for part in filled]
        frames = sum(part.frames for part in parts)
        order = [torch.arange(len(part)).reshape(part.clips, part.frames) for part in parts]
        starts = torch.tensor([0, *(len(part) for part in parts[:-1])]).cumsum(0).tolist()
        rows = torch.cat([rows + start for rows, start in zip(order, starts, strict=True)], 1)
        return replace(ParticleClip.cat(filled)[rows.flatten()], frames=frames)

    def edited(self, frame: int, particles: Particles) -> "ParticleClip":
        """The same clips with other particles in one frame of each."""
        rows = slice(frame % self.frames, None, self.frames)
        changed = {}
        for name, value in self.particles.tensors().items():
            changed[name] = value.clone()
            changed[name][rows] = particles.tensors()[name]
        return replace(self, particles=self.particles.with_tensors(changed))

    def with_slots(self, count: int) -> "ParticleClip":
        """The same clips with `count` slots, those that are added empty."""
        more = count - self.particles.count
        if more <= 0:
            return self
        particles = {
            name: with_more_slots(value, more, 0) for name, value in self.particles.per_particle().items()
        }
        return replace(
            self,
            particles=self.particles.with_tensors(particles),
            track=with_more_slots(self.track, more, -1),
            source=with_more_slots(self.source, more, -1),
            box=None if self.box is None else with_more_slots(self.box, more, 0),
            whole=None if self.whole is None else with_more_slots(self.whole, more, -1),
        )

    def without_empty_slots(self) -> "ParticleClip":
        """The same clips without the slots in which nothing ever is; an empty one stays if all are."""
        return self.only((self.track >= 0).any(0).nonzero()[:, 0]).with_slots(1)

    def only(self, slots: Sequence[int] | Int[Tensor, "n"]) -> "ParticleClip":
        """The same clips with some of the slots, in this order."""
        index = torch.as_tensor(slots, device=self.track.device)
        chosen = {name: value[:, index] for name, value in self.particles.per_particle().items()}
        return replace(
            self,
            particles=self.particles.with_tensors(chosen),
            track=self.track[:, index],
            source=self.source[:, index],
            box=None if self.box is None else self.box[:, index],
            whole=None if self.whole is None else self.whole[:, index],
        )


def with_more_slots(value: Shaped[Tensor, "N K ..."], more: int, fill: int) -> Shaped[Tensor, "N k ..."]:
    """The values of more slots, with `fill` in those that are added."""
    return torch.cat([value, value.new_full((len(value), more, *value.shape[2:]), fill)], 1)
