"""Particles that move: those of a model of stills, followed over time, and a graph network that predicts them."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from motes.errors import UserError
from motes.models.base import Model, Stage, TrainingPictures, refuse_other_sizes
from motes.models.checkpoint import load
from motes.models.motion.action_losses import WORTH, action_losses, worth_of_nat
from motes.models.motion.agent import check_actions, check_width
from motes.models.motion.dynamics import GAUSSIAN, LATENT, Dynamics
from motes.models.motion.future import clip_to_continue, in_drawing_order, noise_of_samples, predicted
from motes.models.motion.latent_actions import LASTS
from motes.models.motion.rollouts import rollout_losses
from motes.models.particles.dlp import DeepLatentParticles
from motes.models.particles.dlp_config import DlpConfig
from motes.models.video.dlp_graph_config import DlpGraphConfig, refuse_what_cannot_be
from motes.models.video.remembered import remembered
from motes.models.video.training_clips import TrainingClips, mirrored
from motes.ops.rendering.footprints import VisibleBoxes
from motes.ops.rendering.painting import Painting
from motes.plain.records import from_plain
from motes.types.batch import Batch, Losses
from motes.types.clips import ParticleClip
from motes.types.latents import Image, Particles

# of the steps that predict single frames, roll-outs, and roll-outs from anywhere
SHARES = (0.7, 0.2, 0.1)
# of all steps, those of latent actions, which follow
ACTION_SHARE = 0.4


class DlpGraph(Model):
    """What happens next, as the motion of particles: the frozen model of stills finds and follows them.

    p_t+1 = 2 p_t - p_t-1 + g(p_t, p_t-1, ...), with a graph network g over all particles of a frame; looks stay as they
    are. The loss is |p' - p| over roll-outs of several frames (the particle dynamics of Daniel & Tamar 2022,
    https://arxiv.org/abs/2205.15821, whose network was not published).
    """

    Config = DlpGraphConfig
    reads_pictures = False

    def __init__(self, config: DlpGraphConfig):
        super().__init__()
        refuse_what_cannot_be(config)
        still = _newborn_still(config) if config.still else _still_of(config)
        # as in JSON, so that a loaded config is equal
        options = json.loads(json.dumps(asdict(still.config)))
        self.config = replace(config, still=options)
        if still.config.image_size != config.image_size or still.config.channels != config.channels:
            raise UserError(
                f"the data have pictures of {_shape(config)}, and {config.start_from or 'the model of stills'} reads "
                f"{_shape(still.config)}: set --data.image-size, or start from a model of such pictures"
            )
        self.still = still.requires_grad_(False).eval()
        self.window = config.history + (max(config.steps, LASTS) if config.motion == LATENT else config.steps)
        self.needs = ("actions",) if config.actions else ()
        self.dynamics = Dynamics(config, still.config.feature_dim)
        self._clips: TrainingClips | None = None
        self._worth = WORTH

    @property
    def varies(self) -> bool:
        """Whether it can draw different futures."""
        return self.config.motion in (GAUSSIAN, LATENT)

    @property
    def follower(self) -> DeepLatentParticles | None:
        """The model of stills, where its posterior follows things."""
        return self.still.follower

    def train(self, mode: bool = True) -> "DlpGraph":
        """The model of stills does not learn, and stays as it is."""
        super().train(mode)
        self.still.eval()
        return self

    def stages(self) -> tuple[Stage, ...]:
        latent = self.dynamics.latent
        choosing = () if latent is None else tuple(latent.parameters())
        share_of_motion = 1 - ACTION_SHARE if choosing else 1.0
        learning = tuple(
            value for name, value in self.dynamics.named_parameters() if not name.startswith("latent.")
        )
        losses = {
            "next frame": partial(self._loss, self._of_motion, 1, self.config.events),
            "roll-outs": partial(self._loss, self._of_motion, self.config.steps, self.config.events),
            "even roll-outs": partial(self._loss, self._of_motion, self.config.steps, 0.0),
        }
        first, *later = (
            Stage(name, share_of_motion * share, loss, learning, prepare=self._prepare)
            for (name, loss), share in zip(losses.items(), SHARES, strict=True)
        )
        if choosing:
            loss = partial(self._loss, self._of_choices, LASTS, self.config.events)
            actions = Stage("latent actions", ACTION_SHARE, loss, choosing, prepare=self._prepare)
            later.append(replace(actions, progressed=self._progressed))
        return (replace(first, begin=self._begin), *later)

    def loss(self, batch: Batch) -> Losses:
        return self._loss(self._of_all, self.window - self.config.history, 0.0, batch)

    def validate(self, batch: Batch) -> Losses:
        """The loss of roll-outs from all over the clips."""
        clip = self.track(batch.image, batch.frames)
        starts = range(0, max(clip.frames - self.window, 0) + 1, self.window - self.config.history)
        measured = [
            self._of_all(clip.window(start, self.window), clip.frames, self._told(batch, start))
            for start in starts
        ]
        names = measured[0].terms
        terms = {name: torch.stack([losses.terms[name] for losses in measured]).mean(0) for name in names}
        return Losses(torch.stack([losses.total for losses in measured]).mean(), terms)

    def encode(self, image: Image) -> Particles:
        refuse_other_sizes(self.config, image)
        return self.still.encode(image)

    def decode(self, latent: Particles | ParticleClip) -> Image:
        """The pictures; of clips, whose slots have no order, with the nearest thing in front."""
        return self.still.decode(in_drawing_order(latent) if isinstance(latent, ParticleClip) else latent)

    def predict(
        self,
        seen: Particles | ParticleClip,
        frames: int,
        steps: int,
        actions: Float[Tensor, "B steps A"] | None = None,
        samples: int = 0,
        seed: int = 0,
    ) -> ParticleClip:
        """The `steps` frames that follow each clip, or `samples` futures of each; slots are those of the given clips.

        Particles without identity are followed first.
        """
        clip = clip_to_continue(self, seen, frames, steps)
        if samples and not self.varies:
            raise UserError(
                "this model learnt one future and has no others to draw; train one with --model.motion gaussian "
                "or latent"
            )
        check_actions(actions, (clip.clips, steps, self.config.actions))
        noise = noise_of_samples(clip, steps, samples, seed, self.dynamics.noise)
        futures = max(samples, 1)
        action = () if actions is None else actions.repeat_interleave(futures, 0).unbind(1)
        size = self.config.image_size
        return predicted(self.dynamics, clip.repeated(futures), steps, size, noise, action)

    def painting(self, latent: Particles, picture: int = 0) -> Painting:
        """The picture in layers, see `DeepLatentParticles`; so are the methods that follow."""
        return self.still.painting(latent, picture)

    def proposals(self, image: Image) -> Float[Tensor, "B M 2"]:
        return self.still.proposals(image)

    def glimpses(self, latent: Particles) -> Float[Tensor, "B K D S S"]:
        return self.still.glimpses(latent)

    def shares(self, latent: Particles) -> Float[Tensor, "B A H W"]:
        return self.still.shares(latent)

    def boxes(self, latent: Particles) -> VisibleBoxes:
        return self.still.boxes(latent)

    def middles(self, latent: Particles) -> Float[Tensor, "B K 2"]:
        return self.still.middles(latent)

    def _begin(self, pictures: TrainingPictures) -> None:
        """A new run has the weights of the run that it starts from."""
        if self.config.start_from:
            self.still.load_state_dict(_still_of(self.config).state_dict())

    def _prepare(self, pictures: TrainingPictures) -> None:
        """Follow the things in all training clips, once a run: the weights of the model of stills do not change."""
        if self._clips is None:
            needs_more = self.config.looks or self.config.actions or self.still.follower is None
            follow = TrainingClips.of if needs_more else remembered
            self._clips = follow(self.still, pictures)
            self.dynamics.fit(self._clips.steps, self._clips.looks)
            if self._clips.actions is not None and self.dynamics.agent is not None:
                check_width(self._clips.actions, self.config.actions)
                self.dynamics.agent.fit(self._clips.actions)

    def _progressed(self, share: float) -> None:
        self._worth = worth_of_nat(share)

    def _loss(self, measure: Callable[..., Losses], steps: int, events: float, batch: Batch) -> Losses:
        """What `measure` says of windows with so many frames to predict, drawn from all training clips."""
        if self._clips is None:
            clip = self.track(batch.image, batch.frames)
            return measure(clip, batch.frames, self._told(batch, 0))
        first = batch.clips(batch.index)[:, 0]
        rows = self._clips.rows(first, self.config.history, steps, events)
        windows = self._clips.at(rows)
        if self.config.mirrors:
            height, width = self.config.image_size
            windows = mirrored(windows, height == width)
        actions = self._clips.actions
        told = None if actions is None else actions[rows[:, self.config.history - 1 : -1]]
        return measure(windows, batch.frames, told)

    def _told(self, batch: Batch, start: int) -> Tensor | None:
        """The actions between the frames to predict, of windows that begin with this frame."""
        if batch.actions is None:
            return None
        last = start + self.config.history - 1
        return batch.clips(batch.actions)[:, last : start + self.window - 1]

    def _of_all(self, windows: ParticleClip, frames: int, actions: Tensor | None) -> Losses:
        motion = self._of_motion(windows, frames, actions)
        if self.dynamics.latent is None:
            return motion
        choices = self._of_choices(windows, frames, actions)
        return Losses(motion.total + choices.total, {**motion.terms, **choices.terms})

    def _of_motion(self, windows: ParticleClip, frames: int, actions: Tensor | None) -> Losses:
        """The losses of what is expected; terms have an entry for each of the `frames` frames of a clip."""
        history = self.config.history
        windows = windows.window(0, history + self.config.steps)
        return _losses(*rollout_losses(self.dynamics, windows, history, actions), frames)

    def _of_choices(self, windows: ParticleClip, frames: int, actions: Tensor | None) -> Losses:
        """The losses of latent actions; as above."""
        return _losses(*action_losses(self.dynamics, windows, self.config.history, self._worth), frames)


def _losses(total: Float[Tensor, "B"], terms: dict[str, Float[Tensor, "B"]], frames: int) -> Losses:
    return Losses(total.mean(), {name: value.repeat_interleave(frames) for name, value in terms.items()})


def _still_of(config: DlpGraphConfig) -> DeepLatentParticles:
    """The model of stills in the run that is named, with its weights."""
    if not config.start_from:
        raise UserError(
            "dlp-graph predicts the particles of a trained model of stills; name the run of one, "
            "such as --model.start-from runs/still (motes train dlp-quick --data balls --out runs/still makes one)"
        )
    still = load(config.start_from)
    if not isinstance(still, DeepLatentParticles):
        raise UserError(
            f"{config.start_from} holds another model than dlp; dlp-graph starts from a run of dlp"
        )
    return still


def _newborn_still(config: DlpGraphConfig) -> DeepLatentParticles:
    """The model of stills with these options; its weights come from a checkpoint, or when training begins."""
    if not isinstance(config.still, Mapping):
        raise UserError("the options of the model of stills are read from the run of --model.start-from")
    return DeepLatentParticles(from_plain(DlpConfig, config.still, "the model of stills"))


def _shape(config: DlpGraphConfig | DlpConfig) -> str:
    height, width = config.image_size
    return f"{height} x {width} pixels and {config.channels} channels"
