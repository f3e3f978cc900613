"""Sends a run's numbers and pictures to a tracker, such as TensorBoard, through accelerate. Imports no torch."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from motes.errors import UserError
from motes.training.recipe import Recipe

if TYPE_CHECKING:
    from motes.models.base import Model
    from motes.training.run import Run
    from motes.training.running import Watcher

# by the names that accelerate gives trackers: the package that each needs, and how to install it
PACKAGES = {
    "tensorboard": ("tensorboard", "pip install 'motes[log]'"),
    "wandb": ("wandb", "pip install wandb"),
    "trackio": ("trackio", "pip install trackio"),
}
# that pictures have their colours last
LAYOUT = {"tensorboard": {"dataformats": "NHWC"}}


def refuse_missing_tracker(name: str) -> None:
    package, command = PACKAGES[name]
    if find_spec(package) is None:
        raise UserError(f"--log-with {name} needs the package {package}; install it with: {command}")


@contextmanager
def with_tracker(name: str | None, recipe: Recipe, folder: Path, first: "Watcher") -> "Iterator[Watcher]":
    """A watcher that tells `first` everything and then the tracker of this name; `first` itself without a name."""
    if name is None:
        yield first
        return
    tracking = Tracking(name, recipe, folder, first)
    try:
        yield tracking
    finally:
        tracking.close()


class Tracking:
    """A watcher that tells another watcher everything first, then a tracker."""

    def __init__(self, name: str, recipe: Recipe, folder: Path, first: "Watcher"):
        self._name = name
        self._recipe = recipe
        self._folder = folder
        self._first = first
        self._tracker: Any = None

    def step(self, record: dict[str, Any]) -> None:
        self._first.step(record)
        terms = {f"loss/{name}": value for name, value in record["terms"].items()}
        numbers = {"loss/total": record["total"], "seconds": record["seconds"], **terms}
        self._opened().log(numbers, step=record["step"])

    def evaluated(self, record: dict[str, Any], model: "Model", run: "Run") -> None:
        import numpy as np
        from PIL import Image

        self._first.evaluated(record, model, run)
        tracker = self._opened()
        step = record["step"]
        numbers = {name: value for name, value in record.items() if isinstance(value, float)}
        tracker.log({f"validation/{name}": value for name, value in numbers.items()}, step=step)
        drawn = run.pictures / f"step-{step:07d}.png"
        if drawn.is_file() and hasattr(tracker, "log_images"):
            picture = np.asarray(Image.open(drawn).convert("RGB"))
            tracker.log_images({"pictures": picture[None]}, step=step, **LAYOUT.get(self._name, {}))

    def close(self) -> None:
        if self._tracker is not None:
            self._tracker.finish()

    def _opened(self) -> Any:
        """The tracker, opened when the run has begun: before, accelerate does not know the devices."""
        if self._tracker is None:
            self._tracker = _open(self._name, self._folder)
            self._tracker.store_init_configuration(_plain(self._recipe))
        return self._tracker


def _open(name: str, folder: Path) -> Any:
    from accelerate.tracking import LOGGER_TYPE_TO_CLASS

    if name not in LOGGER_TYPE_TO_CLASS:
        raise UserError(
            f"this accelerate knows no tracker {name}; install a newer one: pip install -U accelerate"
        )
    tracker = LOGGER_TYPE_TO_CLASS[name]
    opened = tracker(folder.name, str(folder)) if tracker.requires_logging_directory else tracker(folder.name)
    if hasattr(opened, "start"):
        opened.start()
    return opened


def _plain(recipe: Recipe) -> dict[str, Any]:
    """The recipe as names and values that any tracker takes."""
    homes = {"model": recipe.model_config, "data": recipe.data.config, "training": vars(recipe.training)}
    values = {f"{home}.{name}": value for home, options in homes.items() for name, value in options.items()}
    plain = {name: v if isinstance(v, bool | int | float | str) else str(v) for name, v in values.items()}
    return {"model": recipe.model, "data": recipe.data.name, **plain}
