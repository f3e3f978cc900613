"""`Question`: a group of scores, with what it needs from the model and from the ground truth."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from motes.data.base import Branches, Simulates
from motes.evaluation.background import Background
from motes.evaluation.intervals import Statistic
from motes.models.abilities import Believes, Predicts, Redraws, Segments
from motes.models.base import Model
from motes.models.boxes import particle_boxes
from motes.models.middles import middle_pixels
from motes.models.tracking import chunk_of, clip_of, follower_of
from motes.ops.points.pixels import pixels_of_points, points_of_pixels
from motes.ops.rendering.footprints import VisibleBoxes, middles_of_masks, windows_of_masks
from motes.ops.scores.segmentation import shared_pixels
from motes.ops.scores.shares import owners_of
from motes.types.batch import Batch
from motes.types.clips import ParticleClip
from motes.types.latents import Image, Particles
from motes.types.slots import Slots
from motes.types.truth import Truth
from motes.weights.places import VGG_FILE, first_file, vgg_paths

# frames that a prediction is given
GIVEN = 10
MOST_NUMBERS = 2**26  # of shares at once

Measured = dict[str, Tensor]  # one row per picture: what is kept of a batch until all are encoded; small


@dataclass(frozen=True)
class EncodedBatch:
    """A batch of pictures in whole clips, with the model's latents and the ground truth."""

    model: Model
    batch: Batch
    latent: Any
    truth: Truth | None = None
    # of the training pictures, for rivals of the reconstruction
    background: Background | None = None
    # the data, where their laws of motion are known
    world: Simulates | None = None
    # the data, where things choose between ways that are known
    branches: Branches | None = None

    @property
    def size(self) -> tuple[int, int]:
        return self.batch.image.shape[-2], self.batch.image.shape[-1]

    @property
    def unit(self) -> Tensor:
        """A number for each picture; pictures with the same number are much alike.

        They show one identity, or else are the frames of one clip.
        """
        identity = None if self.truth is None else self.truth.scene.get("identity")
        return self.batch.index // self.batch.frames if identity is None else identity.flatten()

    @property
    def others(self) -> Int[Tensor, "B"]:
        """For each picture the number in the batch of another one, to see what chance would give.

        It is the same frame of the next clip; in a batch of a single clip, a frame half a clip away. A
        picture that is alone has only itself.
        """
        frames = self.batch.frames
        step = frames if len(self.batch) > frames else frames // 2
        return torch.arange(len(self.batch), device=self.batch.image.device).roll(-step)

    @cached_property
    def drawn(self) -> Image:
        return self.model.decode(self.latent)

    @cached_property
    def believed(self) -> Bool[Tensor, "B K"]:
        """Whether the model believes in each of its things (particles or slots)."""
        latent: Any = self.latent
        return latent.believed

    @cached_property
    def owners(self) -> Int[Tensor, "B H W"]:
        """Which thing of the model each pixel belongs to: k + 1 if thing k owns it, 0 if the background does."""
        assert isinstance(self.model, Segments)
        shares = self.model.shares
        return torch.cat([owners_of(shares(self.latent[part]), self.believed[part]) for part in self._parts])

    @cached_property
    def thing_boxes(self) -> VisibleBoxes | None:
        """The boxes of the model's things; None if it gives none."""
        parts = [particle_boxes(self.model, self.latent[part], self.size) for part in self._parts]
        boxes = [part for part in parts if part is not None]
        return VisibleBoxes.cat(boxes) if len(boxes) == len(parts) else None

    @cached_property
    def followed(self) -> ParticleClip:
        """The model's things with identity over time."""
        frames = self.batch.frames
        if follower_of(self.model) is not None:
            return self.model.track(self.batch.image, frames)
        return clip_of(self.model, chunk_of(self.model, self.latent, frames, self.size, self.thing_boxes))

    @property
    def _parts(self) -> list[slice]:
        """Pictures whose shares are few enough to be computed at once."""
        area = self.size[0] * self.size[1] * self.believed.shape[1]
        size = max(MOST_NUMBERS // max(area, 1), 1)
        return [slice(start, start + size) for start in range(0, len(self.batch), size)]

    @cached_property
    def overlaps(self) -> Float[Tensor, "B n k"]:
        """How many pixels each true thing and each thing of the model have in common; this needs true masks.

        See `motes.ops.scores.segmentation`.
        """
        assert self.truth is not None and self.truth.masks is not None
        return shared_pixels(self.truth.masks, self.owners, self.believed.shape[1])

    @cached_property
    def centres(self) -> Float[Tensor, "B N 2"] | None:
        """The centres of the true things.

        If only masks or boxes are known, the middles of these; else None.
        """
        truth = self.truth
        if truth is None or truth.centres is not None:
            return None if truth is None else truth.centres
        if truth.masks is not None:
            return points_of_pixels(middles_of_masks(truth.masks), self.size)
        if truth.boxes is None:
            return None
        return points_of_pixels((truth.boxes[..., :2] + truth.boxes[..., 2:]) / 2, self.size)

    @cached_property
    def places(self) -> Float[Tensor, "B K 2"]:
        """The middles of what the particles draw, in pixels."""
        return middle_pixels(self.model, self.latent, self.size)

    @cached_property
    def offsets(self) -> Float[Tensor, "B N K 2"]:
        """From the centre of each true thing to each particle, in pixels."""
        assert self.centres is not None
        return self.places[:, None] - pixels_of_points(self.centres, self.size)[:, :, None]

    @cached_property
    def distances(self) -> Float[Tensor, "B N K"]:
        """From the centre of each true thing to each particle, in pixels."""
        return self.offsets.norm(dim=-1)

    @cached_property
    def boxes(self) -> Float[Tensor, "B N 4"] | None:
        """The boxes of the visible parts of the true things, in pixels; None if neither boxes nor masks are
        known.

        A box is its first row, its first column, the row after its last and the column after its last.
        """
        truth = self.truth
        if truth is None:
            return None
        if truth.boxes is not None:
            return truth.boxes + truth.boxes.new_tensor([0, 0, 1, 1])
        return None if truth.masks is None else windows_of_masks(truth.masks)


@dataclass(frozen=True)
class Evidence:
    """All that was measured on the pictures to score, to learn from and to choose settings by.

    The last two are empty for questions that do not learn.
    """

    test: Measured
    learn: Measured = field(default_factory=dict)
    choose: Measured = field(default_factory=dict)


@dataclass(frozen=True)
class Question:
    """A group of scores: what they need, what is measured in a batch, and how the scores follow from it."""

    # names in NEEDS
    needs: tuple[str, ...]
    measure: Callable[[EncodedBatch], Measured]
    score: Callable[[Evidence], dict[str, Statistic]]
    # name of a score -> one line that explains it; in a name, * stands for any text
    explains: Mapping[str, str]
    # whether the scores learn, so that pictures to learn from and to choose by are measured too
    learns: bool = False
    # name of a score -> name of the score of a trivial rival, which tables show beside it
    rivals: Mapping[str, str] = field(default_factory=dict)


def _has_loss(encoded: EncodedBatch) -> bool:
    """Whether the loss can be computed with the weight files on this machine."""
    needs_vgg = getattr(getattr(encoded.model, "config", None), "reconstruction", "") == "vgg"
    return not needs_vgg or first_file(vgg_paths()) is not None


def _has_things(encoded: EncodedBatch) -> bool:
    """Whether the model's things have places: particles, or slots that own pixels."""
    if isinstance(encoded.latent, Slots):
        return isinstance(encoded.model, Segments)
    return isinstance(encoded.latent, Particles)


def _has_matches(encoded: EncodedBatch) -> bool:
    """Whether the model's things can be matched to true ones: particles by their places, slots by their masks."""
    if isinstance(encoded.latent, Particles):
        return encoded.centres is not None
    has_masks = encoded.truth is not None and encoded.truth.masks is not None
    return isinstance(encoded.latent, Slots) and isinstance(encoded.model, Segments) and has_masks


# name -> (whether it is there, the sentence that says it is not)
NEEDS: dict[str, tuple[Callable[[EncodedBatch], bool], str]] = {
    "particles": (lambda encoded: isinstance(encoded.latent, Particles), "this model has no particles"),
    "things": (_has_things, "this model has neither particles nor slots"),
    "segments": (
        lambda encoded: isinstance(encoded.model, Segments) and isinstance(encoded.latent, Believes),
        "this model does not say which pixels are whose",
    ),
    "redraws": (
        lambda encoded: isinstance(encoded.model, Redraws),
        "this model does not read a picture by updates from a random start",
    ),
    "matched": (
        _has_matches,
        "this model has no particles or slots that can be matched to the things of this data",
    ),
    "places": (
        lambda encoded: encoded.centres is not None,
        "this data does not know where things are (centres, boxes or masks)",
    ),
    "clips": (lambda encoded: encoded.batch.frames > 1, "this data has single pictures, and no clips"),
    "predicts": (
        lambda encoded: isinstance(encoded.model, Predicts) and isinstance(encoded.latent, Particles),
        "this model does not predict what its particles do next",
    ),
    "future": (
        lambda encoded: encoded.batch.frames > GIVEN,
        f"these clips are too short: {GIVEN} frames are given, and more must follow to be predicted",
    ),
    "masks": (
        lambda encoded: encoded.truth is not None and encoded.truth.masks is not None,
        "this data does not know the masks of things",
    ),
    "points": (
        lambda encoded: encoded.truth is not None and encoded.truth.points is not None,
        "this data has no landmarks (points)",
    ),
    "loss": (
        _has_loss,
        f"its loss needs {VGG_FILE}, which is not on this machine (--vgg-weights names it to train)",
    ),
    "labels": (
        lambda encoded: set(encoded.model.needs) - {"actions"} <= encoded.batch.labels.keys(),
        "this data lacks the labels that the model's loss needs",
    ),
    "actions": (
        lambda encoded: "actions" not in encoded.model.needs or encoded.batch.actions is not None,
        "this data lacks the actions that the model's loss needs",
    ),
    "factors": (
        lambda encoded: encoded.truth is not None and bool(encoded.truth.factors),
        "this data does not know the factors of things",
    ),
}


def missing(question: Question, encoded: EncodedBatch) -> str | None:
    """The reason why the question cannot be answered for this model and data; None if it can be."""
    for name in question.needs:
        fulfilled, sentence = NEEDS[name]
        if not fulfilled(encoded):
            return sentence
    return None
