"""What a question asked of a model is made of, and the one place that says what it may need of model and
truth."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from motes.evaluation.intervals import Statistic
from motes.models.base import Model
from motes.ops.rendering.footprints import Footprints, middles_of_masks, windows_of_masks
from motes.ops.rendering.glimpse import place_glimpses
from motes.ops.scores.segmentation import shared_pixels
from motes.types.batch import Batch
from motes.types.latents import Image, Particles
from motes.types.truth import Truth
from motes.weights.places import VGG_FILE, first_file, vgg_paths

Measured = dict[str, Tensor]  # one row a picture, small: what is kept of a batch until all have been seen


@dataclass(frozen=True)
class Seen:
    """A batch of pictures, what the model makes of them, and what is known of them."""

    model: Model
    batch: Batch
    latent: Any
    truth: Truth | None = None
    frames: int = 1

    @property
    def size(self) -> tuple[int, int]:
        return self.batch.image.shape[-2], self.batch.image.shape[-1]

    @property
    def unit(self) -> Tensor:
        """Pictures with the same number are much alike: those of one identity, or else the frames of a
        clip."""
        identity = None if self.truth is None else self.truth.scene.get("identity")
        return self.batch.index // self.frames if identity is None else identity.flatten()

    @cached_property
    def drawn(self) -> Image:
        return self.model.decode(self.latent)

    @cached_property
    def there(self) -> Bool[Tensor, "B K"]:
        """Particles that the model believes in."""
        return self.latent.confident().presence > 0.5

    @cached_property
    def footprints(self) -> Footprints:
        """How much of each pixel each particle is."""
        draw: Any = self.model
        windows = place_glimpses(draw.glimpses(self.latent)[:, :, :1], self.latent.position, self.size)
        return Footprints.of(windows, self.latent.presence, self.size)

    @cached_property
    def shared(self) -> Float[Tensor, "B n k"]:
        """How many pixels each true thing and each particle share, where masks are known: see
        `motes.ops.scores.segmentation`."""
        assert self.truth is not None and self.truth.masks is not None
        return shared_pixels(self.truth.masks, self.footprints.owners(self.there), len(self.latent))

    @cached_property
    def centres(self) -> Float[Tensor, "B N 2"] | None:
        """Of the things; where only boxes or masks are known, their middles."""
        truth = self.truth
        if truth is None or truth.centres is not None:
            return None if truth is None else truth.centres
        last = torch.tensor(self.size, device=self.batch.image.device).clamp_min(2) - 1
        if truth.masks is not None:
            return middles_of_masks(truth.masks) / last * 2 - 1
        return None if truth.boxes is None else (truth.boxes[..., :2] + truth.boxes[..., 2:]) / last - 1

    @cached_property
    def boxes(self) -> Float[Tensor, "B N 4"] | None:
        """Of what is visible, their ends exclusive: first row, first column, row and column after the last,
        in pixels."""
        truth = self.truth
        if truth is None or (truth.boxes is None and truth.masks is None):
            return None
        if truth.boxes is not None:
            return truth.boxes + truth.boxes.new_tensor([0, 0, 1, 1])
        return windows_of_masks(truth.masks) if truth.masks is not None else None


@dataclass(frozen=True)
class Evidence:
    """All that was measured: on the pictures to score, and where a question learns, on others to learn and
    to choose from."""

    test: Measured
    learn: Measured = field(default_factory=dict)
    choose: Measured = field(default_factory=dict)


@dataclass(frozen=True)
class Question:
    """One file of this room: what it needs, what it measures of a batch, and which numbers follow."""

    # names in NEEDS
    needs: tuple[str, ...]
    look: Callable[[Seen], Measured]
    judge: Callable[[Evidence], dict[str, Statistic]]
    # whether it also looks at pictures to learn and to choose from
    learns: bool = False


# name -> (whether it is there, the sentence that says it is not)
NEEDS: dict[str, tuple[Callable[[Seen], bool], str]] = {
    "particles": (lambda seen: isinstance(seen.latent, Particles), "this model has no particles"),
    "glimpses": (
        lambda seen: hasattr(seen.model, "glimpses"),
        "this model does not say which pixels are whose: its particles have no alpha",
    ),
    "places": (
        lambda seen: seen.centres is not None,
        "this data does not know where things are (centres, boxes or masks)",
    ),
    "masks": (
        lambda seen: seen.truth is not None and seen.truth.masks is not None,
        "this data does not know the masks of things",
    ),
    "points": (
        lambda seen: seen.truth is not None and seen.truth.points is not None,
        "this data has no landmarks (points)",
    ),
    "loss": (
        lambda seen: _has_loss(seen.model),
        f"its loss needs {VGG_FILE}, which is not on this machine (--vgg-weights names it to train)",
    ),
    "labels": (
        lambda seen: set(seen.model.needs) <= seen.batch.facts.keys(),
        "this data lacks the labels that the model's loss needs",
    ),
    "factors": (
        lambda seen: seen.truth is not None and bool(seen.truth.factors),
        "this data does not know the factors of things",
    ),
}


def missing(question: Question, seen: Seen) -> str | None:
    """Why the question cannot be asked of this model and data; None where it can."""
    return next(
        (sentence for name in question.needs for there, sentence in [NEEDS[name]] if not there(seen)), None
    )


def _has_loss(model: Model) -> bool:
    """A score downloads nothing."""
    needs_vgg = getattr(getattr(model, "config", None), "reconstruction", "") == "vgg"
    return not needs_vgg or first_file(vgg_paths()) is not None
