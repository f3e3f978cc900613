"""`Recipe`: all settings of a run (model, data, training), enough to start or resume it.

It is written to `run.json`. Needs no torch.
"""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from motes.data.source import Source
from motes.errors import UserError
from motes.plain.records import from_plain
from motes.plain.writing import whole_file
from motes.version import VERSION


@dataclass(frozen=True)
class Training:
    """How the weights are trained."""

    steps: int = 10000
    # pictures per step, over all processes together
    batch_size: int = 64
    learning_rate: float = 2e-4
    # the paper's presets have 1e-4, which slows parameters with small gradients
    adam_epsilon: float = 1e-8
    schedule: Literal["constant", "cosine", "halving"] = "cosine"
    # shares of the run at which the learning rate is halved, if the schedule is "halving"
    halvings: tuple[float, ...] = (0.5,)
    # number of first steps over which the learning rate climbs
    warm_steps: int = 50
    # largest norm of the gradient; a longer gradient is shortened to this norm; 0: no limit
    clip_norm: float = 0.0
    # auto: the quicker one, measured at the start; run.json then holds it
    precision: Literal["fp32", "bf16", "auto"] = "fp32"
    # decay of a moving average of the weights, which is saved as the model in place of them; 0: no average
    average: float = 0.0
    # learn from warped pairs: a slightly and a strongly warped copy of each picture
    pairs: bool = False
    seed: int = 0
    # the schedule ends when steps or minutes of training do (on a CPU its CPU time over its threads, without
    # validation); 0: by steps alone, which is bit-reproducible
    max_minutes: float = 0.0
    # steps between validations, each with a checkpoint
    evaluate_every: int = 500
    validation_pictures: int = 256


@dataclass(frozen=True)
class Change:
    """A change of a run's length, made when the run went on."""

    # that were taken when it was changed
    step: int
    # before and after
    steps: tuple[int, int]
    # before and after
    max_minutes: tuple[float, float]


@dataclass(frozen=True)
class Recipe:
    """All settings of a run, as names and plain values."""

    model: str
    data: Source
    model_config: dict[str, Any] = field(default_factory=dict)
    training: Training = field(default_factory=Training)
    preset: str = ""
    # of the length; `training` holds the newest
    changes: tuple[Change, ...] = ()

    def save(self, folder: Path) -> None:
        """Write the recipe to `run.json` in the folder."""
        facts = {
            "motes": VERSION,
            "model": self.model,
            "data": self.data.name,
            "model_config": self.model_config,
            "data_config": dict(self.data.config),
            "training": asdict(self.training),
            "preset": self.preset,
        }
        if self.changes:
            facts["changes"] = [asdict(change) for change in self.changes]
        with whole_file(folder / "run.json") as fresh:
            fresh.write_text(json.dumps(facts, indent=2) + "\n")


def read_recipe(folder: Path) -> Recipe:
    path = folder / "run.json"
    try:
        facts = json.loads(path.read_text())
        training = from_plain(Training, dict(facts.pop("training")), f"training in {path}")
        check(training)
        data = Source(facts["data"], dict(facts.get("data_config", {})))
        model_config = dict(facts.get("model_config", {}))
        changes = tuple(
            from_plain(Change, change, f"changes in {path}") for change in facts.get("changes", ())
        )
        return Recipe(facts["model"], data, model_config, training, facts.get("preset", ""), changes)
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(f"{folder} is no run: it has no run.json") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UserError(f"{path} is damaged, or of another version of motes") from None


def refuse_used(folder: Path) -> None:
    """Refuse a folder that holds a run, before a new run is written there."""
    if (folder / "run.json").exists() or (folder / "checkpoints").exists():
        raise UserError(
            f"{folder} already holds a run; go on with it by motes train --resume {folder}, "
            "or choose another --out"
        )


def check(training: Training) -> None:
    """Refuse options of training that are out of range, with an error that names the option."""
    _check_counts(training)
    if not 0 < training.learning_rate < float("inf"):
        raise UserError(f"learning_rate must be positive, not {training.learning_rate}")
    if not 0 <= training.average < 1:
        raise UserError(
            f"average must be at least 0 and below 1, not {training.average}; 0.999 is usual, 0 is none"
        )
    if not 0 <= training.seed < 2**63:
        raise UserError(f"seed must be a whole number from 0 up, not {training.seed}")


def _check_counts(training: Training) -> None:
    for name in ("steps", "batch_size", "evaluate_every"):
        if getattr(training, name) < 1:
            raise UserError(f"{name} must be at least 1, not {getattr(training, name)}")
    for name in ("warm_steps", "clip_norm", "max_minutes", "validation_pictures", "adam_epsilon"):
        if not getattr(training, name) >= 0:
            raise UserError(f"{name} must not be negative, and is {getattr(training, name)}")
