"""The folder a run lives in: run.json, metrics.jsonl, pictures/, checkpoints/{step-..., last, best}; always whole on disk."""

import contextlib
import json
import math
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from motes.errors import UserError
from motes.models.base import Model
from motes.models.checkpoint import begin_folder, finish_folder, write_model

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
        """One checkpoint: written beside its place, flushed, renamed; `last` and `best` are links that swap in one step."""
        if not all(torch.isfinite(value).all() for value in model.state_dict().values() if value.is_floating_point()):
            raise UserError(
                f"the weights are no longer finite at step {facts['step']}; the last checkpoint is kept: {self.checkpoints / 'last'}"
            )
        target = self.checkpoints / f"step-{facts['step']:07d}"
        fresh = begin_folder(target)
        try:
            write_model(model, fresh)
            save_file(
                {key: value.detach().cpu().contiguous() for key, value in tensors.items()},
                fresh / "training.safetensors",
            )
            (fresh / "training.json").write_text(json.dumps(dict(facts), indent=2) + "\n")
            finish_folder(fresh, target)
            self._point("last", target)
            if best:
                self._point("best", target)
        except (OSError, SafetensorError) as problem:
            shutil.rmtree(fresh, ignore_errors=True)
            raise UserError(
                f"the checkpoint of step {facts['step']} could not be written ({problem}); the one before it is whole, make room and resume"
            ) from None
        self._sweep()

    def restore(self) -> tuple[Path, dict[str, Tensor], dict[str, Any]]:
        """The last whole checkpoint; what a crash left half-written is removed, and metrics of steps that never were."""
        for leftover in [*self.checkpoints.glob(".*.part"), *self.checkpoints.glob(".*.old")]:
            shutil.rmtree(leftover, ignore_errors=True)
        folder = self.checkpoints / "last"
        try:
            facts = json.loads((folder / "training.json").read_text())
            tensors = load_file(folder / "training.safetensors")
        except FileNotFoundError:
            raise UserError(
                f"{self.folder} has no checkpoint to resume from; start it anew with --out {self.folder} after removing it"
            ) from None
        except (SafetensorError, ValueError, OSError):
            raise UserError(f"{folder.resolve()} is cut short or damaged; point {folder} at an older checkpoint, or start anew") from None
        self._forget_after(facts["step"])
        return folder, tensors, facts

    def read_metrics(self) -> list[dict[str, Any]]:
        lines = []
        if self.metrics.exists():
            for line in self.metrics.read_text().splitlines():
                with contextlib.suppress(ValueError):  # the last line of a killed run may be half a line
                    lines.append(json.loads(line))
        return lines

    def _forget_after(self, step: int) -> None:
        kept = [json.dumps(line) for line in self.read_metrics() if line.get("step", math.inf) <= step]
        fresh = self.metrics.with_suffix(".part")
        fresh.write_text("".join(line + "\n" for line in kept))
        fresh.replace(self.metrics)

    def _point(self, name: str, target: Path) -> None:
        link = self.checkpoints / f".{name}.link"
        link.unlink(missing_ok=True)
        link.symlink_to(target.name)
        link.replace(self.checkpoints / name)

    def _sweep(self) -> None:
        linked = {(self.checkpoints / name).resolve() for name in ("last", "best")}
        for old in sorted(self.checkpoints.glob("step-*"))[:-KEPT]:
            if old.resolve() not in linked:
                shutil.rmtree(old, ignore_errors=True)


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """The optimiser's memory as flat tensors; its settings come from the recipe."""
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
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
