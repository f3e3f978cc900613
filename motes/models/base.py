"""What every model answers: `loss`, `encode`, `decode`, and the stages in which it is trained."""

import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from motes.errors import UserError
from motes.ops.painting import Painting
from motes.ops.types import Batch, Image, Losses


@dataclass(frozen=True)
class Stage:
    """A share of the training steps, the loss they lower and the parameters that learn meanwhile."""

    name: str
    share: float  # of all steps; the shares of a model's stages sum to 1
    loss: Callable[[Batch], Losses]
    parameters: tuple[nn.Parameter, ...]  # none: all is done in `begin`, and the loss is only looked at
    begin: Callable[[Iterable[Batch]], None] | None = None  # once, before the first step; each time through, all training pictures
    # after each optimiser step, without gradients; each of several processes has its own share of the batch, and all must end alike
    after_step: Callable[[Batch], None] | None = None
    optimizer: Callable[[float], Optimizer] | None = None  # from the learning rate; None: the trainer's Adam


class Model(nn.Module, ABC):
    """One file = one system = one final class. `Config` is a frozen dataclass; its fields `image_size` (rows, columns),
    `channels` and `pictures` (how many the training set has), where they exist, are filled from the data when training starts."""

    Config: ClassVar[type]
    config: Any
    needs: tuple[str, ...] = ()  # names of what must be known of each training picture, as in `Truth.scene`; they come in `Batch.facts`
    whole_clips: bool = False  # a step's rows are whole clips of the data, one after the other

    @abstractmethod
    def loss(self, batch: Batch) -> Losses: ...

    @abstractmethod
    def encode(self, image: Image) -> Any:
        """The latent: a frozen dataclass of tensors, batch first."""

    @abstractmethod
    def decode(self, latent: Any) -> Image: ...

    def stages(self) -> tuple[Stage, ...]:
        return (Stage("main", 1.0, self.loss, tuple(self.parameters())),)

    def validate(self, batch: Batch) -> Losses:
        """The loss on pictures that training never sees; `index` means nothing here."""
        return self.loss(batch)

    def save(self, folder: str | Path) -> None:
        """Write `config.json` and `model.safetensors`, whole or not at all."""
        from motes.models.checkpoint import save

        save(self, Path(folder))

    @classmethod
    def from_pretrained(cls, where: str | Path) -> "Model":
        """A folder on disk, or a repository of the Hugging Face hub."""
        from motes.models.checkpoint import load_pretrained

        return load_pretrained(where)

    def push_to_hub(self, repository: str, scores: dict[str, float] | None = None, command: str = "") -> str:
        """With a model card that shows the scores and the command that trained the model; returns the address."""
        from motes.models.checkpoint import push

        return push(self, repository, scores, command)


def device_of(model: nn.Module) -> torch.device:
    """Where it computes; a model in closed form has buffers only."""
    return next(itertools.chain(model.parameters(), model.buffers())).device


def refuse_other_sizes(config: Any, image: Tensor) -> None:
    expected = (config.channels, *config.image_size)
    if tuple(image.shape[1:]) != expected:
        raise UserError(
            f"this model reads pictures of {expected} (channels, rows, columns), not {tuple(image.shape[1:])}; resize them first"
        )


@runtime_checkable
class Calibrates(Protocol):
    """A model that sets a threshold of its own from pictures without labels; the threshold is a buffer, saved with the weights."""

    def calibrate(self, batches: Iterable[Batch]) -> None: ...


@runtime_checkable
class Samples(Protocol):
    """A model that can draw new pictures' latents."""

    def sample(self, count: int) -> Any: ...


@runtime_checkable
class Bounded(Protocol):
    """A model whose codes live in a set, such as a ball; `within` gives the set's nearest code."""

    @property
    def within(self) -> Callable[[Tensor], Tensor]: ...


@runtime_checkable
class Proposes(Protocol):
    """A model whose prior proposes points, B M 2, to which its particles are drawn."""

    def proposals(self, image: Image) -> Tensor: ...


@runtime_checkable
class Paints(Protocol):
    """A model that draws in layers, which an edit may lay anew without it."""

    def painting(self, latent: Any, picture: int = 0) -> Painting: ...
