"""What happens at which share of a run: stages, learning rate, and the rows of each step."""

import math
from collections.abc import Sequence

import numpy as np

from motes.models.base import Stage
from motes.training.recipe import Training


def progress(step: int, elapsed: float, training: Training) -> float:
    """In [0, 1]: steps or minutes, whichever are further, so that a schedule is walked to its end on a slow machine too."""
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
    """Rows of every step, from (seed, epoch) alone: each epoch sees every picture at most once, incomplete batches are dropped."""

    def __init__(self, pictures: int, batch_size: int, seed: int):
        self.pictures, self.batch_size, self.seed = pictures, min(batch_size, pictures), seed
        self.per_epoch = pictures // self.batch_size
        self._epoch, self._rows = -1, np.empty(0, np.int64)

    def rows(self, step: int, rank: int = 0, world: int = 1) -> list[int]:
        """The rows of this process: a run of neighbours in the global batch."""
        epoch, number = divmod(step, self.per_epoch)
        if epoch != self._epoch:
            self._epoch, self._rows = epoch, np.random.default_rng([self.seed, epoch]).permutation(self.pictures)
        share = self.batch_size // world
        start = number * self.batch_size + rank * share
        return self._rows[start : start + share].tolist()
