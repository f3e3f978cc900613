"""What a training stage works on: its loss, wrapped for training in several processes, and all training
pictures."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from motes.data.base import Dataset
from motes.models.base import Model, Stage
from motes.nn.blocks.code_table import CodeTable
from motes.types.batch import Batch, Losses
from motes.types.latents import Image


class StageLoss(nn.Module):
    """The loss of a stage as a module, so that several processes can average its gradients.

    The tables of codes (`CodeTable`) are left out, because their own optimiser sums their sparse gradients
    over processes.
    """

    def __init__(self, model: Model, stage: Stage):
        super().__init__()
        self.model = model
        self._loss = stage.loss
        tables = [name for name, part in self.named_modules() if isinstance(part, CodeTable)]
        # torch asks for them by this name
        self._ddp_params_and_buffers_to_ignore = [f"{name}.values" for name in tables]

    def forward(self, batch: Batch) -> Losses:
        return self._loss(batch)


def without_pixels(data: Dataset, rows: Sequence[int], frames: int) -> Batch:
    """The batch of these rows for a model that does not read pictures: theirs have no rows and no columns."""
    image = torch.zeros(len(rows), data.image_shape[0], 0, 0)
    return Batch(image, torch.as_tensor(rows, dtype=torch.int64), frames=frames)


@dataclass(frozen=True)
class AllBatches:
    """All training pictures in order, in batches of whole clips; it can be iterated over repeatedly.

    It is what `Stage.begin` is given, see `TrainingPictures`.
    """

    data: Dataset
    size: int
    needs: tuple[str, ...]
    device: torch.device

    def __iter__(self) -> Iterator[Batch]:
        for rows in self.data.chunks(range(len(self.data)), self.size):
            yield self.data.batch(rows, self.needs, self.data.frames).to(self.device)

    def sample(self, count: int) -> Image:
        rows = self.data.sample(count)
        pictures = [self.data.batch(chunk).image for chunk in self.data.chunks(rows, self.size)]
        return torch.cat(pictures).to(self.device)
