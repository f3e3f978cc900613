"""All that decides a run: model, data, training; written to `run.json` and enough to start or resume it. Needs no torch."""

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from motes.errors import UserError
from motes.version import VERSION


@dataclass(frozen=True)
class Training:
    """How the weights move."""

    steps: int = 10000
    batch_size: int = 64  # over all processes together
    learning_rate: float = 2e-4
    adam_epsilon: float = 1e-8  # the paper's presets have 1e-4, which slows parameters with small gradients
    schedule: Literal["constant", "cosine", "halving"] = "cosine"
    halvings: tuple[float, ...] = (0.5,)  # at these shares of the run, where the schedule is halving
    warm_steps: int = 50  # the rate climbs over these first steps
    clip_norm: float = 0.0  # longest gradient; 0: any
    precision: Literal["fp32", "bf16"] = "fp32"
    average: float = 0.0  # decay of a moving average of the weights, which is then what is saved; 0: none
    seed: int = 0
    max_minutes: float = 0.0  # the schedule ends when steps or minutes do; 0: by steps alone, which is bit-reproducible
    evaluate_every: int = 500  # steps between validations, each with a checkpoint
    validation_pictures: int = 256


@dataclass(frozen=True)
class Recipe:
    """A run, by names and plain values."""

    model: str
    data: str
    model_config: dict[str, Any] = field(default_factory=dict)
    data_config: dict[str, Any] = field(default_factory=dict)
    training: Training = field(default_factory=Training)
    preset: str = ""

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        fresh = folder / ".run.json.part"
        fresh.write_text(json.dumps({"motes": VERSION, **asdict(self)}, indent=2) + "\n")
        fresh.replace(folder / "run.json")


def read_recipe(folder: Path) -> Recipe:
    path = folder / "run.json"
    try:
        facts = json.loads(path.read_text())
        training: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in facts.pop("training").items()}
        known = {one.name for one in fields(Recipe)}
        return Recipe(**{key: value for key, value in facts.items() if key in known}, training=Training(**training))
    except FileNotFoundError:
        raise UserError(f"{folder} is no run: it has no run.json") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UserError(f"{path} is damaged, or of another version of motes") from None
