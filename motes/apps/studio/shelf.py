"""`Shelf`: the runs and pictures that the studio may show, by name. Clients can reach nothing else."""

import io
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from motes.apps.drawing.marks import to_picture
from motes.apps.session.picture_reader import image_of_pixels
from motes.apps.session.session import SPREAD_OF, Encoded, Session, Spread
from motes.apps.studio.decoder import Decoder
from motes.data.base import Dataset
from motes.data.files.folder import list_pictures
from motes.errors import UserError
from motes.models.checkpoint import checkpoint_folder, read_config
from motes.plain.cache import Cache
from motes.training.recipe import read_recipe
from motes.training.run import Run
from motes.types.latents import Image
from motes.version import VERSION

# held-out pictures (or clips) of a run, and pictures of folders, that are offered
SHOWN = 24
OFFERED = 500
# side of a small picture, in pixels
THUMB = 96
# bytes that are remembered: of folders' pictures at models' sizes, and of encoded pictures
DECODED = 2**26
ENCODED = 2**27


class FileLook(NamedTuple):
    """A picture of a folder as a model takes it."""

    name: str
    # changes when the file does
    stamp: tuple[int, int]
    # rows, columns
    size: tuple[int, int]
    channels: int


class EncodedKey(NamedTuple):
    """A picture as a run's model sees it."""

    # the page whose own picture it is; empty for pictures of the shelf
    page: str
    name: str
    checkpoint: Path


class OpenedRun:
    """A run folder or a single checkpoint that is open in the studio.

    Its model is loaded when it is first needed, because a run that just began has no checkpoint yet.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.name = folder.resolve().name
        if not (folder / "run.json").is_file():
            # what is neither a run nor a checkpoint is refused now
            checkpoint_folder(folder)
        self.run = Run(folder)
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
        newest = checkpoint_folder(self.folder).resolve()
        if newest == self._checkpoint:
            return False
        self._session = Session.open(newest)
        self._checkpoint = newest
        self._spread = None
        return True

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

    def some_held_out(self) -> Image | None:
        """A few pictures that were not used in training, at the model's size; None if there are none."""
        if self.held_out is None or not len(self.held_out):
            return None
        rows = range(min(SPREAD_OF, len(self.held_out)))
        return _sized(self.held_out.batch(rows).image, self.session)

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
            "watchable": (self.folder / "run.json").is_file(),
        }
        try:
            model, config = read_config(checkpoint_folder(self.folder))
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


class Shelf:
    """The open runs and folders of pictures.

    Pictures are named held-out/RUN/NUMBER, or folder/NUMBER/FILE with the number of the folder.
    """

    def __init__(self, runs: list[Path], folders: list[Path] | None = None):
        self.runs = [OpenedRun(folder) for folder in runs]
        for run in self.runs:
            namesakes = [opened for opened in self.runs if opened.name == run.name]
            for number, namesake in enumerate(namesakes[1:], 2):
                namesake.name = f"{namesake.name}-{number}"
        self.files = {
            f"folder/{n}/{path.name}": path
            for n, folder in enumerate(folders or [])
            for path in list_pictures(folder)
        }
        self.decoder = Decoder()
        # pixels, or a sentence why there are none
        self._decoded: Cache[FileLook, np.ndarray | str] = Cache(DECODED, _bytes_of)
        self.encoded: Cache[EncodedKey, Encoded] = Cache(ENCODED, _bytes_of_encoded)

    def facts(self) -> dict[str, Any]:
        """What a page is sent when it opens; it asks for more when it shows a run."""
        return {
            "version": VERSION,
            "runs": [run.facts() for run in self.runs],
            "pictures": list(self.files)[:OFFERED],
        }

    def warm(self) -> None:
        """Load the first run that is ready, while the browser starts; it is the one that a page shows
        first."""
        first = next((run for run in self.runs if run.facts()["ready"]), None)
        if first is not None:
            first.details()

    def run(self, number: Any) -> OpenedRun:
        if type(number) is not int or not 0 <= number < len(self.runs):
            raise UserError(f"there is no run {str(number)[:20]!r}; {len(self.runs)} are open")
        return self.runs[number]

    def picture(self, name: str, session: Session) -> Image:
        """The picture of this name, at the model's size.

        The name is looked up in a table and never used as a path.
        """
        if name in self.files:
            config = session.model.config
            look = self._look(name, config.image_size, config.channels)
            return image_of_pixels(self.decoded(look)[None], session.device)
        run, number = self._held_out(name)
        return _sized(run.held_out_picture(number), session)

    def undecoded(self, name: Any, run: OpenedRun) -> FileLook | None:
        """What has to be decoded before the run's model can be given the picture of this name."""
        if not isinstance(name, str) or name not in self.files:
            return None
        _, config = read_config(checkpoint_folder(run.folder))
        look = self._look(name, config["image_size"], config["channels"])
        return None if look in self._decoded else look

    def decoded(self, look: FileLook) -> np.ndarray:
        """The picture of a folder, at a model's size: uint8, C H W.

        It is decoded in the decoder's process, once. A refusal is remembered too, for it may have taken seconds.
        """
        pixels = self._decoded.get(look)
        if pixels is None:
            try:
                pixels = self.decoder.fitted(self.files[look.name], look.size, look.channels)
            except UserError as problem:
                pixels = str(problem)
            self._decoded.put(look, pixels)
        if isinstance(pixels, str):
            raise UserError(pixels)
        return pixels

    def _look(self, name: str, size: Sequence[int], channels: int) -> FileLook:
        rows, columns = size
        return FileLook(name, _stamp(self.files[name]), (rows, columns), channels)

    def _held_out(self, name: str) -> tuple[OpenedRun, int]:
        """The run and the row that a name of the form held-out/RUN/ROW means."""
        kind, _, path = name.partition("/")
        run_name, _, number = path.rpartition("/")
        run = next((run for run in self.runs if run.name == run_name), None)
        is_number = number.isascii() and number.isdecimal() and len(number) < 9
        if kind != "held-out" or run is None or not is_number:
            raise UserError(f"there is no picture {name[:80]!r} here; if it was dropped in, drop it in again")
        return run, int(number)

    def drawn_small(self, name: str) -> bytes:
        """A small version of the picture of this name, as the bytes of a PNG."""
        if name in self.files:
            picture = self.decoder.small(self.files[name], THUMB)
        else:
            run, number = self._held_out(name)
            picture = to_picture(run.held_out_picture(number)[0], THUMB)
        file = io.BytesIO()
        picture.save(file, "PNG")
        return file.getvalue()

    def expression(self, name: str) -> str:
        """The Python expression that reads the picture of this name."""
        if name.startswith("held-out/"):
            run_name, _, number = name.removeprefix("held-out/").rpartition("/")
            folder = next(str(run.folder) for run in self.runs if run.name == run_name)
            return f'read_recipe(Path({folder!r})).data.open("validation").batch([{number}]).image'
        return f"session.read({str(self.files.get(name, 'picture.png'))!r})"


def _stamp(path: Path) -> tuple[int, int]:
    """When the file was changed, and its size; zeros if it is gone."""
    try:
        facts = path.stat()
    except OSError:
        return 0, 0
    return facts.st_mtime_ns, facts.st_size


def _bytes_of(decoded: np.ndarray | str) -> int:
    return len(decoded) if isinstance(decoded, str) else decoded.nbytes


def _bytes_of_encoded(encoded: Encoded) -> int:
    return sum(value.nbytes for value in (encoded.image, *encoded.latent.tensors().values()))


def _sized(image: Image, session: Session) -> Image:
    """Pictures of another model's data, brought to this model's image size and number of channels."""
    config = session.model.config
    size = tuple(config.image_size)
    if image.shape[1] != config.channels:
        image = image.mean(1, keepdim=True).expand(-1, config.channels, -1, -1)
    if tuple(image.shape[2:]) != size:
        image = torch.nn.functional.interpolate(image, size, mode="bilinear", antialias=True).clamp(0, 1)
    return image.to(session.device)
