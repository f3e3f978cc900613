"""Videos with tracks in the format of the MOT challenge.

SEQUENCE/gt/gt.txt with the frames in SEQUENCE/img1 (or the folder that seqinfo.ini names), or with one video
file in SEQUENCE; many such folders, below train, val and test if these are the splits; or NAME.txt beside
NAME.mp4.
"""

import warnings
from configparser import ConfigParser
from configparser import Error as NotAnIni
from pathlib import Path

from motes.data.files.folder import list_pictures
from motes.data.files.sequences import find_sequences
from motes.data.files.video_file import ENDINGS
from motes.data.tracks.annotated import AnnotatedConfig, AnnotatedFilms
from motes.data.tracks.film import AnnotatedFilm
from motes.data.tracks.mot_text import read_mot
from motes.data.walk import files_below
from motes.errors import UserError


class Mot(AnnotatedFilms):
    """Clips of the sequences; what the annotations mark as not to be counted is left out."""

    Config = AnnotatedConfig

    def films(self, path: Path) -> list[AnnotatedFilm]:
        root = path if path.is_dir() else path.parent
        texts = sorted(text for text in files_below(root) if _is_truth(text)) if path.is_dir() else [path]
        if not texts:
            raise UserError(f"there is no gt/gt.txt in {path}, nor below it, and no .txt beside a video")
        return [_film(text, root) for text in texts]


def _is_truth(path: Path) -> bool:
    return path.name == "gt.txt" or (path.suffix == ".txt" and _beside(path) is not None)


def _beside(text: Path) -> Path | None:
    """The video of the same name."""
    return next((file for ending in ENDINGS if (file := text.with_suffix(ending)).is_file()), None)


def _film(text: Path, root: Path) -> AnnotatedFilm:
    video = _beside(text)
    folder = text.parent.parent if text.parent.name == "gt" else text.parent
    about = _about(folder)
    pictures: list[Path] = []
    if video is None:
        pictures, video = _frames(folder, about.get("imdir", "img1"))
    annotations = read_mot(text)
    name = (text if folder == root else folder).relative_to(root).as_posix()
    rate = float(about.get("framerate", 25))
    film = AnnotatedFilm(name, pictures, video, annotations, rate)
    if annotations and max(annotations) >= len(film):
        warnings.warn(
            f"{text} speaks of frame {max(annotations) + 1}, and there are {len(film)} frames; it may be of another "
            "video",
            stacklevel=6,
        )
    return film


def _about(folder: Path) -> dict[str, str]:
    """What seqinfo.ini says; nothing if there is no such file."""
    parser = ConfigParser()
    try:
        parser.read(folder / "seqinfo.ini")
    except NotAnIni as problem:
        raise UserError(f"{folder / 'seqinfo.ini'} is damaged ({type(problem).__name__})") from None
    return dict(parser["Sequence"]) if parser.has_section("Sequence") else {}


def _frames(folder: Path, name: str) -> tuple[list[Path], Path | None]:
    """The pictures of the frames in their order, or the video file that has them."""
    if (folder / name).is_dir():
        return _numbered(folder / name), None
    videos = sorted(file for file in folder.iterdir() if file.suffix.lower() in ENDINGS)
    if len(videos) == 1:
        return [], videos[0]
    if videos:
        raise UserError(f"{folder} has {len(videos)} videos, and it is not known which gt.txt is of")
    return _numbered(folder), None


def _numbered(folder: Path) -> list[Path]:
    sequences = find_sequences(list_pictures(folder), folder)
    if len(sequences) != 1:
        raise UserError(f"the pictures in {folder} are {len(sequences)} sequences, where one is expected")
    (frames,) = sequences.values()
    first = min(frames)
    if max(frames) - first + 1 != len(frames):
        raise UserError(f"frames are missing in {folder}: its numbers go from {first} to {max(frames)}")
    return list(frames.values())
