"""`OpenedRun`: a run that is open in the studio, and the names by which open runs are told apart."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from motes.apps.session.offers import SPREAD_OF, Spread
from motes.apps.session.session import Session
from motes.apps.studio.history import MetricsHistory
from motes.data.base import Dataset
from motes.errors import UserError
from motes.models.checkpoint import checkpoint_folder, read_config
from motes.training.recipe import read_recipe
from motes.training.run import Run
from motes.types.latents import Image
from motes.weights.runs import name_of_run

# held-out pictures (or clips) of a run that are offered
SHOWN = 24


def opened_runs(folders: Sequence[Path]) -> list["OpenedRun"]:
    """The runs in these folders, each once.

    A run is named by the last parts of its folder, as many as tell it from the others: so its name does not
    depend on the order, and a link means the same run when the studio is started again.
    """
    resolved = {folder.resolve(): folder for folder in folders}
    return [OpenedRun(folder, _name_among(path, list(resolved))) for path, folder in resolved.items()]


def _name_among(path: Path, paths: list[Path]) -> str:
    for count in range(1, len(path.parts)):
        parts = path.parts[-count:]
        if not any(other != path and other.parts[-count:] == parts for other in paths):
            return "/".join(parts)
    return str(path)


class OpenedRun:
    """A run folder or a single checkpoint that is open in the studio.

    Its model is loaded when it is first needed, because a run that just began has no checkpoint yet.
    """

    def __init__(self, folder: Path, name: str = ""):
        self.folder = folder
        self.name = name or folder.resolve().name
        if not self.watchable:
            # what is neither a run nor a checkpoint is refused now
            checkpoint_folder(folder)
        self.run = Run(folder)
        self.history = MetricsHistory(self.run.metrics)
        self._session: Session | None = None
        self._checkpoint: Path | None = None
        self._spread: Spread | None = None

    @property
    def session(self) -> Session:
        """A session with the checkpoint that was the best one when `renew` was last called."""
        if self._session is None:
            self.renew()
        assert self._session is not None
        return self._session

    @property
    def checkpoint(self) -> Path:
        """The folder of the checkpoint that `session` has."""
        if self._checkpoint is None:
            self.renew()
        assert self._checkpoint is not None
        return self._checkpoint

    def renew(self) -> bool:
        """Load the newest checkpoint; return whether there was a newer one."""
        newest = self.newest().resolve()
        if newest == self._checkpoint:
            return False
        self._session = Session.open(newest)
        self._checkpoint = newest
        self._spread = None
        return True

    def newest(self) -> Path:
        """The folder of the best checkpoint so far."""
        try:
            return checkpoint_folder(self.folder)
        except UserError:
            if not self.watchable:
                raise
            raise UserError(
                f"{self.name} has no checkpoint yet; it can be watched until it has one"
            ) from None

    @property
    def watchable(self) -> bool:
        """Whether this is a run rather than a checkpoint alone."""
        return (self.folder / "run.json").is_file()

    @cached_property
    def held_out(self) -> Dataset | None:
        try:
            return read_recipe(self.folder).data.open("validation")
        # a checkpoint alone, or its data have moved
        except UserError:
            return None

    def held_out_picture(self, number: int) -> Image:
        if self.held_out is None or number >= len(self.held_out):
            raise UserError(f"there is no held-out picture {number} of {self.name}")
        return self.held_out.batch([number]).image

    @property
    def python_name(self) -> str:
        """What `Session.open` takes for the very checkpoint that `session` has: the name of a model that comes
        with motes, or else an absolute path."""
        return name_of_run(self.checkpoint)

    @property
    def python_data(self) -> str:
        """The Python expression for the data of the run, wherever it is run."""
        path = str(read_recipe(self.folder).data.config.get("path") or "/")
        moved = "" if Path(path).is_absolute() else f'.changed({{"path": {str(Path(path).absolute())!r}}})'
        return f"read_recipe(run_folder({name_of_run(self.folder)!r})).data{moved}"

    def some_held_out(self) -> Image | None:
        """A few pictures that were not used in training, at the model's size; None if there are none."""
        if self.held_out is None or not len(self.held_out):
            return None
        rows = range(min(SPREAD_OF, len(self.held_out)))
        return self.session.fitted(self.held_out.batch(rows).image)

    @property
    def spread(self) -> Spread | None:
        """The spread of features or codes over held-out pictures; None if there are no such pictures."""
        if self._spread is None and (image := self.some_held_out()) is not None:
            self._spread = self.session.spread(image)
        return self._spread

    def facts(self) -> dict[str, Any]:
        """What a page is sent about this run when the page opens.

        Neither the model nor the data is loaded for it, because there may be many runs.
        """
        facts: dict[str, Any] = {
            "name": self.name,
            "ready": False,
            "watchable": self.watchable,
        }
        try:
            model, config = read_config(self.newest())
        except UserError as problem:
            return {**facts, "problem": str(problem)}
        return {**facts, "ready": True, "model": model, "size": config.get("image_size")}

    def details(self) -> dict[str, Any]:
        """What a page is sent when it shows this run: the run's pictures, and what its model can do.

        The model is loaded for it.
        """
        facts = self.facts()
        count = 0 if self.held_out is None else len(self.held_out)
        frames = 1 if self.held_out is None else self.held_out.frames
        # the first frame of each clip
        rows = range(0, count, frames)[:SHOWN]
        facts |= {"pictures": [f"held-out/{self.name}/{row}" for row in rows], "frames": frames}
        return {**facts, "offers": vars(self.session.offers)} if facts["ready"] else facts
