"""What every model answers: `loss`, `encode`, `decode`, and the stages in which it is trained."""

import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from motes.errors import UserError
from motes.types.batch import Batch, Losses
from motes.types.latents import Image


@dataclass(frozen=True)
class Stage:
    """A share of the training steps, the loss they lower and the parameters that learn meanwhile."""

    name: str
    # of all steps; the shares of a model's stages sum to 1
    share: float
    loss: Callable[[Batch], Losses]
    # none: all is done in `begin`, and the loss is only looked at
    parameters: tuple[nn.Parameter, ...]
    # once, before the first step; each time through, all training pictures
    begin: Callable[[Iterable[Batch]], None] | None = None
    # after each optimiser step, without gradients; each of several processes has its own share of the batch,
    # and all must end alike
    after_step: Callable[[Batch], None] | None = None
    # from the learning rate; None: the trainer's Adam
    optimizer: Callable[[float], Optimizer] | None = None


class Model(nn.Module, ABC):
    """One file = one system = one final class. `Config` is a frozen dataclass; its fields `image_size`
    (rows, columns), `channels` and `pictures` (how many the training set has), where they exist, are filled
    from the data when training starts."""

    Config: ClassVar[type]
    config: Any
    # names of what must be known of each training picture, as in `Truth.scene`; they come in `Batch.facts`
    needs: tuple[str, ...] = ()
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
        from motes.models.hub import load_pretrained

        return load_pretrained(where)

    def push_to_hub(self, repository: str, scores: dict[str, float] | None = None, command: str = "") -> str:
        """With a model card that shows the scores and the command that trained the model; returns the
        address."""
        from motes.models.hub import push

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
