"""What was opened: runs with their models, and pictures by name. Nothing outside of it can be reached."""

import io
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from PIL import Image as Pictures

from motes.apps.drawing.marks import to_picture
from motes.apps.session.session import SPREAD_OF, Session, Spread
from motes.data.base import Dataset
from motes.data.files.folder import list_pictures
from motes.data.files.picture_files import read_bytes
from motes.errors import UserError
from motes.models.checkpoint import checkpoint_folder, read_config
from motes.training.recipe import read_recipe
from motes.training.run import Run
from motes.types.latents import Image
from motes.version import VERSION

# held-out pictures of a run, and pictures of folders, that are offered
SHOWN = 24
OFFERED = 500
THUMB = 96  # side of a small picture, in pixels
# bytes and pixels of a picture from a client
LARGEST_FILE = 20_000_000
LARGEST_PICTURE = 40_000_000
KEPT_SIDE = 512  # a client's picture is kept no larger
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")  # others bring interpreters with them


class OpenedRun:
    """A run, or a checkpoint alone. Its model is loaded when first asked for: a run that just began has none
    yet."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.name = folder.resolve().name
        if not (folder / "run.json").is_file():
            checkpoint_folder(folder)  # neither a run nor a checkpoint: refused now
        self.run = Run(folder)
        self._session: Session | None = None
        self._checkpoint: Path | None = None
        self._spread: Spread | None = None

    @property
    def session(self) -> Session:
        """Of the checkpoint that was the best when it was last asked for anew."""
        if self._session is None:
            self.renew()
        assert self._session is not None
        return self._session

    def renew(self) -> bool:
        """Load the model if there is a newer one; whether there was."""
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
            return read_recipe(self.folder).source.open("validation")
        except UserError:
            return None  # a checkpoint alone, or its data lies elsewhere today

    def some_held_out(self) -> Image | None:
        """A few pictures that training never saw, at the model's size."""
        if self.held_out is None or not len(self.held_out):
            return None
        return _sized(self.held_out.batch(range(min(SPREAD_OF, len(self.held_out)))).image, self.session)

    @property
    def spread(self) -> Spread | None:
        if self._spread is None and (image := self.some_held_out()) is not None:
            self._spread = self.session.spread(image)
        return self._spread

    def facts(self) -> dict[str, Any]:
        """What every page is told when it opens: neither the model nor the data is touched, there may be
        many runs."""
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
        """What a page is told when it shows this run: its pictures, and what its model offers, which is
        loaded for it."""
        facts = self.facts()
        count, frames = (0, 1) if self.held_out is None else (len(self.held_out), self.held_out.frames)
        pictures = [f"held-out/{self.name}/{n}" for n in range(0, count, frames)][
            :SHOWN
        ]  # of a clip its first
        return {
            **facts,
            "pictures": pictures,
            "frames": frames,
            **({"offers": vars(self.session.offers)} if facts["ready"] else {}),
        }


class Shelf:
    """Runs, and folders of pictures. Names of pictures: held-out/RUN/NUMBER, folder/NUMBER/FILE."""

    def __init__(self, runs: list[Path], folders: list[Path] | None = None):
        self.runs = [OpenedRun(folder) for folder in runs]
        for run in self.runs:  # two of one name are told apart
            alike = [one for one in self.runs if one.name == run.name]
            for number, one in enumerate(alike[1:], 2):
                one.name = f"{one.name}-{number}"
        self.files = {
            f"folder/{n}/{path.name}": path
            for n, folder in enumerate(folders or [])
            for path in list_pictures(folder)
        }

    def facts(self) -> dict[str, Any]:
        """What a page is told when it opens; of a run that it shows it asks for more."""
        return {
            "version": VERSION,
            "largest": LARGEST_FILE,
            "runs": [run.facts() for run in self.runs],
            "pictures": list(self.files)[:OFFERED],
        }

    def warm(self) -> None:
        """Make ready what a page shows first, while the browser starts: one model, whatever the number of
        runs."""
        first = next((run for run in self.runs if run.facts()["ready"]), None)
        if first is not None:
            first.details()

    def run(self, number: Any) -> OpenedRun:
        if type(number) is not int or not 0 <= number < len(self.runs):
            raise UserError(f"there is no run {str(number)[:20]!r}; {len(self.runs)} are open")
        return self.runs[number]

    def picture(self, name: str, session: Session) -> Image:
        """One picture at the model's size; names are looked up, never taken for paths."""
        if name in self.files:
            return session.read(self.files[name])
        kind, _, rest = name.partition("/")
        run_name, _, number = rest.rpartition("/")
        run = next((run for run in self.runs if run.name == run_name), None)
        if (
            kind != "held-out"
            or run is None
            or not (number.isascii() and number.isdecimal() and len(number) < 9)
        ):
            raise UserError(f"there is no picture {name[:80]!r} here; if it was dropped in, drop it in again")
        if run.held_out is None or int(number) >= len(run.held_out):
            raise UserError(f"there is no held-out picture {number} of {run.name}")
        return _sized(run.held_out.batch([int(number)]).image, session)

    def drawn_small(self, name: str) -> bytes:
        """A PNG of a picture, to choose it by."""
        session = next((run.session for run in self.runs if name.startswith(f"held-out/{run.name}/")), None)
        picture = to_picture(self.picture(name, session or self.runs[0].session)[0], THUMB)
        file = io.BytesIO()
        picture.save(file, "PNG")
        return file.getvalue()

    def expression(self, name: str) -> str:
        """How Python reads a picture, for who wants to go on there."""
        if name.startswith("held-out/"):
            run_name, _, number = name.removeprefix("held-out/").rpartition("/")
            folder = next(str(run.folder) for run in self.runs if run.name == run_name)
            return f'read_recipe(Path({folder!r})).source.open("validation").batch([{number}]).image'
        return f"session.read({str(self.files.get(name, 'picture.png'))!r})"


def client_picture(raw: bytes) -> Pictures.Image:
    """A picture that somebody sent: its size is read from its head and refused before anything is
    unpacked."""
    try:
        with Pictures.open(io.BytesIO(raw), formats=FORMATS) as opened:
            width, height = opened.size
    except Pictures.DecompressionBombError:
        raise UserError(
            f"this picture has more than {LARGEST_PICTURE:,} pixels; scale it down first"
        ) from None
    except Exception:  # each format's reader raises what it likes
        raise UserError(f"this is no picture that the studio reads; it reads {', '.join(FORMATS)}") from None
    if width * height > LARGEST_PICTURE:
        raise UserError(
            f"this picture has {width} x {height} pixels, more than {LARGEST_PICTURE:,}; scale it down first"
        )
    picture = read_bytes(io.BytesIO(raw), "this picture")
    picture.thumbnail(
        (KEPT_SIDE * 2, KEPT_SIDE * 2) if min(picture.size) < KEPT_SIDE else (KEPT_SIDE, KEPT_SIDE)
    )
    return picture


def _sized(image: Image, session: Session) -> Image:
    """Another model's pictures at this one's size and colours."""
    config = session.model.config
    if image.shape[1] != config.channels:
        image = image.mean(1, keepdim=True).expand(-1, config.channels, -1, -1)
    if tuple(image.shape[2:]) != tuple(config.image_size):
        image = torch.nn.functional.interpolate(
            image, tuple(config.image_size), mode="bilinear", antialias=True
        ).clamp(0, 1)
    return image.to(session.device)
