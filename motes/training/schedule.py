"""The schedule of a run: its progress, its stages, its learning rate, and the rows of each step."""

import math
from collections.abc import Callable, Sequence

import numpy as np

from motes.data.base import Dataset
from motes.errors import UserError
from motes.models.base import WHOLE_CLIPS, Model, Stage
from motes.training.recipe import Training


def progress(step: int, elapsed: float, training: Training) -> float:
    """The progress of the run in [0, 1], by steps or by minutes, whichever is further.

    `elapsed` is in seconds of a `motes.training.clock.Clock`. Where steps cost much, the schedule therefore
    ends when the minutes are over.
    """
    minutes = elapsed / (60 * training.max_minutes) if training.max_minutes > 0 else 0.0
    return max(step / training.steps, minutes)


def stage_at(stages: Sequence[Stage], share: float) -> int:
    passed = 0.0
    for number, stage in enumerate(stages):
        passed += stage.share
        if share < passed - 1e-9:
            return number
    return len(stages) - 1


def share_of_stage(stages: Sequence[Stage], number: int, share: float) -> float:
    """How much of a stage is done, from 0 to 1, when this share of the run is."""
    before = sum(stage.share for stage in stages[:number])
    return min(max((share - before) / stages[number].share, 0.0), 1.0)


def learning_rate(training: Training, step: int, share: float) -> float:
    """The learning rate at this step. `share` is the progress of the run in [0, 1].

    It rises linearly over the first steps, then follows the schedule.
    """
    climb = min(1.0, (step + 1) / training.warm_steps) if training.warm_steps else 1.0
    return training.learning_rate * climb * SCHEDULES[training.schedule](training, share)


def _constant(training: Training, share: float) -> float:
    return 1.0


def _cosine(training: Training, share: float) -> float:
    return 0.5 * (1 + math.cos(math.pi * min(share, 1.0)))


def _halving(training: Training, share: float) -> float:
    return 0.5 ** sum(share >= halving for halving in training.halvings)


# schedule -> factor of the learning rate at a share of the run
SCHEDULES: dict[str, Callable[[Training, float], float]] = {
    "constant": _constant,
    "cosine": _cosine,
    "halving": _halving,
}


class Order:
    """The data set's rows that each step trains on.

    They follow from (seed, epoch) alone, so that a resumed run continues with the same rows.

    In an epoch every picture is used at most once, and an incomplete last batch is dropped. With a `window`,
    the rows of a step are runs of `window` neighbouring frames, each within one clip. A clip is cut into as
    many windows as fit, and where in the clip the first of them starts is drawn at random each epoch.
    """

    def __init__(self, pictures: int, batch_size: int, seed: int, window: int = 1, frames: int = 1):
        self.seed = seed
        self.window = window
        self.frames = max(frames, window)
        self.clips = pictures // self.frames
        # of a clip
        self.windows = self.frames // window
        rows = self.clips * self.windows * window
        self.batch_size = min(batch_size, rows)
        self.per_epoch = rows // self.batch_size
        self._epoch = -1
        self._rows = np.empty(0, np.int64)

    def rows(self, step: int, rank: int = 0, world: int = 1) -> list[int]:
        """The rows of this process at this step: its equal, consecutive share of the batch.

        `rank` is the number of the process, `world` the number of processes.
        """
        epoch, number = divmod(step, self.per_epoch)
        if epoch != self._epoch:
            self._epoch = epoch
            self._rows = self._rows_of(epoch)
        share = self.batch_size // world
        start = number * self.batch_size + rank * share
        return self._rows[start : start + share].tolist()

    def _rows_of(self, epoch: int) -> np.ndarray:
        """All rows of an epoch, window after window, with the windows in random order."""
        random = np.random.default_rng([self.seed, epoch])
        order = random.permutation(self.clips * self.windows)
        slack = self.frames - self.windows * self.window
        shift = random.integers(0, slack + 1, self.clips)
        clip, number = np.divmod(order, self.windows)
        first = clip * self.frames + shift[clip] + number * self.window
        return (first[:, None] + np.arange(self.window)).reshape(-1)


def window_of(model: Model, data: Dataset, batch_size: int) -> int:
    """How many neighbouring frames stay together in a step: 1 for a model of single pictures.

    `batch_size` is the number of pictures per step in one process.
    """
    if model.window == 0:
        return 1
    window = data.frames if model.window == WHOLE_CLIPS else model.window
    if data.frames < max(window, 2):
        needed = "clips" if model.window == WHOLE_CLIPS else f"runs of {window} neighbouring frames"
        raise UserError(
            f"this model learns from {needed}, and these data have clips of {data.frames}; ask for longer ones, where "
            "the data can have them, with --data.frames"
        )
    if batch_size % window:
        raise UserError(
            f"this model learns from runs of {window} frames, whole ones in each step: {batch_size} pictures a step (of "
            "each process) must be a multiple of that; choose another --training.batch-size"
        )
    return window
