"""DDLP: particles of clips, learnt end to end: a posterior that tracks, and a prior that expects where things go."""

from dataclasses import replace

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor

from motes.errors import UserError
from motes.models.base import Stage, TrainingPictures
from motes.models.motion.agent import check_actions
from motes.models.motion.causal import CausalMotion
from motes.models.motion.future import clip_to_continue, in_drawing_order, predicted
from motes.models.particles.dlp import DeepLatentParticles
from motes.models.particles.presence import UNDECIDED
from motes.models.video.anchors import tracked_anchors
from motes.models.video.clip_losses import (
    States,
    next_places,
    states_of,
    surprise,
    with_looks_of_other_frames,
)
from motes.models.video.ddlp_config import DdlpConfig
from motes.models.video.remembered import (
    losses_of_windows,
    moments,
    remembered,
    rolled_out_from_last,
)
from motes.models.video.tracking_posterior import (
    clip_of_motion,
    motion_by_posterior,
    networks_of,
)
from motes.models.video.training_clips import TrainingClips, mirrored
from motes.nn.blocks.interaction import HEADS, INTERACTIONS
from motes.types.batch import Batch, Losses
from motes.types.clips import ParticleClip
from motes.types.latents import Image, Particles

# terms of the loss of single pictures that clips replace from the fifth frame on, by what is expected
OF_STILLS = ("chamfer_kl", "feature_kl", "scale_kl", "depth_kl")
# frames in which the length of usual steps is measured, and frames whose tracks the last stages learn from
MEASURED = 500
REMEMBERED = 10_000
# share of the steps of the last stages without roll-outs, and how much larger steps of the prior alone are
SHARE = 0.7
FASTER = 6.0
# first frames of a window of which nothing is expected
BURN_IN = 4
# mirror images of each window
IMAGES = 4


class DynamicLatentParticles(DeepLatentParticles):
    """DDLP: sum_t rec(x_t, x'_t) + KL(q(z_t | x_t, z_t-1) || p(z_t | z_<t)), with constant priors in the first frames.

    q reads each thing where it should have gone, p is a causal transformer over things and time (Daniel & Tamar 2024,
    https://arxiv.org/abs/2306.05957). A thing is drawn by its look in another frame, so that looks are constant.
    docs/video.md lists what is done otherwise.
    """

    Config = DdlpConfig
    config: DdlpConfig  # pyright: ignore[reportIncompatibleVariableOverride]

    def __init__(self, config: DdlpConfig):
        _check(config)
        super().__init__(config.still)
        self.config = config
        self.window = config.frames
        self.dynamics = CausalMotion(config)
        self._clips: TrainingClips | None = None
        networks_of(self)

    @property
    def follower(self) -> DeepLatentParticles:
        """Itself: it learns from things that it follows."""
        return self

    def stages(self) -> tuple[Stage, ...]:
        *_, clips, rollouts = self.config.phases
        motion = tuple(self.dynamics.parameters())
        of_motion = {id(parameter) for parameter in motion}
        *first, main = (
            replace(stage, parameters=tuple(p for p in stage.parameters if id(p) not in of_motion))
            for stage in super().stages()
        )
        everything = tuple(self.parameters())

        def faster(rate: float) -> torch.optim.Optimizer:
            return torch.optim.Adam(motion, FASTER * rate)

        stages = (
            *first,
            replace(main, name="stills", share=main.share - clips - rollouts, loss=super().loss),
            Stage("clips", clips, self._clip_loss, everything, begin=self._begin_clips),
            Stage("motion", SHARE * rollouts, self._next_loss, motion, None, None, faster, self._prepare),
            Stage(
                "roll-outs",
                (1 - SHARE) * rollouts,
                self._rollout_loss,
                motion,
                None,
                None,
                faster,
                self._prepare,
            ),
        )
        # rounding may leave a little of none
        return tuple(stage for stage in stages if stage.share > 1e-9)

    def loss(self, batch: Batch) -> Losses:
        """The loss of clips; of single pictures, that of stills."""
        return super().loss(batch) if batch.frames < 2 else self._clip_loss(batch)

    def decode(self, latent: Particles | ParticleClip) -> Image:
        """The pictures; of clips, whose slots have no order, with the nearest thing in front."""
        return super().decode(in_drawing_order(latent) if isinstance(latent, ParticleClip) else latent)

    def predict(
        self,
        seen: Particles | ParticleClip,
        frames: int,
        steps: int,
        actions: Float[Tensor, "B steps A"] | None = None,
        samples: int = 0,
        seed: int = 0,
    ) -> ParticleClip:
        """The `steps` frames that follow each clip; slots are those of the given clips."""
        clip = clip_to_continue(self, seen, frames, steps)
        check_actions(actions, (clip.clips, steps, 0))
        if samples:
            raise UserError(
                "this model learnt one future and has no others to draw; dlp-graph with --model.motion gaussian has"
            )
        return predicted(self.dynamics, clip, steps, self.config.image_size)

    def _begin_clips(self, pictures: TrainingPictures) -> None:
        """Bring steps to a like size, whatever the film."""
        steps = remembered(self, pictures, MEASURED).steps
        if self.dynamics.moves(steps):
            self.dynamics.fit(steps, steps[:, :0])

    def _prepare(self, pictures: TrainingPictures) -> None:
        """Follow the things in the training clips: from here on, what is read in pictures stays as it is."""
        if self._clips is None:
            self._clips = remembered(self, pictures, REMEMBERED)

    def _next_loss(self, batch: Batch) -> Losses:
        """The error of the next places, in windows of all clips; no picture is drawn."""
        windows = self._moments(batch)
        return losses_of_windows({"next_place": next_places(windows, self.dynamics)}, batch)

    def _rollout_loss(self, batch: Batch) -> Losses:
        """The same, and the error of roll-outs."""
        windows = self._moments(batch)
        terms = {
            "next_place": next_places(windows, self.dynamics),
            "roll_out": rolled_out_from_last(windows, self.dynamics),
        }
        return losses_of_windows(terms, batch)

    def _moments(self, batch: Batch) -> ParticleClip:
        if self._clips is None:
            return motion_by_posterior(self, batch.image, batch.frames)
        windows = moments(self._clips, self.dynamics.frames, batch.image)
        height, width = self.config.image_size
        return mirrored(windows, height == width) if self.config.mirrors else windows

    def _clip_loss(self, batch: Batch) -> Losses:
        encoder, decoder = networks_of(self)
        view = encoder.view(batch.image, decoder)
        tracked = tracked_anchors(encoder, decoder, view.detach(), batch.frames)
        order = tracked.order
        encoding = encoder.read(view, tracked.in_order, encoder.proposals(view), decoder)
        encoding = encoding.reordered(order.argsort(1))
        # what has no anchor of its own is not there
        encoding = replace(encoding, presence=encoding.presence * (tracked.full | (tracked.number >= 0)))
        states = States.of(encoding, tracked.number, tracked.seen, batch.frames)
        drawn = with_looks_of_other_frames(encoding, states)
        sample = self._sample(drawn, batch.image)
        error = self._error(self.decoder.render(sample.drawn, sample.background), batch.image)
        price = self.presence.price(encoding.presence, encoding.prices())
        # the background's look is of single pictures in all frames
        terms = dict(self._losses(encoding, error, price, UNDECIDED, sample.background_error).terms)
        return self._with_motion(terms, states, batch)

    def _with_motion(self, terms: dict[str, Float[Tensor, "N"]], states: States, batch: Batch) -> Losses:
        """The loss of a clip from the terms of its pictures and what is expected of each frame."""
        number = torch.arange(batch.frames, device=batch.image.device).repeat(len(batch) // batch.frames)
        is_first = (number < min(BURN_IN, batch.frames - 1)).to(batch.image.dtype)
        position, features = self.config.kl_weights
        weights = {
            "chamfer_kl": position,
            "feature_kl": features,
            "presence_price": self.config.presence_weight,
            "presence_kl": position,
            "scale_kl": position,
            "depth_kl": features,
        }
        total = torch.zeros_like(is_first)
        for name, value in terms.items():
            value = weights.get(name, 1.0) * value
            total = total + (value * is_first if name in OF_STILLS else value)
        of_clip, terms_of_clip = self._motion(states)
        terms |= {name: value.repeat_interleave(batch.frames) for name, value in terms_of_clip.items()}
        return Losses(total.mean() + of_clip.mean(), terms)

    def _motion(self, states: States) -> tuple[Float[Tensor, "B"], dict[str, Float[Tensor, "B"]]]:
        """The loss of what is expected, a frame, and its terms."""
        frames = states.number.shape[1]
        clip = _clip_of(states)
        terms: dict[str, Tensor] = {}
        total = states.presence.new_zeros(len(states.number))
        position, presence, number = states_of(clip)
        expected = self.dynamics.expected(position[:, :-1], presence[:, :-1], number[:, :-1])
        first = min(BURN_IN, frames - 1) - 1
        for name, value in surprise(states, expected).items():
            terms[name] = value[:, first:].sum(1) / frames
            total = total + self.config.kl_weights[0] * terms[name]
        terms["next_place"] = self._of_images(next_places(self._images(clip), self.dynamics))
        return total + terms["next_place"], terms

    def _images(self, clip: ParticleClip) -> ParticleClip:
        """The clips, and if asked some of their mirror images."""
        if not self.config.mirrors or not self.training:
            return clip
        height, width = self.config.image_size
        copies = ParticleClip.cat([clip] * IMAGES)
        return mirrored(copies, height == width)

    def _of_images(self, error: Float[Tensor, "n"]) -> Float[Tensor, "B"]:
        copies = IMAGES if self.config.mirrors and self.training else 1
        return rearrange(error, "(i b) -> i b", i=copies).mean(0)

    def validate(self, batch: Batch) -> Losses:
        """The loss of windows from all over the clips."""
        if batch.frames < self.window:
            return self.loss(batch)
        frame = torch.arange(batch.frames // self.window * self.window, device=batch.image.device)
        rows = batch.clips(torch.arange(len(batch), device=batch.image.device))[:, frame].flatten()
        return self.loss(replace(batch[rows], frames=self.window))


def _clip_of(states: States) -> ParticleClip:
    """The motion of the most likely things, from which nothing is learnt about the pictures."""

    def rows(values: Tensor) -> Tensor:
        return rearrange(values.detach(), "b t ... -> (b t) ...")

    frames = states.number.shape[1]
    return clip_of_motion(
        rows(states.position.mean), rows(states.presence), rows(states.number), rows(states.seen), frames
    )


def _check(config: DdlpConfig) -> None:
    if config.interaction not in INTERACTIONS:
        raise UserError(
            f"interaction {config.interaction!r} is unknown; choose one of {', '.join(INTERACTIONS)}"
        )
    if config.frames < 3:
        raise UserError(f"frames must be at least 3, which make a change of velocity, not {config.frames}")
    if min(config.phases) < 0 or sum(config.phases) > 1:
        raise UserError(f"phases {config.phases} must be shares that sum to at most 1")
    if config.width < HEADS or config.width % HEADS:
        raise UserError(f"width must be a multiple of {HEADS}, not {config.width}")
