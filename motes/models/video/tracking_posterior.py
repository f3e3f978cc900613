"""The posterior that tracks: clips as particles with identity, from a model of stills and no other parameter.

Anchors of a frame stand where the things of the frame before should have gone (`motes.models.video.anchors`), as in DDLP
(Daniel & Tamar 2024, https://arxiv.org/abs/2306.05957). The cost of a frame is that of a still picture.
"""

from dataclasses import replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from motes.errors import UserError
from motes.models.base import refuse_other_sizes
from motes.models.particles.dlp import DeepLatentParticles
from motes.models.particles.encoding import Encoding
from motes.models.particles.sized import SizedEncoder
from motes.models.particles.sized_decoder import SizedDecoder
from motes.models.particles.view import View
from motes.models.video.anchors import TrackedAnchors, tracked_anchors
from motes.nn.blocks.normalisation import settled
from motes.ops.gather import take
from motes.ops.rendering.depth import front_first
from motes.types.clips import ParticleClip
from motes.types.latents import Image, Particles

# pictures whose views are computed at once
AT_ONCE = 256


def networks_of(still: DeepLatentParticles) -> tuple[SizedEncoder, SizedDecoder]:
    """The networks of a model whose posterior can track; others are refused."""
    encoder = still.encoder
    decoder = still.decoder
    if not isinstance(encoder, SizedEncoder) or not isinstance(decoder, SizedDecoder):
        raise UserError(
            f"anchors that follow things need --model.architecture sized, not {still.config.architecture}"
        )
    return encoder, decoder


@torch.no_grad()
def clip_by_posterior(still: DeepLatentParticles, image: Image, frames: int) -> ParticleClip:
    """The things in clips of `frames` frames each; the slots of the model are those of the things."""
    refuse_other_sizes(still.config, image)
    if frames < 1 or len(image) % frames:
        raise UserError(f"{len(image)} pictures are no whole clips of {frames} frames")
    encoder, decoder = networks_of(still)
    view = encoder.view(image, decoder)
    tracked = tracked_anchors(encoder, decoder, view, frames).in_use()
    with settled(encoder):
        encoding = encoder.read(view, tracked.in_order, None, decoder)
    return clip_of_encoding(still, encoding, tracked, frames)


@torch.no_grad()
def motion_by_posterior(still: DeepLatentParticles, image: Image, frames: int) -> ParticleClip:
    """The same without looks and certainties: half of the cost, for those who learn motion."""
    encoder, decoder = networks_of(still)
    with settled(still):
        view = View.cat([encoder.view(part, decoder) for part in image.split(AT_ONCE)])
        tracked = tracked_anchors(encoder, decoder, view, frames)
    return clip_of_motion(
        tracked.place, torch.where(tracked.seen, 1, tracked.trust), tracked.number, tracked.seen, frames
    )


def clip_of_motion(
    place: Float[Tensor, "N K 2"],
    presence: Float[Tensor, "N K"],
    number: Int[Tensor, "N K"],
    seen: Bool[Tensor, "N K"],
    frames: int,
) -> ParticleClip:
    """Things of which only the motion is known."""
    nothing = place[..., :0]
    particles = Particles(
        place, torch.zeros_like(place), nothing, nothing, presence, nothing[:, 0], certainty=None
    )
    return ParticleClip(particles, number, number.where(seen, -1), None, frames)


def clip_of_encoding(
    still: DeepLatentParticles,
    encoding: Encoding,
    tracked: TrackedAnchors,
    frames: int,
    before: ParticleClip | None = None,
) -> ParticleClip:
    """What was read at the anchors, slot by slot; what was not seen is as it was last, where it should be.

    `before` is the frame before the first one, of a single clip that goes on.
    """
    particles = encoding.particles().reordered(tracked.order.argsort(1))
    particles = replace(particles, presence=particles.presence.where(tracked.seen, 0), certainty=None)
    certainty = _certainty(still, particles)
    seen = tracked.seen & ((certainty >= 0.5) | tracked.by_outline)
    held = _last_seen(particles, seen & ~tracked.by_outline, tracked.number, frames, before)
    changed = {
        **held,
        "position": torch.where(
            (tracked.seen & ~tracked.by_outline)[..., None], particles.position, tracked.place
        ),
        "presence": torch.where(tracked.seen, particles.presence, tracked.trust),
    }
    particles = replace(
        particles.with_tensors(changed), certainty=torch.where(tracked.seen, certainty, tracked.trust)
    )
    source = tracked.order.argsort(1)
    front = _front(particles)
    boxes = still.boxes(particles.reordered(front))
    box = take(boxes.box, front.argsort(1))
    return ParticleClip(particles, tracked.number, source.where(seen, -1), box, frames)


def _front(particles: Particles) -> Int[Tensor, "N K"]:
    assert particles.extent is not None
    return front_first(particles.extent.depth)


def _certainty(still: DeepLatentParticles, particles: Particles) -> Float[Tensor, "N K"]:
    """How sure the model is of each; what stands behind others is drawn behind them."""
    front = _front(particles)
    judged = still.judged(particles.reordered(front))
    assert judged.certainty is not None
    return take(judged.certainty, front.argsort(1))


def _last_seen(
    particles: Particles,
    seen: Bool[Tensor, "N K"],
    number: Int[Tensor, "N K"],
    frames: int,
    before: ParticleClip | None,
) -> dict[str, Tensor]:
    """All parts of each particle but its certainty, from the last frame in which its thing was seen."""
    if before is not None:
        joined = Particles.cat([replace(before.particles, certainty=None), particles])
        seen = torch.cat([before.track >= 0, seen])
        number = torch.cat([before.track, number])
        held = _last_seen(joined, seen, number, frames + 1, None)
        return {name: value[1:] for name, value in held.items()}
    clips = len(seen) // frames
    row = torch.arange(len(seen), device=seen.device).view(clips, frames, 1)
    last = torch.where(seen.view(clips, frames, -1), row, -1).cummax(1).values
    same = last.clamp_min(0).flatten(0, 1)
    column = torch.arange(seen.shape[1], device=seen.device)
    # what is in the slot now may be another thing
    usable = (last.flatten(0, 1) >= 0) & (number[same, column] == number) & (number >= 0)
    source = torch.where(usable, same, row.expand_as(last).flatten(0, 1))
    return {name: value[source, column] for name, value in particles.per_particle().items()}
