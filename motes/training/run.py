"""`Run`: the folder of a run, with run.json, metrics.jsonl, pictures/ and checkpoints/{step-..., last, best}.

A checkpoint on disk is always complete, even after a crash.
"""

import contextlib
import json
import math
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from motes.errors import UserError
from motes.models.base import Model
from motes.models.checkpoint import save_tensors, write_model
from motes.plain.writing import Unwritten, flush, whole_file, whole_folder

FACTS = {"step", "stage", "elapsed", "best"}  # what a checkpoint says of the run
KEPT = 2  # newest checkpoints, besides the best


class Run:
    """Writes and reads one run folder."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.checkpoints = folder / "checkpoints"
        self.pictures = folder / "pictures"
        self.metrics = folder / "metrics.jsonl"

    def record(self, line: Mapping[str, Any]) -> None:
        with self.metrics.open("a") as file:
            file.write(json.dumps(line) + "\n")

    def save(self, model: Model, tensors: Mapping[str, Tensor], facts: Mapping[str, Any], best: bool) -> None:
        """Write one checkpoint, and let the link `last` (and `best`, if `best` is true) point to it.

        The checkpoint is written to a temporary folder, flushed and renamed; a link is replaced in one step.
        """
        if not _is_finite(model):
            raise UserError(
                f"the weights are no longer finite at step {facts['step']}; "
                f"the last checkpoint is kept: {self.checkpoints / 'last'}"
            )
        target = self.checkpoints / f"step-{facts['step']:07d}"
        try:
            with whole_folder(target) as fresh:
                write_model(model, fresh)
                _write_training(tensors, facts, fresh)
            self._point("last", target)
            if best:
                self._point("best", target)
        except (OSError, Unwritten) as problem:
            reason = getattr(problem, "reason", problem)
            raise UserError(
                f"the checkpoint of step {facts['step']} could not be written ({reason}); the one before it is "
                "whole, make room and resume"
            ) from None
        self._sweep()

    def restore(self, tidy: bool = True) -> tuple[Path, dict[str, Tensor], dict[str, Any]] | None:
        """The folder, tensors and facts of the last complete checkpoint; None if there never was one.

        `tidy` also mends the links, and removes unfinished files and the metrics of steps that will be
        repeated.
        """
        folder = self._last()
        if folder is None:
            if tidy:
                self._tidy(0)
            return None
        try:
            tensors, facts = _read_training(folder)
        except (SafetensorError, ValueError, OSError, TypeError, KeyError):
            raise UserError(
                f"{folder} is incomplete, cut short or damaged; "
                f"point {self.checkpoints / 'last'} at an older checkpoint, or start anew"
            ) from None
        if tidy:
            self._tidy(facts["step"])
            self._mend_links(folder, facts)
        return folder, tensors, facts

    def _mend_links(self, last: Path, facts: Mapping[str, Any]) -> None:
        self._point("last", last)
        best = self.checkpoints / f"step-{facts.get('best_step', 0):07d}"
        if best.is_dir():
            self._point("best", best)

    def read_metrics(self) -> list[dict[str, Any]]:
        lines = []
        if self.metrics.exists():
            for line in self.metrics.read_text().splitlines():
                # the last line of a killed run may be half a line
                with contextlib.suppress(ValueError):
                    lines.append(json.loads(line))
        return lines

    def _last(self) -> Path | None:
        link = self.checkpoints / "last"
        if link.exists():
            return link.resolve()
        if link.is_symlink():
            raise UserError(
                f"{link} points to {link.readlink()}, which is gone; "
                "point it at another checkpoint, or start anew"
            )
        # killed before the link was set, or copied without links
        return max(self.checkpoints.glob("step-*"), default=None)

    def _tidy(self, step: int) -> None:
        for leftover in self.checkpoints.glob(".*"):
            leftover.unlink() if leftover.is_symlink() else shutil.rmtree(leftover, ignore_errors=True)
        for leftover in self.folder.glob(".run.json.*.part"):
            leftover.unlink()
        self.checkpoints.mkdir(parents=True, exist_ok=True)
        self.pictures.mkdir(exist_ok=True)
        self._cut_metrics(step)

    def _cut_metrics(self, step: int) -> None:
        """Remove the lines of metrics.jsonl for steps that will be taken again after `step`."""
        # a training line is of the step about to be taken, a validation line of the steps that were
        lines = [
            line
            for line in self.read_metrics()
            if line.get("step", math.inf) + ("validation" not in line) <= step
        ]
        with whole_file(self.metrics) as fresh:
            fresh.write_text("".join(json.dumps(line) + "\n" for line in lines))

    def _point(self, name: str, target: Path) -> None:
        link = self.checkpoints / f".{name}.link"
        link.unlink(missing_ok=True)
        link.symlink_to(target.name)
        link.replace(self.checkpoints / name)
        flush(self.checkpoints)

    def _sweep(self) -> None:
        linked = {(self.checkpoints / name).resolve() for name in ("last", "best")}
        for old in sorted(self.checkpoints.glob("step-*"))[:-KEPT]:
            if old.resolve() not in linked:
                shutil.rmtree(old, ignore_errors=True)


def _is_finite(model: Model) -> bool:
    numbers = (value for value in model.state_dict().values() if value.is_floating_point())
    return all(torch.isfinite(value).all() for value in numbers)


def _write_training(tensors: Mapping[str, Tensor], facts: Mapping[str, Any], folder: Path) -> None:
    """Write what a checkpoint needs besides the model, so that training can continue from it."""
    on_host = {key: value.detach().cpu() for key, value in tensors.items()}
    save_tensors(on_host, folder / "training.safetensors")
    (folder / "training.json").write_text(json.dumps(dict(facts), indent=2) + "\n")


def _read_training(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    facts = dict(json.loads((folder / "training.json").read_text()))
    tensors = load_file(folder / "training.safetensors")
    if not facts.keys() >= FACTS:
        raise KeyError
    return tensors, facts


def part_of(tensors: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    """The tensors of one part of a checkpoint, such as "model" or "average", keyed by their names in that
    part."""
    start = f"{name}."
    return {key.removeprefix(start): value for key, value in tensors.items() if key.startswith(start)}


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """The optimiser's state as a flat dict of tensors.

    Its settings are left out, as the recipe holds them.
    """
    state = optimizer.state_dict()["state"]
    return {
        f"optimizer.{row}.{name}": torch.as_tensor(value)
        for row, memory in state.items()
        for name, value in memory.items()
        if value is not None
    }


def load_optimizer(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        if key.startswith("optimizer."):
            _, row, name = key.split(".", 2)
            state.setdefault(int(row), {})[name] = value
    settings = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": state, "param_groups": settings})
