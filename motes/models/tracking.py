"""Clips as tracks, for every model of particles: identity comes from the model where it has it, else from
matching."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from motes.errors import UserError
from motes.models.abilities import Carries, Follows
from motes.models.base import Model
from motes.models.boxes import particle_boxes, window_side
from motes.models.carrying import carrier_of, read_in_order
from motes.models.particles.dlp import DeepLatentParticles
from motes.models.things import particles_of
from motes.models.video.posterior_stream import film_by_posterior
from motes.models.video.tracking_posterior import clip_by_posterior
from motes.ops.rendering.footprints import VisibleBoxes
from motes.ops.tracks.stream import Chunk, track, tracked
from motes.types.clips import ParticleClip
from motes.types.latents import Image


def follower_of(model: Model) -> DeepLatentParticles | None:
    """The model of stills whose posterior follows things; None of a model whose particles are matched."""
    return model.follower if isinstance(model, Follows) else None


def tracks_of(model: Model, image: Image, frames: int) -> ParticleClip:
    """The clips of these pictures with identity; the `frames` frames of each clip follow each other."""
    if frames < 1 or len(image) % frames:
        raise UserError(f"{len(image)} pictures are no whole clips of {frames} frames")
    follower = follower_of(model)
    if follower is not None:
        return clip_by_posterior(follower, image, frames)
    latent = model.encode_clips(image, frames)
    return followed(model, latent, frames, (image.shape[-2], image.shape[-1]))


def film_tracks(
    model: Model, pieces: Iterable[Float[Tensor, "_ C H W"]], encode: Callable[[Image, int], Any]
) -> Iterator[ParticleClip]:
    """Yields the frames of one film as clips with identity, in whatever pieces it comes; `encode` gives latents."""
    follower = follower_of(model)
    if follower is not None:
        return film_by_posterior(follower, pieces)
    size = (model.config.image_size[0], model.config.image_size[1])
    carrier = carrier_of(model)
    if carrier is not None:
        latents = _carried_on(carrier, pieces, encode)
        return (followed(model, latent, len(latent), size) for latent in latents)
    return tracked(chunk_of(model, encode(image, len(image)), len(image), size) for image in pieces)


def _carried_on(
    model: Carries, pieces: Iterable[Float[Tensor, "_ C H W"]], encode: Callable[[Image, int], Any]
) -> Iterator[Any]:
    """The latents of the pieces of one film, each frame read from the one before."""
    before = None
    for image in pieces:
        with torch.no_grad():
            latent = read_in_order(model, image, len(image), lambda first: encode(first, 1), before)
        before = latent[-1:]
        yield latent


def followed(model: Model, latent: Any, frames: int, size: tuple[int, int]) -> ParticleClip:
    """The things of whole clips that the model has encoded, with identity; `size` is that of the pictures."""
    return clip_of(model, chunk_of(model, latent, frames, size))


def clip_of(model: Model, chunk: Chunk) -> ParticleClip:
    """The particles of whole clips with identity."""
    if carrier_of(model) is not None:
        return ParticleClip.of_slots(chunk.particles, chunk.frames, chunk.box)
    return track(chunk)


def chunk_of(
    model: Model, latent: Any, frames: int, size: tuple[int, int], boxes: VisibleBoxes | None = None
) -> Chunk:
    """What a tracker needs to know of these frames; a latent without particles or slots is refused.

    `size` is that of the pictures; `boxes` are those of the particles, if they were computed before.
    """
    particles = particles_of(model, latent)
    if boxes is None:
        boxes = particle_boxes(model, latent, size)
    return Chunk(particles, size, frames, boxes, window_side(model))
