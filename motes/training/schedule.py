"""What happens at which share of a run: stages, learning rate, and the rows of each step."""

import math
from collections.abc import Sequence

import numpy as np

from motes.data.base import Dataset
from motes.errors import UserError
from motes.models.base import Model, Stage
from motes.training.recipe import Training


def progress(step: int, elapsed: float, training: Training) -> float:
    """In [0, 1]: steps or minutes, whichever are further, so that a schedule is walked to its end on a slow
    machine too."""
    minutes = elapsed / (60 * training.max_minutes) if training.max_minutes > 0 else 0.0
    return max(step / training.steps, minutes)


def stage_at(stages: Sequence[Stage], share: float) -> int:
    passed = 0.0
    for number, stage in enumerate(stages):
        passed += stage.share
        if share < passed - 1e-9:
            return number
    return len(stages) - 1


def learning_rate(training: Training, step: int, share: float) -> float:
    climb = min(1.0, (step + 1) / training.warm_steps) if training.warm_steps else 1.0
    if training.schedule == "cosine":
        return training.learning_rate * climb * 0.5 * (1 + math.cos(math.pi * min(share, 1.0)))
    if training.schedule == "halving":
        return training.learning_rate * climb * 0.5 ** sum(share >= place for place in training.halvings)
    return training.learning_rate * climb


class Order:
    """Rows of every step, from (seed, epoch) alone: each epoch sees every picture at most once, incomplete
    batches are dropped.

    `together` neighbours, the frames of a clip, come one after the other in the same step.
    """

    def __init__(self, pictures: int, batch_size: int, seed: int, together: int = 1):
        self.pictures = pictures
        self.batch_size = min(batch_size, pictures)
        self.seed = seed
        self.together = together
        self.per_epoch = pictures // self.batch_size
        self._epoch = -1
        self._rows = np.empty(0, np.int64)

    def rows(self, step: int, rank: int = 0, world: int = 1) -> list[int]:
        """The rows of this process: a run of neighbours in the global batch."""
        epoch, number = divmod(step, self.per_epoch)
        if epoch != self._epoch:
            clips = np.random.default_rng([self.seed, epoch]).permutation(self.pictures // self.together)
            self._epoch = epoch
            self._rows = (clips[:, None] * self.together + np.arange(self.together)).reshape(-1)
        share = self.batch_size // world
        start = number * self.batch_size + rank * share
        return self._rows[start : start + share].tolist()


def frames_together(model: Model, data: Dataset, batch_size: int) -> int:
    """How many neighbouring rows a step never parts."""
    if not model.whole_clips:
        return 1
    if data.frames < 2 or batch_size % data.frames:
        raise UserError(
            f"this model learns from clips, whole ones in each step; these data have clips of {data.frames}, "
            f"of which {batch_size} pictures a step must be a multiple"
        )
    return data.frames
