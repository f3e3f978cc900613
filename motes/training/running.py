"""`Loop`: the one training loop, which trains every model."""

from concurrent.futures import Future, ThreadPoolExecutor
from copy import deepcopy
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from torch import Tensor, nn

from motes.data.base import Dataset
from motes.errors import UserError
from motes.models.base import Model, Stage
from motes.models.devices import device_named
from motes.ops.densities import noise
from motes.ops.points.warp import paired
from motes.training.clock import Clock
from motes.training.feeding import AllBatches, StageLoss, without_pixels
from motes.training.interruption import Interruption, Stopped
from motes.training.memory import keep_freed_memory
from motes.training.recipe import Recipe
from motes.training.run import Run, load_optimizer, optimizer_tensors, part_of
from motes.training.schedule import Order, learning_rate, progress, share_of_stage, stage_at, window_of
from motes.training.steps import adam, move_average, not_finite
from motes.training.validation import validate
from motes.types.batch import Batch, Losses

LOG_EVERY = 10


@runtime_checkable
class Watcher(Protocol):
    """An observer of a run, which draws or prints what happens."""

    def step(self, record: dict[str, Any]) -> None: ...

    def evaluated(self, record: dict[str, Any], model: Model, run: Run) -> None: ...


class Loop:
    """The state of a running training, in one process or in each of several."""

    def __init__(
        self,
        model: Model,
        data: Dataset,
        recipe: Recipe,
        run: Run,
        watcher: Watcher | None,
        device: str | None = None,
    ):
        self.recipe = recipe
        self.training = recipe.training
        self.run = run
        self.watcher = watcher
        # or a second run in this process could not have another precision
        AcceleratorState._reset_state()
        self.accelerator = Accelerator(
            cpu=device_named(device) == "cpu",
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
        window = window_of(model, data, self.training.batch_size // self.world)
        frames = data.frames if model.window else 1
        self.order = Order(len(data), self.training.batch_size, self.training.seed, window, frames)
        self.held_out: Dataset | None = None
        self.stages = self.model.stages()
        self.stage = -1
        self.step = 0
        self.elapsed = 0.0
        self.best = float("inf")
        self.best_step = 0
        self.interruption = Interruption()
        self.stopping = False
        self.memory: dict[str, Tensor] = {}

    def restore(self, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
        """Set the state to that of a checkpoint, so that training continues from its step."""
        self.step = facts["step"]
        self.elapsed = facts["elapsed"]
        self.best_step = facts.get("best_step", 0)
        self.best = float("inf") if facts["best"] is None else facts["best"]
        if self.average is not None:
            self.average.load_state_dict(part_of(tensors, "average"))
        if facts["stage"] >= 0:
            self.memory = tensors
            self._open(facts["stage"], begin=False)

    def go(self) -> Path:
        """Train to the end of the schedule, and return the run folder.

        A run that is asked to stop saves its state and raises `Stopped`.
        """
        keep_freed_memory()
        self.clock = Clock(self.elapsed, self.accelerator.device)
        with self.interruption, ThreadPoolExecutor(1) as ahead:
            coming: Future[Batch] = ahead.submit(self._batch, self.step)
            while (share := self._share()) < 1:
                # a run that became longer does not go back
                number = max(stage_at(self.stages, share), self.stage)
                if number != self.stage:
                    self._open(number, begin=True)
                with self.clock.waiting():
                    batch = coming.result()
                coming = ahead.submit(self._batch, self.step + 1)
                self._learn(batch.to(self.accelerator.device), share)
                self.step += 1
                self._after_step()
        return self.run.folder

    def _after_step(self) -> None:
        """Save a checkpoint if it is time for one, at the end of the run, and when the run is asked to
        stop."""
        if self.world == 1:
            self.elapsed = self.clock.seconds()
            self.stopping = self.interruption.requested
        due = self.step % self.training.evaluate_every == 0
        if self.stopping or due or self._share() >= 1:
            with self.clock.paused():
                self._checkpoint()
            # asked meanwhile: this step is on disk
            self.stopping |= self.world == 1 and self.interruption.requested
        if self.stopping and self._share() < 1:
            raise Stopped(f"stopped at step {self.step}; go on with: motes train --resume {self.run.folder}")

    def _learn(self, batch: Batch, share: float) -> None:
        stage = self.stages[self.stage]
        torch.manual_seed(hash((self.training.seed, self.step)) & 0x7FFFFFFF)
        for group, base in zip(self.optimizer.param_groups, self.base_rates, strict=True):
            group["lr"] = base * learning_rate(self.training, self.step, share) / self.training.learning_rate
        if stage.progressed:
            stage.progressed(share_of_stage(self.stages, self.stage, share))
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
        # at once: the next forward pass may use that memory
        self.optimizer.zero_grad(set_to_none=True)

    def _open(self, number: int, begin: bool) -> None:
        """Begin or continue the stage of this number with a new optimiser; only the stage's parameters learn.

        `begin` is false when a checkpoint inside the stage is continued.
        """
        self.stage = number
        stage = self.stages[number]
        for ready in (stage.begin if begin else None, stage.prepare):
            if ready:
                torch.manual_seed(self.training.seed)
                ready(self._all_batches())
        self._let_learn(stage)
        self.optimizer = (
            stage.optimizer(self.training.learning_rate) if stage.optimizer else adam(stage, self.training)
        )
        self.base_rates = [group["lr"] for group in self.optimizer.param_groups]
        if self.memory:
            load_optimizer(self.optimizer, self.memory)
            self.memory = {}
        module = StageLoss(self.model, stage)
        self.module = self.accelerator.prepare(module) if stage.parameters else module

    def _let_learn(self, stage: Stage) -> None:
        learning = {id(parameter) for parameter in stage.parameters}
        for parameter in self.model.parameters():
            parameter.requires_grad_(id(parameter) in learning)

    def _checkpoint(self) -> None:
        """Validate the model, record the result and save a checkpoint, in the first process; the others
        wait."""
        if self.accelerator.is_main_process:
            model = self.model if self.average is None else self.average
            record = {"step": self.step, **self._validated(model)}
            better = record["validation"] < self.best
            if better:
                self.best = record["validation"]
                self.best_step = self.step
            self.run.record(record)
            self.run.save(model, self._tensors(), self._facts(), better)
            if self.watcher:
                self.watcher.evaluated(record, model, self.run)
        self.accelerator.wait_for_everyone()

    def _validated(self, model: Model) -> dict[str, Any]:
        """The record of a validation on held-out pictures.

        The validation split is opened once per run, because listing a folder of pictures takes long.
        """
        if self.held_out is None:
            self.held_out = self.recipe.data.open("validation")
        return validate(model, self.held_out, self.training.validation_pictures)

    def _tensors(self) -> dict[str, Tensor]:
        """The tensors needed to continue training, besides the model that is saved for use."""
        tensors = {f"model.{key}": value for key, value in self.model.state_dict().items()}
        tensors |= optimizer_tensors(self.optimizer)
        if self.average is not None:
            tensors |= {f"average.{key}": value for key, value in self.average.state_dict().items()}
        return tensors

    def _facts(self) -> dict[str, Any]:
        return {
            "step": self.step,
            "stage": self.stage,
            "elapsed": self.elapsed,
            "best_step": self.best_step,
            "best": self.best if self.best < float("inf") else None,
        }

    def _batch(self, step: int) -> Batch:
        rows = self.order.rows(step, self.rank, self.world)
        if not self.model.reads_pictures:
            return without_pixels(self.data, rows, self.order.window)
        return self.data.batch(rows, self.model.needs, self.order.window)

    def _all_batches(self) -> AllBatches:
        return AllBatches(self.data, self.training.batch_size, self.model.needs, self.accelerator.device)

    def _share(self) -> float:
        return progress(self.step, self.elapsed, self.training)

    def _agree(self, losses: Losses, batch: Batch) -> None:
        """Share between all processes the elapsed time, any request to stop, and whether any loss is not
        finite.

        So all processes stop at the same step; otherwise some would wait for the others for ever.
        """
        bad = bool(~torch.isfinite(losses.total.detach()))
        anywhere = bad
        if self.world > 1:
            report = [self.clock.seconds(), self.interruption.requested, bad]
            agreed = torch.tensor(report, dtype=torch.float64, device=self.accelerator.device)
            torch.distributed.all_reduce(agreed, torch.distributed.ReduceOp.MAX)
            self.elapsed = agreed[0].item()
            self.stopping = bool(agreed[1])
            anywhere = bool(agreed[2])
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
        # over the global batch
        reduced: Any = self.accelerator.reduce(means, "mean")
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
