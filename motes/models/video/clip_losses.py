"""What clips teach beside their pictures: that looks are constant, and that things move as they are expected to."""

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Bool, Float, Int
from torch import Tensor

from motes.models.motion.causal import CausalMotion, Expected
from motes.models.motion.rollouts import BEND
from motes.models.particles.encoding import DiagonalNormal, Encoding
from motes.ops.densities.divergence import kl_to_normal
from motes.ops.densities.noise import uniform_like
from motes.types.clips import ParticleClip

# share of the KL divergence whose gradient goes to what is expected; the rest goes to what is read
BALANCE = 0.8
# standard deviations: of a look about that of its clip, of a log-scale and of a depth about those of the frame before
LOOK_STD = 0.05
SCALE_STD = 0.05
DEPTH_STD = 0.2
LEAST = 1e-4  # a presence and what is left of 1


@dataclass(frozen=True)
class States:
    """The things of B clips of T frames, slot by slot."""

    position: DiagonalNormal  # B T K 2
    log_scale: DiagonalNormal  # B T K 2
    depth: DiagonalNormal  # B T K
    features: DiagonalNormal  # B T K F
    presence: Float[Tensor, "B T K"]
    # the number of the thing in each slot; -1: none
    number: Int[Tensor, "B T K"]
    seen: Bool[Tensor, "B T K"]

    @classmethod
    def of(
        cls, encoding: Encoding, number: Int[Tensor, "N K"], seen: Bool[Tensor, "N K"], frames: int
    ) -> "States":
        assert encoding.extent is not None

        def by_clip(values: Tensor) -> Tensor:
            return rearrange(values, "(b t) ... -> b t ...", t=frames)

        def normal(values: DiagonalNormal) -> DiagonalNormal:
            return DiagonalNormal(by_clip(values.mean), by_clip(values.log_variance))

        return cls(
            normal(encoding.position),
            normal(encoding.extent.log_scale),
            normal(encoding.extent.depth),
            normal(encoding.features),
            by_clip(encoding.presence),
            by_clip(number),
            by_clip(seen),
        )

    @property
    def lasting(self) -> Bool[Tensor, "B t K"]:
        """Of all frames but the first: whether a thing is seen in it and was seen in the frame before."""
        is_same = self.number[:, 1:] == self.number[:, :-1]
        return is_same & self.seen[:, 1:] & self.seen[:, :-1]


def with_looks_of_other_frames(encoding: Encoding, states: States) -> Encoding:
    """The encoding in which each thing has the look that was read in a frame of its clip drawn at random."""
    source = _other_frames(states.number, states.seen)
    return replace(
        encoding,
        features=DiagonalNormal(
            *(
                rearrange(values.gather(1, source[..., None].expand_as(values)), "b t k f -> (b t) k f")
                for values in (states.features.mean, states.features.log_variance)
            )
        ),
    )


def _other_frames(number: Int[Tensor, "B T K"], seen: Bool[Tensor, "B T K"]) -> Int[Tensor, "B T K"]:
    """For each thing a frame in which it is seen; its own frame if there is none."""
    frames = number.shape[1]
    chance = uniform_like(seen[:, :, None].expand(-1, -1, frames, -1).to(torch.float32))
    same = (number[:, :, None] == number[:, None]) & (number >= 0)[:, :, None] & seen[:, None]
    itself = torch.arange(frames, device=number.device)[:, None]
    return torch.where(same.any(2), chance.where(same, -1).argmax(2), itself)


def surprise(states: States, expected: Expected) -> dict[str, Float[Tensor, "B t"]]:
    """KL(q_t || p_t) of all frames but the first, summed over the things that were there before.

    `expected` is of all frames but the last. The prior p_t expects places and presence from the frames before, sizes and depths as they were, and looks as they
    are on average over the clip.
    """
    position = _balanced(_later(states.position), DiagonalNormal(expected.position, expected.log_variance))
    scale = _balanced(_later(states.log_scale), _about(_before(states.log_scale).mean, SCALE_STD))
    depth = _balanced(_later(states.depth), _about(_before(states.depth).mean, DEPTH_STD))
    look = _balanced(_later(states.features), _about(_mean_looks(states)[:, 1:], LOOK_STD))
    presence = _bernoulli(states.presence[:, 1:], expected.presence)
    counted = states.lasting
    was_there = states.seen[:, :-1] & (states.number[:, 1:] == states.number[:, :-1])
    return {
        "place_kl": (position.sum(-1) * counted).sum(2),
        "size_kl": ((scale.sum(-1) + depth) * counted).sum(2),
        "look_kl": (look.sum(-1) * counted).sum(2),
        "presence_kl_to_expected": (presence * was_there).sum(2),
    }


def next_places(clip: ParticleClip, motion: CausalMotion) -> Float[Tensor, "B"]:
    """The mean length of the error of each next place, in units of about half a usual step, where things are seen."""
    position, presence, number = states_of(clip)
    expected = motion.expected(position[:, :-1], presence[:, :-1], number[:, :-1])
    error = (motion.pace * motion.aspect * (expected.position - position[:, 1:])).square().sum(-1)
    seen = clip.by_clip(clip.seen)
    # a thing that was just found has no velocity yet
    counted = (number[:, 1:] == number[:, :-1]) & seen[:, 1:] & seen[:, :-1]
    counted = counted & torch.cat([torch.zeros_like(counted[:, :1]), counted[:, :-1]], 1)
    return ((error + BEND).sqrt() * counted).sum((1, 2)) / counted.sum((1, 2)).clamp_min(1)


def states_of(
    clip: ParticleClip,
) -> tuple[Float[Tensor, "B T K 2"], Float[Tensor, "B T K"], Int[Tensor, "B T K"]]:
    """Places, presences and numbers by clip and frame."""
    particles = clip.particles
    return clip.by_clip(particles.position), clip.by_clip(particles.presence), clip.by_clip(clip.track)


def _mean_looks(states: States) -> Float[Tensor, "B T K F"]:
    """The mean look of the thing in each slot over the frames in which it is seen."""
    number = rearrange(states.number, "b t k -> b k t")
    same = (number[..., None] == number[..., None, :]) & rearrange(states.seen, "b t k -> b k 1 t")
    weight = same / same.sum(-1, keepdim=True).clamp_min(1)
    return torch.einsum("bkts,bskf->btkf", weight.to(states.presence.dtype), states.features.mean)


def _later(values: DiagonalNormal) -> DiagonalNormal:
    return DiagonalNormal(values.mean[:, 1:], values.log_variance[:, 1:])


def _before(values: DiagonalNormal) -> DiagonalNormal:
    return DiagonalNormal(values.mean[:, :-1], values.log_variance[:, :-1])


def _about(mean: Tensor, deviation: float) -> DiagonalNormal:
    return DiagonalNormal(mean, torch.full_like(mean, deviation).log() * 2)


def _balanced(read: DiagonalNormal, expected: DiagonalNormal) -> Tensor:
    """The KL divergence, of which both sides learn, each with its share."""

    def kl(left: DiagonalNormal, right: DiagonalNormal) -> Tensor:
        return kl_to_normal(left.mean, left.log_variance, right.mean, right.log_variance)

    to_expected = kl(_fixed(read), expected)
    return BALANCE * to_expected + (1 - BALANCE) * kl(read, _fixed(expected))


def _fixed(values: DiagonalNormal) -> DiagonalNormal:
    return DiagonalNormal(values.mean.detach(), values.log_variance.detach())


def _bernoulli(read: Float[Tensor, "B t K"], logit: Float[Tensor, "B t K"]) -> Float[Tensor, "B t K"]:
    read = read.clamp(LEAST, 1 - LEAST)
    entropy = -(read * read.log() + (1 - read) * (1 - read).log())

    def kl(of: Tensor, to: Tensor) -> Tensor:
        return F.binary_cross_entropy_with_logits(to, of, reduction="none")

    cross = BALANCE * kl(read.detach(), logit) + (1 - BALANCE) * kl(read, logit.detach())
    return cross - BALANCE * entropy.detach() - (1 - BALANCE) * entropy
