"""The one training loop: any model, one process or several, stopped and resumed at any moment.

There is no hidden state: before every step torch is seeded from (seed, step), and the rows of a step follow
from (seed, epoch). So weights, the optimiser's memory and the step are all that a checkpoint needs for the
rest of the run to be the same, bit for bit.
"""

import dataclasses
import time
from concurrent.futures import Future, ThreadPoolExecutor
from copy import deepcopy
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch
from accelerate import Accelerator, PartialState
from accelerate.state import AcceleratorState
from torch import Tensor, nn

from motes.data.base import Dataset
from motes.errors import UserError
from motes.models.base import Model, Stage
from motes.models.checkpoint import build, check_weights, read_config
from motes.ops.densities import noise
from motes.ops.points.warp import paired
from motes.training.feeding import AllBatches, StageLoss
from motes.training.interruption import Interruption, Stopped
from motes.training.newborn import newborn
from motes.training.recipe import Recipe, check, read_recipe
from motes.training.run import Run, load_optimizer, optimizer_tensors
from motes.training.schedule import Order, learning_rate, progress, stage_at, window_of
from motes.training.steps import adam, move_average, not_finite
from motes.training.validation import validate
from motes.types.batch import Batch, Losses

__all__ = ["Stopped", "Watcher", "resume", "train", "validate"]

LOG_EVERY = 10


@runtime_checkable
class Watcher(Protocol):
    """Follows a run: draws or prints what happens."""

    def step(self, record: dict[str, Any]) -> None: ...

    def evaluated(self, record: dict[str, Any], model: Model, run: Run) -> None: ...


def train(recipe: Recipe, folder: Path, watcher: Watcher | None = None) -> Path:
    """Train a recipe's model from its first step to its last, and leave a run in a folder.

    Arguments:
        recipe: model, data and training. What `model_config` and `data_config` leave out has its default, or (picture
            size, channels, number of pictures) follows from the data.
        folder: where the run goes; made if need be. It then holds `run.json` (the recipe), `metrics.jsonl`,
            `pictures/` and `checkpoints/` with `best` and `last`.
        watcher: is given every record of a loss and of a validation.

    Returns the folder, which `motes.load`, `Session.open` and the command line open.

    Raises:
        UserError: the folder holds a run already or cannot be written; an option of the recipe is unknown or out of
            range; the data lack a label that the model needs; the loss is not finite.
        Stopped: Ctrl-C. The step is saved by then, and `resume(folder)` goes on, to the same weights bit for bit.

    >>> import tempfile
    >>> from motes.training.recipe import Recipe, Training
    >>> data = {"image_size": [16, 16], "count": 8, "held_out": 4}
    >>> training = Training(steps=2, batch_size=4, validation_pictures=4)
    >>> recipe = Recipe("autoencoder", "shapes", {"code_dim": 4, "width": 8}, data, training)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = train(recipe, Path(folder) / "run")
    ...     sorted(path.name for path in run.iterdir())
    ['checkpoints', 'metrics.jsonl', 'pictures', 'run.json']
    """
    run = Run(folder)
    processes = PartialState(cpu=not torch.cuda.is_available())
    if processes.is_main_process and (run.checkpoints.exists() or (folder / "run.json").exists()):
        raise UserError(
            f"{folder} already holds a run; go on with it by --resume {folder}, or choose another --out"
        )
    check(recipe.training)
    data = recipe.source.open("train")
    model = newborn(recipe, data)
    recipe = dataclasses.replace(recipe, model_config=dataclasses.asdict(model.config))
    loop = _Loop(model, data, recipe, run, watcher)
    if processes.is_main_process:
        try:
            recipe.save(folder)
            run.checkpoints.mkdir(parents=True, exist_ok=True)
            run.pictures.mkdir(exist_ok=True)
        except OSError as problem:
            raise UserError(f"{folder} cannot be written: {problem.strerror or problem}") from None
    return loop.go()


def resume(folder: Path, watcher: Watcher | None = None) -> Path:
    """Go on with a run as if it had never stopped.

    A run that was killed before its first checkpoint begins again, which is the same.
    """
    recipe = read_recipe(folder)
    run = Run(folder)
    processes = PartialState(cpu=not torch.cuda.is_available())
    with processes.main_process_first():  # it tidies up after a crash; the others read what it leaves
        found = run.restore(tidy=processes.is_main_process)
    data = recipe.source.open("train")
    if found is None:
        return _Loop(newborn(recipe, data), data, recipe, run, watcher).go()
    checkpoint, tensors, facts = found
    model = build(*read_config(checkpoint))
    weights = {
        key.removeprefix("model."): value for key, value in tensors.items() if key.startswith("model.")
    }
    check_weights(model, weights, checkpoint / "training.safetensors")
    model.load_state_dict(weights)
    loop = _Loop(model, data, recipe, run, watcher)
    loop.take_up(tensors, facts)
    return loop.go()


class _Loop:
    """A run under way."""

    def __init__(self, model: Model, data: Dataset, recipe: Recipe, run: Run, watcher: Watcher | None):
        self.recipe = recipe
        self.training = recipe.training
        self.run = run
        self.watcher = watcher
        AcceleratorState._reset_state()  # or a second run in this process could not have another precision
        self.accelerator = Accelerator(
            cpu=not torch.cuda.is_available(),
            mixed_precision="bf16" if self.training.precision == "bf16" else "no",
        )
        self.rank = self.accelerator.process_index
        self.world = self.accelerator.num_processes
        if self.training.batch_size % self.world:
            raise UserError(
                f"batch_size {self.training.batch_size} cannot be shared by {self.world} processes"
            )
        self.model = model.to(self.accelerator.device).train()
        self.data = data
        self.average = deepcopy(self.model).requires_grad_(False) if self.training.average else None
        self.window = window_of(model, data, self.training.batch_size // self.world)
        frames = data.frames if model.window else 1
        self.order = Order(len(data), self.training.batch_size, self.training.seed, self.window, frames)
        self.held_out: Dataset | None = None
        self.stages = self.model.stages()
        self.stage = -1
        self.step = 0
        self.elapsed = 0.0
        self.best = float("inf")
        self.best_step = 0
        self.wish = Interruption()
        self.stopping = False
        self.memory: dict[str, Tensor] = {}

    def take_up(self, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
        self.step = facts["step"]
        self.elapsed = facts["elapsed"]
        self.best_step = facts.get("best_step", 0)
        self.best = float("inf") if facts["best"] is None else facts["best"]
        if self.average is not None:
            self.average.load_state_dict(
                {
                    key.removeprefix("average."): value
                    for key, value in tensors.items()
                    if key.startswith("average.")
                }
            )
        if facts["stage"] >= 0:
            self.memory = tensors
            self._open(facts["stage"], begin=False)

    def go(self) -> Path:
        began = time.monotonic() - self.elapsed
        self.clock = lambda: time.monotonic() - began
        with self.wish, ThreadPoolExecutor(1) as ahead:
            coming: Future[Batch] = ahead.submit(self._batch, self.step)
            while (share := self._share()) < 1:
                if (number := stage_at(self.stages, share)) != self.stage:
                    self._open(number, begin=True)
                batch = coming.result()
                coming = ahead.submit(self._batch, self.step + 1)
                self._learn(batch.to(self.accelerator.device), share)
                self.step += 1
                if self.world == 1:
                    self.elapsed = self.clock()
                    self.stopping = self.wish.asked
                if self.stopping or self.step % self.training.evaluate_every == 0 or self._share() >= 1:
                    self._checkpoint()
                    self.stopping |= (
                        self.world == 1 and self.wish.asked
                    )  # asked meanwhile: this step is on disk
                if self.stopping and self._share() < 1:
                    raise Stopped(
                        f"stopped at step {self.step}; go on with: motes train --resume {self.run.folder}"
                    )
        return self.run.folder

    def _learn(self, batch: Batch, share: float) -> None:
        stage = self.stages[self.stage]
        torch.manual_seed(hash((self.training.seed, self.step)) & 0x7FFFFFFF)
        for group, base in zip(self.optimizer.param_groups, self.base_rates, strict=True):
            group["lr"] = base * learning_rate(self.training, self.step, share) / self.training.learning_rate
        with noise.sharded(self.rank, self.world):
            batch = paired(batch) if self.training.pairs else batch
            with self.accelerator.autocast():
                losses = self.module(batch)
        self._agree(losses, batch)
        if stage.parameters:
            self._descend(losses, stage)
        with torch.no_grad():
            if stage.after_step:
                stage.after_step(batch)
            if self.average is not None:
                move_average(self.average, self.model, self.training.average, self.step)
        if self.step % LOG_EVERY == 0:
            self._log(losses, stage, share)

    def _descend(self, losses: Losses, stage: Stage) -> None:
        self.accelerator.backward(losses.total)
        if self.training.clip_norm > 0:
            nn.utils.clip_grad_norm_(stage.parameters, self.training.clip_norm)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)  # at once: the next forward pass may use that memory

    def _open(self, number: int, begin: bool) -> None:
        """Let a stage's parameters learn, and only them, with a fresh optimiser."""
        self.stage = number
        stage = self.stages[number]
        for ready in (stage.begin if begin else None, stage.prepare):
            if ready:
                torch.manual_seed(self.training.seed)
                ready(self._all_batches())
        learning = {id(parameter) for parameter in stage.parameters}
        for parameter in self.model.parameters():
            parameter.requires_grad_(id(parameter) in learning)
        self.optimizer = (
            stage.optimizer(self.training.learning_rate) if stage.optimizer else adam(stage, self.training)
        )
        self.base_rates = [group["lr"] for group in self.optimizer.param_groups]
        if self.memory:
            load_optimizer(self.optimizer, self.memory)
            self.memory = {}
        module = StageLoss(self.model, stage)
        self.module = self.accelerator.prepare(module) if stage.parameters else module

    def _checkpoint(self) -> None:
        """Validate, calibrate, save: by the first process; the others wait."""
        if self.accelerator.is_main_process:
            model = self.average if self.average is not None else self.model
            if self.held_out is None:  # opened once a run: a folder of pictures is costly to look through
                self.held_out = self.recipe.source.open("validation")
            measured = validate(model, self.held_out, self.training.validation_pictures)
            record = {"step": self.step, **measured}
            if better := record["validation"] < self.best:
                self.best = record["validation"]
                self.best_step = self.step
            self.run.record(record)
            tensors = {
                f"model.{key}": value for key, value in self.model.state_dict().items()
            } | optimizer_tensors(self.optimizer)
            if self.average is not None:
                tensors |= {f"average.{key}": value for key, value in self.average.state_dict().items()}
            facts = {
                "step": self.step,
                "stage": self.stage,
                "elapsed": self.clock(),
                "best_step": self.best_step,
            }
            self.run.save(
                model, tensors, {**facts, "best": self.best if self.best < float("inf") else None}, better
            )
            if self.watcher:
                self.watcher.evaluated(record, model, self.run)
        self.accelerator.wait_for_everyone()

    def _batch(self, step: int) -> Batch:
        rows = self.order.rows(step, self.rank, self.world)
        return self.data.batch(rows, self.model.needs, self.window)

    def _all_batches(self) -> AllBatches:
        return AllBatches(self.data, self.training.batch_size, self.model.needs, self.accelerator.device)

    def _share(self) -> float:
        return progress(self.step, self.elapsed, self.training)

    def _agree(self, losses: Losses, batch: Batch) -> None:
        """One clock, one wish to stop and one verdict on the loss for all processes, or they wait for each
        other for ever."""
        bad = bool(~torch.isfinite(losses.total.detach()))
        anywhere = bad
        if self.world > 1:
            mine = torch.tensor(
                [self.clock(), self.wish.asked, bad], dtype=torch.float64, device=self.accelerator.device
            )
            torch.distributed.all_reduce(mine, torch.distributed.ReduceOp.MAX)
            self.elapsed = mine[0].item()
            self.stopping = bool(mine[1])
            anywhere = bool(mine[2])
        if bad:
            last = self.run.checkpoints / "last"
            rescue = f"the last good checkpoint is {last}" if last.exists() else "there is no checkpoint yet"
            raise UserError(f"{not_finite(losses, batch, self.step)}; {rescue}; try a smaller learning_rate")
        if anywhere:
            raise UserError(f"the loss of another process became not finite at step {self.step}")

    def _log(self, losses: Losses, stage: Stage, share: float) -> None:
        means = torch.stack(
            [losses.total.detach(), *(value.detach().mean() for value in losses.terms.values())]
        )
        reduced: Any = self.accelerator.reduce(means, "mean")  # over the global batch
        total, *parts = reduced.tolist()
        if not self.accelerator.is_main_process:
            return
        terms = dict(zip(losses.terms, parts, strict=True))
        record = {
            "step": self.step,
            "stage": stage.name,
            "total": total,
            "terms": terms,
            "seconds": round(self.elapsed, 2),
        }
        self.run.record(record)
        if self.watcher:
            self.watcher.step({**record, "progress": share})
