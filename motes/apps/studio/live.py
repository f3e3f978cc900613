"""`motes.studio(...)` from Python: the studio beside a program or a notebook, until it is closed."""

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

HEIGHT = 720  # of the page in a notebook, in pixels

Picture = str | Path | Pictures.Image


class OpenStudio:
    """A studio that runs in this process. Its address opens in any browser of this machine."""

    def __init__(
        self, runs: list[Path], folders: list[Path], port: int | None, kept: tempfile.TemporaryDirectory[str]
    ):
        import uvicorn

        from motes.apps.studio.ports import free_port
        from motes.apps.studio.server import Studio, settings
        from motes.apps.studio.shelf import Shelf

        self._kept = kept
        port = port or free_port("127.0.0.1")
        self.shelf = Shelf(runs, folders)
        self.address = f"http://127.0.0.1:{port}/"
        self._server = uvicorn.Server(
            uvicorn.Config(Studio(self.shelf).app(framed=True), port=port, **settings())
        )
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        while not self._server.started:
            if not self._thread.is_alive():
                raise UserError(f"the studio could not listen on port {port}; name another one")
            time.sleep(0.01)

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join(5)
        self._kept.cleanup()

    def __enter__(self) -> "OpenStudio":
        return self

    def __exit__(self, *problem: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"the studio: {self.address}"

    def _repr_html_(self) -> str:
        """In a notebook: the page itself, below it its address. Needs no widgets, only a browser on this
        machine."""
        address = escape(self.address)
        frame = f'<iframe src="{address}" width="100%" height="{HEIGHT}" style="border:1px solid #8884;border-radius:8px" title="motes studio" allow="clipboard-write"></iframe>'
        return (
            f'{frame}<p><a href="{address}" target="_blank">The studio in its own window: {address}</a></p>'
        )


def studio(
    model: Model | str | Path,
    pictures: Picture | Sequence[Picture] = (),
    port: int | None = None,
    browser: bool | None = None,
) -> OpenStudio:
    """Open a model or a run, with a picture or several (files, folders, PIL images) or the run's own
    held-out ones.

    In a notebook the page is shown there, elsewhere in the browser; `browser` decides otherwise.
    """
    pictures = [pictures] if isinstance(pictures, Picture) else list(pictures)
    kept = tempfile.TemporaryDirectory(prefix="motes-studio-")
    place = Path(kept.name)
    if isinstance(model, Model):
        model.save(place / type(model).__name__)
        model = place / type(model).__name__
    folders = [Path(one) for one in pictures if isinstance(one, str | Path) and Path(one).is_dir()]
    (place / "pictures").mkdir()
    for number, one in enumerate(pictures):
        if isinstance(one, Pictures.Image):
            one.save(place / "pictures" / f"{number:04d}.png")
        elif Path(one) not in folders:
            if not Path(one).is_file():
                raise UserError(f"{one} does not exist")
            (place / "pictures" / f"{number:04d}-{Path(one).name}").write_bytes(Path(one).read_bytes())
    if any((place / "pictures").iterdir()):
        folders.append(place / "pictures")
    opened = OpenStudio([Path(model)], folders, port, kept)
    if not _in_a_notebook() if browser is None else browser:
        webbrowser.open(opened.address)
    return opened


def _in_a_notebook() -> bool:
    """Where the last value of a cell is shown as it says itself."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return hasattr(shell, "kernel")
