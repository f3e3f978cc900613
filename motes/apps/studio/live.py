"""`motes.studio(...)`: opens the studio from Python, in a program or a notebook, until it is closed."""

import sys
import tempfile
import threading
import time
import webbrowser
from collections.abc import Sequence
from html import escape
from pathlib import Path

from PIL import Image as Pictures

from motes.errors import UserError
from motes.models.base import Model
from motes.weights.runs import run_folder

# of the page in a notebook, in pixels
HEIGHT = 720

GivenPicture = str | Path | Pictures.Image


class OpenStudio:
    """A studio that runs in this process; any browser on this machine can open its address."""

    def __init__(
        self,
        runs: list[Path],
        folders: list[Path],
        port: int | None,
        scratch: tempfile.TemporaryDirectory[str],
    ):
        import uvicorn

        from motes.apps.studio.ports import free_port
        from motes.apps.studio.server import Studio, settings
        from motes.apps.studio.shelf import Shelf

        self._scratch = scratch
        port = port or free_port("127.0.0.1")
        self.shelf = Shelf(runs, folders)
        self.address = f"http://127.0.0.1:{port}/"
        app = Studio(self.shelf).app(framed=True)
        self._server = uvicorn.Server(uvicorn.Config(app, port=port, **settings()))
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        while not self._server.started:
            if not self._thread.is_alive():
                raise UserError(f"the studio could not listen on port {port}; name another one")
            time.sleep(0.01)

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join(5)
        self._scratch.cleanup()

    def __enter__(self) -> "OpenStudio":
        return self

    def __exit__(self, *problem: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"the studio: {self.address}"

    def _repr_html_(self) -> str:
        """The HTML by which a notebook shows the studio's page, with the page's address below.

        It needs no widgets, only a browser on this machine.
        """
        address = escape(self.address)
        style = "border:1px solid #8884;border-radius:8px"
        return (
            f'<iframe src="{address}" width="100%" height="{HEIGHT}" style="{style}" title="motes studio" '
            f'allow="clipboard-write"></iframe>'
            f'<p><a href="{address}" target="_blank">The studio in its own window: {address}</a></p>'
        )


def studio(
    model: Model | str | Path,
    pictures: GivenPicture | Sequence[GivenPicture] = (),
    port: int | None = None,
    browser: bool | None = None,
) -> OpenStudio:
    """Open a model or a run in the studio.

    It shows the given pictures (files, folders, PIL images), or else the run's own held-out ones. By default
    the page appears in the notebook or, outside a notebook, in a new browser window; `browser` forces (True)
    or suppresses (False) that window.
    """
    given = [pictures] if isinstance(pictures, GivenPicture) else list(pictures)
    scratch = tempfile.TemporaryDirectory(prefix="motes-studio-")
    folders = _folders_of(given, Path(scratch.name) / "pictures")
    opened = OpenStudio([_folder_of(model, Path(scratch.name))], folders, port, scratch)
    if not _in_a_notebook() if browser is None else browser:
        webbrowser.open(opened.address)
    return opened


def _folder_of(model: Model | str | Path, scratch: Path) -> Path:
    """The folder of the run or checkpoint; a model in memory is first saved into `scratch`."""
    if not isinstance(model, Model):
        return run_folder(model)
    folder = scratch / type(model).__name__
    model.save(folder)
    return folder


def _folders_of(pictures: Sequence[GivenPicture], scratch: Path) -> list[Path]:
    """Folders that hold the pictures.

    Given folders are used as they are; single files and images are copied into `scratch`.
    """
    paths = [Path(picture) for picture in pictures if not isinstance(picture, Pictures.Image)]
    folders = [path for path in paths if path.is_dir()]
    scratch.mkdir()
    for number, picture in enumerate(pictures):
        if isinstance(picture, Pictures.Image):
            picture.save(scratch / f"{number:04d}.png")
        elif Path(picture) not in folders:
            _copy_file(Path(picture), scratch, number)
    return [*folders, scratch] if any(scratch.iterdir()) else folders


def _copy_file(path: Path, folder: Path, number: int) -> None:
    if not path.is_file():
        raise UserError(f"{path} does not exist")
    (folder / f"{number:04d}-{path.name}").write_bytes(path.read_bytes())


def _in_a_notebook() -> bool:
    """Whether this code runs in a notebook that shows the last value of a cell by its `_repr_html_`."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return hasattr(shell, "kernel")
