"""`Shelf`: the runs and pictures that the studio may show, by name. Clients can reach nothing else."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from motes.apps.drawing.marks import to_picture
from motes.apps.session.picture_reader import image_of_pixels
from motes.apps.session.session import Encoded, Session
from motes.apps.studio.decoder import Decoder
from motes.apps.studio.opened_run import OpenedRun, opened_runs
from motes.data.files.folder import list_pictures
from motes.errors import UserError
from motes.models.checkpoint import read_config
from motes.plain.cache import Cache
from motes.types.latents import Image
from motes.version import VERSION

# pictures of folders that are offered
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


class Shelf:
    """The open runs and folders of pictures.

    Pictures are named held-out/RUN/NUMBER, or folder/NUMBER/FILE with the number of the folder, or
    sampled/RUN/SEED.
    """

    def __init__(self, runs: list[Path], folders: list[Path] | None = None):
        self.runs = opened_runs(runs)
        self.files = {
            f"folder/{n}/{path.relative_to(folder).as_posix()}": path
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

    def run(self, key: Any) -> OpenedRun:
        """The run of this name, or of this number in the list that pages are sent."""
        if type(key) is int and 0 <= key < len(self.runs):
            return self.runs[key]
        named = [run for run in self.runs if run.name == key]
        if not named:
            raise UserError(f"there is no run {str(key)[:80]!r}; {len(self.runs)} are open")
        return named[0]

    def picture(self, name: str, session: Session) -> Image:
        """The picture of this name, at the model's size.

        The name is looked up in a table and never used as a path.
        """
        if name in self.files:
            config = session.model.config
            look = self.look(name, config.image_size, config.channels)
            return image_of_pixels(self.decoded(look)[None], session.device)
        run, number = self.of_run(name)
        return session.fitted(self._image(name, run, number))

    def undecoded(self, name: Any, run: OpenedRun) -> FileLook | None:
        """What has to be decoded before the run's model can be given the picture of this name."""
        if not isinstance(name, str) or name not in self.files:
            return None
        _, config = read_config(run.newest())
        look = self.look(name, config["image_size"], config["channels"])
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

    def look(self, name: str, size: Sequence[int], channels: int) -> FileLook:
        """The picture of this name as a model of this size takes it."""
        rows, columns = size
        return FileLook(name, _stamp(self.files[name]), (rows, columns), channels)

    def of_run(self, name: str) -> tuple[OpenedRun, int]:
        """The run and the number that a name of the form held-out/RUN/ROW or sampled/RUN/SEED means."""
        kind, _, path = name.partition("/")
        run_name, _, number = path.rpartition("/")
        run = next((run for run in self.runs if run.name == run_name), None)
        is_number = number.isascii() and number.isdecimal() and len(number) < 10
        if kind not in ("held-out", "sampled") or run is None or not is_number:
            raise UserError(f"there is no picture {name[:80]!r} here; if it was dropped in, drop it in again")
        return run, int(number)

    def _image(self, name: str, run: OpenedRun, number: int) -> Image:
        if name.startswith("sampled/"):
            return run.session.sample(number).image
        return run.held_out_picture(number)

    def encoded_by(self, run: OpenedRun, name: str) -> Encoded:
        """The picture of this name as the run's model sees it; what that model made up is not read again."""
        if name not in self.files and name.startswith("sampled/"):
            owner, seed = self.of_run(name)
            if owner is run:
                return run.session.sample(seed)
        image = self.picture(name, run.session)
        return Encoded([], image, run.session.encode(image))

    def drawn_small(self, name: str) -> bytes:
        """A small version of the picture of this name, as the bytes of a PNG; no model is needed for held-out
        ones."""
        if name in self.files:
            picture = self.decoder.small(self.files[name], THUMB)
        else:
            picture = to_picture(self._image(name, *self.of_run(name))[0], THUMB)
        file = io.BytesIO()
        picture.save(file, "PNG")
        return file.getvalue()

    def expression(self, run: OpenedRun, name: str) -> str:
        """The Python expression for the latent of the picture of this name, where `session` has the run's
        checkpoint."""
        if name in self.files:
            return f"session.encode(session.read({str(self.files[name].absolute())!r}))"
        owner, number = self.of_run(name)
        mine = owner is run
        if name.startswith("sampled/"):
            if mine:
                return f"session.sample({number}).latent"
            image = f"Session.open({owner.python_name!r}).sample({number}).image"
        else:
            image = f'{owner.python_data}.open("validation").batch([{number}]).image'
        return f"session.encode({image})" if mine else f"session.encode(session.fitted({image}))"


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
