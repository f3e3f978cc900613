"""The base class of all models, with `loss`, `encode` and `decode`, and the stages in which a model is
trained."""

import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from motes.errors import UserError
from motes.nn.coders.networks import HasPictureShape
from motes.types.batch import Batch, Losses
from motes.types.clips import ParticleClip
from motes.types.latents import Image

WHOLE_CLIPS = -1  # a window: whole clips of the data, however long they are


@runtime_checkable
class TrainingPictures(Protocol):
    """All training pictures, as `Stage.begin` and `Stage.prepare` are given them."""

    def __iter__(self) -> Iterator[Batch]:
        """Each time through, all pictures in order, in batches of whole clips."""
        ...

    def sample(self, count: int) -> Image:
        """At most `count` single pictures from all over the data, always the same ones, on the processor."""
        ...


@dataclass(frozen=True)
class Stage:
    """A stage of training: its share of the steps, the loss that it lowers, and the parameters that it
    changes.

    A model's `stages()` run one after the other. Parameters that a stage does not name stay fixed in it, and
    each stage has an optimiser of its own.

    >>> from motes.models import MODELS
    >>> Stacked = MODELS["stacked"]
    >>> model = Stacked(Stacked.Config(image_size=(8, 8), channels=1, classes=3, widths=(6, 5)))
    >>> [(stage.name, stage.share, len(stage.parameters)) for stage in model.stages()]
    [('layer 1', 0.375, 4), ('layer 2', 0.375, 4), ('classifier', 0.25, 10)]
    """

    name: str
    # of all steps; the shares of a model's stages sum to 1
    share: float
    loss: Callable[[Batch], Losses]
    # none: all is done in `begin`, and the loss is only looked at
    parameters: tuple[nn.Parameter, ...]
    # once, before the first step
    begin: Callable[[TrainingPictures], None] | None = None
    # after each optimiser step, without gradients; each of several processes has its own share of the batch,
    # and all must end alike
    after_step: Callable[[Batch], None] | None = None
    # from the learning rate; None: the trainer's Adam
    optimizer: Callable[[float], Optimizer] | None = None
    # when the stage is opened (after `begin`), and again when a run is resumed in it: for caches that follow
    # from the
    # weights and the data alone, and are in no checkpoint
    prepare: Callable[[TrainingPictures], None] | None = None
    # before each step, with the share of the stage that is done, from 0 to 1: for what changes during training
    progressed: Callable[[float], None] | None = None


class Model(nn.Module, ABC):
    """A system that describes pictures by latents and draws them again. One file holds one system, one final
    class.

    A subclass has

    - `Config`, a frozen dataclass of its options. The fields `image_size` (rows, columns), `channels` and
      `pictures` (how many the training set has), where they exist, are filled from the data when training
      starts.
    - `loss(batch)`: what training lowers, for pictures N C H W in [0, 1].
    - `encode(image)`: the latent of pictures, a `Rows` record such as `Code`, `Particles` or `Slots`; its
      rows are the pictures. Pictures of another size are refused with a `UserError`.
    - `decode(latent)`: the pictures, N C H W.
    - where it has more than one stage of training, `stages()`.

    What else it can do it says by the protocols of `motes.models.abilities`. Its line in
    `motes.models.MODELS` gives it a name; trainer, command line, scores and studio then know it.

    >>> import torch
    >>> from motes.models import MODELS
    >>> model = MODELS["autoencoder"](MODELS["autoencoder"].Config(image_size=(16, 16), code_dim=4))
    >>> latent = model.encode(torch.rand(2, 3, 16, 16))
    >>> latent.vector.shape, model.decode(latent).shape
    (torch.Size([2, 4]), torch.Size([2, 3, 16, 16]))
    """

    Config: ClassVar[type]
    config: Any
    # labels that each training picture must have, as in `Truth.scene`; they come in `Batch.labels`.
    # "actions" asks for
    # `Batch.actions`
    needs: tuple[str, ...] = ()
    # 0: a step's rows are single pictures; w: runs of w neighbouring frames of one clip; WHOLE_CLIPS: all
    # its frames
    window: int = 0
    # whether steps of training need the pixels; if not, their batches have pictures of no pixels, which cost
    # nothing to read
    reads_pictures: bool = True

    @abstractmethod
    def loss(self, batch: Batch) -> Losses: ...

    @abstractmethod
    def encode(self, image: Image) -> Any:
        """The latent of single pictures: a `Rows` record, one row per picture."""

    def encode_clips(self, image: Image, frames: int) -> Any:
        """The latent of whole clips, one row per frame; the `frames` frames of a clip follow each other.

        A model without a notion of time encodes each picture by itself.
        """
        return self.encode(image)

    def track(self, image: Image, frames: int) -> ParticleClip:
        """The things in whole clips, followed from frame to frame; a `UserError` if the latent has no
        particles.

        The model itself may say which particle is which thing; otherwise particles are matched over time.
        """
        from motes.models.tracking import tracks_of

        with torch.no_grad():
            return tracks_of(self, image, frames)

    @abstractmethod
    def decode(self, latent: Any) -> Image: ...

    def stages(self) -> tuple[Stage, ...]:
        return (Stage("main", 1.0, self.loss, tuple(self.parameters())),)

    def validate(self, batch: Batch) -> Losses:
        """The loss on validation pictures. `batch.index` has no meaning here, since training never reads
        these pictures."""
        return self.loss(batch)

    def save(self, folder: str | Path) -> None:
        """Write `config.json` and `model.safetensors` to the folder, either both in full or nothing."""
        from motes.models.checkpoint import save

        save(self, Path(folder))

    def push_to_hub(self, repository: str, scores: dict[str, float] | None = None, command: str = "") -> str:
        """Upload the model with a card that shows its scores and the command that trained it.

        Returns the address of the repository.
        """
        from motes.models.hub import push

        return push(self, repository, scores, command)


def device_of(model: nn.Module) -> torch.device:
    """The device of the model's parameters, or of its buffers if it has no parameters."""
    return next(itertools.chain(model.parameters(), model.buffers())).device


def refuse_other_sizes(config: HasPictureShape, image: Tensor) -> None:
    expected = (config.channels, *config.image_size)
    if tuple(image.shape[1:]) != expected:
        raise UserError(
            f"this model reads pictures of {expected} (channels, rows, columns), "
            f"not {tuple(image.shape[1:])}; resize them first"
        )


def count_parameters(model: Model) -> int:
    return sum(parameter.numel() for parameter in model.parameters())
