"""Tracks of particles, chunk by chunk: a long film needs no more memory than a short one."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from motes.ops.gather import take
from motes.ops.points.pixels import positions_of_pixels
from motes.ops.rendering.footprints import VisibleBoxes
from motes.ops.tracks.memory import TrackMemory
from motes.ops.tracks.pairing import TrackingRules
from motes.ops.tracks.sightings import Sightings
from motes.ops.tracks.tracker import DELAY, Links, after_frame
from motes.types.clips import ParticleClip, with_more_slots
from motes.types.latents import Particles
from motes.types.rows import Rows


@dataclass(frozen=True)
class Chunk:
    """Some neighbouring frames of B clips: the particles that a model found in them, N = B x T rows."""

    particles: Particles
    # rows and columns of the pictures
    canvas: tuple[int, int]
    # T
    frames: int
    # around what is visible, where the model knows it
    boxes: VisibleBoxes | None = None
    # side of a particle's window, where the model has one
    window: int | None = None

    @property
    def box(self) -> Float[Tensor, "N K 4"] | None:
        return None if self.boxes is None else self.boxes.box


@dataclass(frozen=True)
class _Frame(Rows):
    """One frame of each clip that waits to be handed out."""

    particles: Particles
    links: Links
    canvas: tuple[int, int]


@runtime_checkable
class Advancing(Protocol):
    """Tracks that grow with the pieces of a film, and hand out the frames that are certain; then the rest."""

    def advanced(self, piece: Any, /) -> "tuple[Advancing, ParticleClip | None]": ...

    def rest(self) -> ParticleClip | None: ...


@dataclass(frozen=True)
class Stream:
    """Tracks that grow: `advanced` takes the next frames of B clips and hands out those that are certain.

    Frames are the same in whatever chunks they come. The last ones wait until it is known which of their new
    tracks are things; `rest` hands them out.
    """

    rules: TrackingRules = field(default_factory=TrackingRules)
    memory: TrackMemory | None = None
    waiting: tuple[_Frame, ...] = ()
    held: "_Held | None" = None

    def advanced(self, chunk: Chunk) -> "tuple[Stream, ParticleClip | None]":
        memory = self.memory
        waiting = list(self.waiting)
        for particles, sightings in _frames(chunk):
            memory, links = after_frame(memory or TrackMemory.of_nothing(sightings), sightings, self.rules)
            waiting.append(_Frame(particles, links, chunk.canvas))
        ready = max(len(waiting) - DELAY, 0)
        if not ready:
            return replace(self, memory=memory, waiting=tuple(waiting)), None
        clip, held = _handed_out(ready, waiting, self.held)
        return Stream(self.rules, memory, tuple(waiting[ready:]), held), clip

    def rest(self) -> ParticleClip | None:
        waiting = list(self.waiting)
        return _handed_out(len(waiting), waiting, self.held)[0] if waiting else None


def tracked(chunks: Iterable[Chunk]) -> Iterator[ParticleClip]:
    """Yields the frames of the chunks as clips with identity.

    All chunks hold the next frames of the same B clips. A clip that is yielded may be shorter or longer than
    the chunk; together the clips have all frames.
    """
    return clips_through(Stream(), chunks)


def clips_through(stream: Advancing, pieces: Iterable[Any]) -> Iterator[ParticleClip]:
    """Yields what a stream hands out of the pieces, and then the rest."""
    for piece in pieces:
        stream, clip = stream.advanced(piece)
        if clip is not None:
            yield clip
    remaining = stream.rest()
    if remaining is not None:
        yield remaining


def track(*chunks: Chunk) -> ParticleClip:
    """The clips of the chunks with identity; slots that nothing was ever in are left out."""
    clip, *more = tracked(chunks)
    return clip.joined(*more).without_empty_slots()


def _frames(chunk: Chunk) -> Iterator[tuple[Particles, Sightings]]:
    sightings = Sightings.of(chunk.particles, chunk.canvas, chunk.boxes, chunk.window)
    for frame in range(chunk.frames):
        rows = slice(frame, None, chunk.frames)
        yield chunk.particles[rows], sightings[rows]


@dataclass(frozen=True)
class _Held(Rows):
    """What each slot held last, as it was handed out."""

    particles: dict[str, Tensor]
    # the tracker's number of the track, which counts momentary errors too, and the number that it was given
    owner: Int[Tensor, "B M"]
    number: Int[Tensor, "B M"]
    # how many numbers were given in each clip
    given: Int[Tensor, "B"]


def _handed_out(ready: int, waiting: list[_Frame], held: _Held | None) -> tuple[ParticleClip, _Held]:
    """The clips of the first frames, which are ready; those behind them say which tracks are things."""
    slots = waiting[-1].links.number.shape[1]
    held = _with_room(held or _nothing(waiting[0]), slots)
    parts = []
    for position, frame in enumerate(waiting[:ready]):
        links = frame.links.mapped(lambda value: _padded(value, slots))
        owner = _owners(links, waiting[position : position + DELAY + 1])
        is_thing = _things(links, waiting[position : position + DELAY + 1])
        held = _numbered(held, links.number, is_thing)
        held = _seen(held, frame.particles, links.source.where(is_thing, -1))
        parts.append(_clip(frame, links, is_thing, held, owner))
    clip, *later = parts
    return clip.joined(*later), held


def _nothing(frame: _Frame) -> _Held:
    particles = {name: value[:, :0] for name, value in frame.particles.per_particle().items()}
    none = frame.links.number[:, :0]
    return _Held(particles, none, none, none.new_zeros(len(none)))


def _with_room(held: _Held, slots: int) -> _Held:
    particles = {name: _padded(value, slots) for name, value in held.particles.items()}
    return _Held(particles, _padded(held.owner, slots), _padded(held.number, slots), held.given)


def _padded(value: Tensor, slots: int) -> Tensor:
    """The values with more slots, in which there is nothing: numbers are -1 there."""
    fill = 0 if value.is_floating_point() or value.dtype == torch.bool else -1
    return with_more_slots(value, max(slots - value.shape[1], 0), fill)


def _things(links: Links, following: list[_Frame]) -> Bool[Tensor, "B M"]:
    """Which slots hold a track that is confirmed in this frame or in those that wait behind it."""
    is_thing = torch.zeros_like(links.confirmed)
    for frame in following:
        later = frame.links.mapped(lambda value: _padded(value, links.number.shape[1]))
        is_thing |= (later.number == links.number) & later.confirmed
    return is_thing & (links.number >= 0)


def _owners(links: Links, following: list[_Frame]) -> Int[Tensor, "B M"]:
    """The slot of the track that each is a piece of, or its own, as is known in the last frame that waits."""
    itself = torch.arange(links.number.shape[1], device=links.number.device).expand_as(links.number)
    later = following[-1].links.mapped(lambda value: _padded(value, links.number.shape[1]))
    is_known = (later.number == links.number) & (later.owner >= 0)
    owner = torch.where(is_known, later.owner, itself)
    stays = (links.number == later.number) & (links.number >= 0)
    return torch.where(stays & stays.gather(1, owner), owner, itself)


def _around_pieces(
    box: Float[Tensor, "B M 4"], owner: Int[Tensor, "B M"], seen: Bool[Tensor, "B M"]
) -> Float[Tensor, "B M 4"]:
    """The box of each track, around all its pieces that are seen."""
    index = owner[..., None].expand(-1, -1, 2)
    first, last = box.split(2, 2)
    first = first.scatter_reduce(1, index, torch.where(seen[..., None], first, torch.inf), "amin")
    last = last.scatter_reduce(1, index, torch.where(seen[..., None], last, -torch.inf), "amax")
    return torch.cat([first, last], 2)


def _numbered(held: _Held, owner: Int[Tensor, "B M"], is_thing: Bool[Tensor, "B M"]) -> _Held:
    """Numbers for the tracks that are handed out for the first time, in the order of their slots."""
    new = is_thing & (held.owner != owner)
    number = held.given[:, None] + new.cumsum(1) - 1
    return _Held(
        held.particles,
        torch.where(new, owner, held.owner),
        torch.where(new, number, held.number),
        held.given + new.sum(1),
    )


def _seen(held: _Held, particles: Particles, source: Int[Tensor, "B M"]) -> _Held:
    """What the slots hold after a frame: those that saw nothing hold what they held."""
    if not particles.count:
        return held
    values_found = particles.per_particle()
    values = {
        name: torch.where(_beside(source >= 0, value), take(values_found[name], source.clamp_min(0)), value)
        for name, value in held.particles.items()
    }
    return replace(held, particles=values)


def _clip(
    frame: _Frame, links: Links, is_thing: Bool[Tensor, "B M"], held: _Held, owner: Int[Tensor, "B M"]
) -> ParticleClip:
    """One frame of each clip, with what its slots hold; what was not seen is where it should be."""
    source = links.source.where(is_thing, -1)
    guess = positions_of_pixels(links.centre, frame.canvas)
    position = held.particles["position"]
    changed = {
        "position": torch.where((source >= 0)[..., None], position, guess),
        "presence": held.particles["presence"] * torch.where(is_thing, links.presence, 0),
    }
    particles = frame.particles.with_tensors(held.particles | changed)
    number = held.number.where(is_thing, -1)
    of_owner = number.gather(1, owner)
    whole = torch.where(of_owner >= 0, of_owner, number).where(is_thing, -1)
    box = _around_pieces(links.box, owner, source >= 0)
    return ParticleClip(particles, number, source, box, 1, whole)


def _beside(mask: Bool[Tensor, "B M"], value: Float[Tensor, "B M ..."]) -> Bool[Tensor, "B M ..."]:
    return mask.reshape(*mask.shape, *(1 for _ in value.shape[2:]))
