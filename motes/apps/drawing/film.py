"""Films in H.264, a format that browsers and presentation programs play."""

import io
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

from PIL import Image as Pictures

from motes.apps.session.tables import picture_name
from motes.data.files.video_file import ENDINGS, import_av
from motes.errors import UserError


class Film:
    """A film that is written picture by picture; all pictures should have the size of the first."""

    def __init__(self, file: Path | io.BytesIO, rate: float, crf: int = 14):
        """`rate` is in frames per second. `crf` sets the compression: 0 is lossless, 51 is coarsest."""
        self._av = _import_encoder()
        self._file: Any = self._av.open(str(file) if isinstance(file, Path) else file, "w", format="mp4")
        options = {"crf": str(crf), "preset": "fast"}
        self._stream: Any = self._file.add_stream(
            "libx264", rate=Fraction(rate).limit_denominator(1001), options=options
        )
        self._stream.pix_fmt = "yuv420p"
        self._begun = False

    def add(self, picture: Pictures.Image) -> None:
        if not self._begun:
            self._begin(picture.width, picture.height)
        even = picture.convert("RGB").crop((0, 0, self._stream.width, self._stream.height))
        self._file.mux(self._stream.encode(self._av.VideoFrame.from_image(even)))

    def _begin(self, width: int, height: int) -> None:
        self._begun = True
        # colours come in squares of four pixels
        self._stream.width = width - width % 2
        self._stream.height = height - height % 2

    def __enter__(self) -> "Film":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._begun and kind is None:
            self._file.mux(self._stream.encode())
        self._file.close()


def _import_encoder() -> Any:
    av = import_av()
    if "libx264" not in av.codecs_available:
        raise UserError("this PyAV has no H.264 encoder; its own wheels have one: pip install 'motes[video]'")
    return av


class Gallery:
    """Writes drawings of pictures and frames: a PNG for each picture, a film for each video."""

    def __init__(self, out: Path, kind: str, rates: dict[Path, float]):
        self.out = out
        self.kind = kind
        self.rates = rates
        self.count = 0
        self._video = Path()
        self._film = None

    def add(self, path: Path, picture: Pictures.Image) -> None:
        """Add the drawing of one picture. A frame's path is its number below the path of its video."""
        video = path.parent
        if video.suffix.lower() in ENDINGS and video in self.rates:
            self._film_of(video).add(picture)
        else:
            self.close()
            picture.save(self.out / picture_name(path, self.count, self.kind))
        self.count += 1

    def _film_of(self, video: Path) -> Film:
        """The film of this video: the one being written, or a new one if another video begins."""
        if self._film is None or video != self._video:
            self.close()
            self._video = video
            file = self.out / picture_name(video, self.count, self.kind, ".mp4")
            self._film = Film(file, self.rates[video], crf=18)
        return self._film

    def close(self) -> None:
        if self._film is not None:
            self._film.__exit__(None, None, None)
            self._film = None
