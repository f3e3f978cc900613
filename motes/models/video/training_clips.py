"""The tracks of all training clips, and windows of them in which something happens."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor

from motes.errors import UserError
from motes.models.base import Model, TrainingPictures
from motes.models.tracking import chunk_of, clip_of
from motes.ops.densities.noise import uniform_like
from motes.ops.rendering.footprints import VisibleBoxes
from motes.ops.tracks.stream import Chunk
from motes.types.clips import ParticleClip

# clips that are followed together
AT_ONCE = 128
# of the usual chance: what a window without any event has
QUIET = 0.01


@dataclass(frozen=True)
class TrainingClips:
    """C clips of T frames, as tracks."""

    clips: ParticleClip
    # how much the velocities of things change at each frame, summed over the things
    change: Float[Tensor, "C T"]
    # the action after each frame, where actions are known
    actions: Float[Tensor, "N A"] | None = None

    @classmethod
    def of(cls, model: Model, pictures: TrainingPictures) -> "TrainingClips":
        """All training pictures, encoded and followed; the same weights and data give the same tracks."""
        actions: list[Tensor] = []
        with torch.no_grad():
            parts = [_lean(clip_of(model, chunk)) for chunk in _chunks(model, pictures, actions)]
        training = cls.of_parts(parts, torch.cat(actions) if actions else None)
        if not len(training.steps):
            raise UserError(
                "the model of stills finds nothing in these clips that it could follow; "
                "look at what it draws with motes reconstruct, and train it for longer"
            )
        return training

    @classmethod
    def of_parts(
        cls, parts: Sequence[ParticleClip], actions: Float[Tensor, "N A"] | None = None
    ) -> "TrainingClips":
        """Clips that were followed in parts."""
        slots = max(part.particles.count for part in parts)
        return cls.of_tracks(ParticleClip.cat([part.with_slots(slots) for part in parts]), actions)

    @classmethod
    def of_tracks(cls, clips: ParticleClip, actions: Float[Tensor, "N A"] | None = None) -> "TrainingClips":
        return cls(clips, _changes(clips), actions)

    @property
    def steps(self) -> Float[Tensor, "n 2"]:
        """The steps of all things that were seen in two neighbouring frames."""
        track = self.clips.by_clip(self.clips.track.where(self.clips.seen, -1))
        is_same = (track[:, 1:] == track[:, :-1]) & (track[:, 1:] >= 0)
        return self.clips.by_clip(self.clips.particles.position).diff(dim=1)[is_same]

    @property
    def looks(self) -> Float[Tensor, "m F"]:
        """The looks of all things that were seen."""
        return self.clips.particles.features[self.clips.seen]

    def windows(self, first: Int[Tensor, "B"], history: int, steps: int, events: float) -> ParticleClip:
        """Windows of `history` given frames and `steps` frames to predict, from about these rows on, see `rows`."""
        return self.at(self.rows(first, history, steps, events))

    def at(self, rows: Int[Tensor, "B t"]) -> ParticleClip:
        return _compact(replace(self.clips[rows.flatten()], frames=rows.shape[1]))

    def rows(self, first: Int[Tensor, "B"], history: int, steps: int, events: float) -> Int[Tensor, "B t"]:
        """The rows of windows of `history` given frames and `steps` frames to predict, from these rows on.

        A share `events` of them are moved within their clips, to where things change their velocity in the frames
        to predict: the chance of a start is in proportion to the change.
        """
        frames = history + steps
        moved = uniform_like(first.float()) < events
        chance = uniform_like(first.float())
        clip = first // self.clips.frames
        start = _eventful_start(self.change[clip, history:], chance, steps)
        first = torch.where(moved, clip * self.clips.frames + start, first)
        return rearrange(first, "b -> b 1") + torch.arange(frames, device=first.device)


def mirrored(windows: ParticleClip, is_square: bool) -> ParticleClip:
    """Each of the windows upside down, left to right, both or neither; in square pictures also with rows for columns."""
    chances = uniform_like(windows.particles.position.new_zeros(windows.clips, 3)) < 0.5
    sign = torch.where(chances[:, :2], -1.0, 1.0).repeat_interleave(windows.frames, 0)[:, None]
    swapped = (chances[:, 2] & is_square).repeat_interleave(windows.frames, 0)[:, None, None]
    position = windows.particles.position * sign
    changed = {"position": torch.where(swapped, position.flip(-1), position)}
    if windows.particles.extent is not None:
        scale = windows.particles.extent.scale
        changed["extent.scale"] = torch.where(swapped, scale.flip(-1), scale)
    return replace(windows, particles=windows.particles.with_tensors(changed))


def _eventful_start(change: Float[Tensor, "B t"], chance: Float[Tensor, "B"], steps: int) -> Int[Tensor, "B"]:
    """Where in its clip each window starts, given the changes from its first frame to predict on."""
    of_start = change.unfold(1, steps, 1).sum(2)
    weight = of_start + QUIET * of_start.mean(1, keepdim=True) + torch.finfo(change.dtype).tiny
    heap = weight.cumsum(1)
    return torch.searchsorted(heap, chance[:, None] * heap[:, -1:]).clamp_max(heap.shape[1] - 1)[:, 0]


def _chunks(model: Model, pictures: TrainingPictures, actions: list[Tensor]) -> Iterator[Chunk]:
    """Particles of many clips at a time: to follow them together costs little more than one alone.

    The actions of their frames are added to `actions`.
    """
    waiting: list[Chunk] = []
    for batch in pictures:
        actions += [] if batch.actions is None else [batch.actions]
        size = (batch.image.shape[-2], batch.image.shape[-1])
        waiting.append(chunk_of(model, model.encode_clips(batch.image, batch.frames), batch.frames, size))
        if sum(len(chunk.particles) for chunk in waiting) >= AT_ONCE * batch.frames:
            yield _together(waiting)
            waiting = []
    if waiting:
        yield _together(waiting)


def _together(chunks: list[Chunk]) -> Chunk:
    boxes = [chunk.boxes for chunk in chunks if chunk.boxes is not None]
    particles = type(chunks[0].particles).cat([chunk.particles for chunk in chunks])
    return replace(chunks[0], particles=particles, boxes=VisibleBoxes.cat(boxes) if boxes else None)


def _lean(clip: ParticleClip) -> ParticleClip:
    """The clips without what their motion does not depend on."""
    particles = replace(clip.particles, background=clip.particles.background[:, :0], bypass=None)
    return replace(clip, particles=particles, box=None)


def _compact(clip: ParticleClip) -> ParticleClip:
    """The same clips without slots that nothing is in, in another order of slots: fewer pairs of slots to read."""
    used = (clip.by_clip(clip.track) >= 0).any(1)
    order = (~used).to(torch.uint8).argsort(dim=1, stable=True)[:, : max(int(used.sum(1).max()), 1)]
    of_frames = order.repeat_interleave(clip.frames, 0)
    return replace(
        clip,
        particles=clip.particles.reordered(of_frames),
        track=clip.track.gather(1, of_frames),
        source=clip.source.gather(1, of_frames),
        whole=None if clip.whole is None else clip.whole.gather(1, of_frames),
    )


def _changes(clip: ParticleClip) -> Float[Tensor, "B T"]:
    """How much the velocities of things change at each frame, summed over the things."""
    change = clip.by_clip(clip.particles.position).diff(n=2, dim=1).norm(dim=-1)
    track = clip.by_clip(clip.track.where(clip.seen, -1))
    is_same = (track[:, 2:] == track[:, 1:-1]) & (track[:, 1:-1] == track[:, :-2]) & (track[:, 2:] >= 0)
    change = (change * is_same).sum(2)
    return torch.cat([change.new_zeros(len(change), 2), change], 1)
