"""The one training loop: any model, one process or several, stopped and resumed at any moment.

There is no hidden state: before every step torch is seeded from (seed, step), and the rows of a step follow from (seed, epoch). So
weights, the optimiser's memory and the step are all that a checkpoint needs for the rest of the run to be the same, bit for bit.
"""

import dataclasses
import signal
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch
from accelerate import Accelerator, PartialState
from torch import Tensor, nn

from motes.data import DATASETS
from motes.data.base import Dataset, Split
from motes.errors import UserError
from motes.models.base import Calibrates, Model, Stage
from motes.models.checkpoint import build, read_config
from motes.ops import noise
from motes.ops.types import Batch, Losses
from motes.training.recipe import Recipe, Training, read_recipe
from motes.training.run import Run, load_optimizer, optimizer_tensors
from motes.training.schedule import Order, learning_rate, progress, stage_at

LOG_EVERY = 10
VALIDATION_BATCH = 64


@runtime_checkable
class Watcher(Protocol):
    """Told what happens; draws or prints it."""

    def step(self, record: dict[str, Any]) -> None: ...

    def evaluated(self, record: dict[str, Any], model: Model, run: Run) -> None: ...


class Stopped(Exception):
    """The run was asked to stop, and saved; `resume` goes on with it."""


class StageLoss(nn.Module):
    """A stage's loss as a module, the form in which several processes share a gradient."""

    def __init__(self, model: Model, stage: Stage):
        super().__init__()
        self.model, self._loss = model, stage.loss

    def forward(self, batch: Batch) -> Losses:
        return self._loss(batch)


def train(recipe: Recipe, folder: Path, watcher: Watcher | None = None) -> Path:
    """Start a run in an empty folder; returns the folder."""
    run, processes = Run(folder), PartialState(cpu=not torch.cuda.is_available())
    if processes.is_main_process and (run.checkpoints.exists() or (folder / "run.json").exists()):
        raise UserError(f"{folder} already holds a run; go on with it by --resume {folder}, or choose another --out")
    data = open_data(recipe, "train")
    _check(recipe.training, data)
    torch.manual_seed(recipe.training.seed)
    model = build(recipe.model, fit_config(recipe, data))
    recipe = dataclasses.replace(recipe, model_config=dataclasses.asdict(model.config))
    if processes.is_main_process:
        try:
            recipe.save(folder)
            run.checkpoints.mkdir(parents=True, exist_ok=True)
            run.pictures.mkdir(exist_ok=True)
        except OSError as problem:
            raise UserError(f"{folder} cannot be written: {problem.strerror or problem}") from None
    return _Loop(model, data, recipe, run, watcher).go()


def resume(folder: Path, watcher: Watcher | None = None) -> Path:
    """Go on with a run as if it had never stopped."""
    recipe, run = read_recipe(folder), Run(folder)
    checkpoint, tensors, facts = run.restore()
    data = open_data(recipe, "train")
    model = build(*read_config(checkpoint))
    model.load_state_dict({key.removeprefix("model."): value for key, value in tensors.items() if key.startswith("model.")})
    loop = _Loop(model, data, recipe, run, watcher)
    loop.take_up(tensors, facts)
    return loop.go()


def open_data(recipe: Recipe, split: Split) -> Dataset:
    cls = DATASETS[recipe.data]
    return cls(
        cls.Config(**{key: tuple(value) if isinstance(value, list) else value for key, value in recipe.data_config.items()}),
        split,
    )


def fit_config(recipe: Recipe, data: Dataset) -> dict[str, Any]:
    """The model's options, with what the data decides filled in, unless the recipe says otherwise."""
    from motes.models import MODELS

    known = {field.name for field in dataclasses.fields(MODELS[recipe.model].Config)} if recipe.model in MODELS else set()
    told = {"channels": data.image_shape[0], "image_size": data.image_shape[1:], "pictures": len(data)}
    return {**{key: value for key, value in told.items() if key in known}, **recipe.model_config}


class _Loop:
    """A run under way."""

    def __init__(self, model: Model, data: Dataset, recipe: Recipe, run: Run, watcher: Watcher | None):
        self.recipe, self.training, self.run, self.watcher = recipe, recipe.training, run, watcher
        self.accelerator = Accelerator(
            cpu=not torch.cuda.is_available(), mixed_precision="bf16" if self.training.precision == "bf16" else "no"
        )
        self.rank, self.world = self.accelerator.process_index, self.accelerator.num_processes
        if self.training.batch_size % self.world:
            raise UserError(f"batch_size {self.training.batch_size} cannot be shared by {self.world} processes")
        self.model, self.data = model.to(self.accelerator.device).train(), data
        self.average = deepcopy(self.model).requires_grad_(False) if self.training.average else None
        self.order = Order(len(data), self.training.batch_size, self.training.seed)
        self.stages, self.stage = self.model.stages(), -1
        self.step, self.elapsed, self.best = 0, 0.0, float("inf")
        self.stop_asked = False
        self.memory: dict[str, Tensor] = {}

    def take_up(self, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
        self.step, self.elapsed, self.best = (
            facts["step"],
            facts["elapsed"],
            facts["best"] if facts["best"] is not None else float("inf"),
        )
        if self.average is not None:
            self.average.load_state_dict(
                {key.removeprefix("average."): value for key, value in tensors.items() if key.startswith("average.")}
            )
        if facts["stage"] >= 0:
            self.memory = tensors
            self._open(facts["stage"], begin=False)

    def go(self) -> Path:
        before, began = self.elapsed, time.monotonic()
        with self._interruptible(), ThreadPoolExecutor(1) as ahead:
            coming: Future[Batch] = ahead.submit(self._batch, self.step)
            while (share := self._share()) < 1:
                if (number := stage_at(self.stages, share)) != self.stage:
                    self._open(number, begin=True)
                batch = coming.result()
                coming = ahead.submit(self._batch, self.step + 1)
                self._learn(batch, share)
                self.step += 1
                self.elapsed = before + time.monotonic() - began
                if self.stop_asked or self.step % self.training.evaluate_every == 0 or self._share() >= 1:
                    self._checkpoint()
                if self.stop_asked and self._share() < 1:
                    raise Stopped(f"stopped at step {self.step}; go on with: motes train --resume {self.run.folder}")
        return self.run.folder

    def _learn(self, batch: Batch, share: float) -> None:
        stage = self.stages[self.stage]
        torch.manual_seed(hash((self.training.seed, self.step)) & 0x7FFFFFFF)
        for group, base in zip(self.optimizer.param_groups, self.base_rates, strict=True):
            group["lr"] = base * learning_rate(self.training, self.step, share) / self.training.learning_rate
        with noise.sharded(self.rank, self.world), self.accelerator.autocast():
            losses = self.module(batch.to(self.accelerator.device))
        self._refuse_nonfinite(losses, batch)
        self.optimizer.zero_grad(set_to_none=True)
        self.accelerator.backward(losses.total)
        if self.training.clip_norm > 0:
            nn.utils.clip_grad_norm_(stage.parameters, self.training.clip_norm)
        self.optimizer.step()
        with torch.no_grad():
            if stage.after_step:
                stage.after_step(batch.to(self.accelerator.device))
            if self.average is not None:
                _move_average(self.average, self.model, self.training.average)
        if self.step % LOG_EVERY == 0:
            self._log(losses, stage, share)

    def _open(self, number: int, begin: bool) -> None:
        """Let a stage's parameters learn, and only them, with a fresh optimiser."""
        self.stage, stage = number, self.stages[number]
        if begin and stage.begin:
            torch.manual_seed(self.training.seed)
            stage.begin(self._all_batches())
        learning = {id(parameter) for parameter in stage.parameters}
        for parameter in self.model.parameters():
            parameter.requires_grad_(id(parameter) in learning)
        self.optimizer = stage.optimizer(self.training.learning_rate) if stage.optimizer else _adam(stage, self.training)
        self.base_rates = [group["lr"] for group in self.optimizer.param_groups]
        if self.memory:
            load_optimizer(self.optimizer, self.memory)
            self.memory = {}
        self.module = self.accelerator.prepare(StageLoss(self.model, stage))

    def _checkpoint(self) -> None:
        """Validate, calibrate, save: by the first process; the others wait."""
        if self.accelerator.is_main_process:
            model = self.average if self.average is not None else self.model
            held_out = open_data(self.recipe, "validation")
            record = {"step": self.step, **validate(model, held_out, self.training.validation_pictures)}
            if self.average is not None:
                self.model.load_state_dict({**self.model.state_dict(), **{k: v for k, v in model.state_dict().items() if "threshold" in k}})
            better = record["validation"] < self.best
            self.best = min(self.best, record["validation"])
            self.run.record(record)
            tensors = {f"model.{key}": value for key, value in self.model.state_dict().items()} | optimizer_tensors(self.optimizer)
            if self.average is not None:
                tensors |= {f"average.{key}": value for key, value in self.average.state_dict().items()}
            best = self.best if self.best < float("inf") else None
            self.run.save(model, tensors, {"step": self.step, "stage": self.stage, "elapsed": self.elapsed, "best": best}, better)
            if self.watcher:
                self.watcher.evaluated(record, model, self.run)
        self.accelerator.wait_for_everyone()

    def _batch(self, step: int) -> Batch:
        return self.data.batch(self.order.rows(step, self.rank, self.world))

    def _all_batches(self) -> Iterator[Batch]:
        for start in range(0, len(self.data), self.training.batch_size):
            yield self.data.batch(range(start, min(start + self.training.batch_size, len(self.data)))).to(self.accelerator.device)

    def _share(self) -> float:
        elapsed = self.elapsed
        if self.world > 1 and self.training.max_minutes > 0:  # one clock for all, or they part ways
            clock = torch.tensor(elapsed, device=self.accelerator.device)
            torch.distributed.broadcast(clock, 0)
            elapsed = clock.item()
        return progress(self.step, elapsed, self.training)

    def _refuse_nonfinite(self, losses: Losses, batch: Batch) -> None:
        if torch.isfinite(losses.total):
            return
        bad = next((name for name, value in losses.terms.items() if not torch.isfinite(value).all()), "total")
        rows = batch.index.tolist()
        if bad in losses.terms and not torch.isfinite(losses.terms[bad]).any():
            rows = rows[:8]
        elif bad in losses.terms:
            rows = batch.index[~torch.isfinite(losses.terms[bad]).cpu()].tolist()
        last = self.run.checkpoints / "last"
        kept = f"the last good checkpoint is {last}" if last.exists() else "there is no checkpoint yet"
        raise UserError(
            f"{bad} became not finite at step {self.step} on pictures {rows} of the training set; {kept}; try a smaller learning_rate"
        )

    def _log(self, losses: Losses, stage: Stage, share: float) -> None:
        means = torch.stack([losses.total.detach(), *(value.detach().mean() for value in losses.terms.values())])
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

    @contextmanager
    def _interruptible(self) -> Iterator[None]:
        """The first Ctrl-C ends the step, saves and stops; the second stops at once."""

        def ask(number: int, frame: Any) -> None:
            if self.stop_asked:
                raise KeyboardInterrupt
            self.stop_asked = True

        try:
            before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
        except ValueError:  # not the main thread: whoever owns it handles signals
            before = {}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def validate(model: Model, data: Dataset, pictures: int) -> dict[str, Any]:
    """The mean loss on held-out pictures, the same every time: eval mode and a fixed seed. A model that calibrates itself does so here."""
    count = min(pictures, len(data))
    if count == 0:
        return {"validation": float("inf"), "terms": {}}
    device, was_training = next(model.parameters()).device, model.training
    starts = range(0, count, VALIDATION_BATCH)
    batches = [data.batch(range(start, min(start + VALIDATION_BATCH, count))).to(device) for start in starts]
    model.eval()
    torch.manual_seed(0)
    with torch.no_grad():
        found = [(len(batch), model.validate(batch)) for batch in batches]
        if isinstance(model, Calibrates):
            model.calibrate(batches)
    model.train(was_training)
    terms = {name: sum(one.terms[name].sum().item() for _, one in found) / count for name in found[0][1].terms}
    return {"validation": sum(rows * one.total.item() for rows, one in found) / count, "terms": terms}


def _adam(stage: Stage, training: Training) -> torch.optim.Optimizer:
    return torch.optim.Adam(stage.parameters, lr=training.learning_rate, eps=training.adam_epsilon, fused=True)


def _move_average(average: Model, model: Model, decay: float) -> None:
    for (name, kept), (_, now) in zip(average.state_dict().items(), model.state_dict().items(), strict=True):
        if kept.is_floating_point() and "running_" not in name:
            kept.lerp_(now, 1 - decay)
        else:
            kept.copy_(now)


def _check(training: Training, data: Dataset) -> None:
    if training.steps < 1 or training.batch_size < 1:
        raise UserError(f"steps and batch_size must be at least 1, not {training.steps} and {training.batch_size}")
    if training.learning_rate <= 0:
        raise UserError(f"learning_rate must be positive, not {training.learning_rate}")
    if len(data) == 0:
        raise UserError("the training split has no pictures")
