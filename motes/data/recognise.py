"""What `--data` means: the name of a data set, or a folder or file, recognised by its name and content.

Imports no torch.
"""

import json
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from motes.data import DATASETS
from motes.data.numbered import is_film
from motes.data.walk import files_below
from motes.errors import UserError
from motes.plain.options import nearest, options_of

# files of a folder that decide of which kind it is
LOOKED_AT = 5000
# options of a preset that stay when it is given other data
KEPT = ("image_size", "channels", "fit")
# defaults that say: as the data have it
AS_IT_LIES = ("0", "(0, 0)")
# what a data set lacks when nobody said where it is
WANTED = {"folder": "pictures: --data FOLDER"}
# options that say where a data set is
PLACES = ("path", "root")
# files that make a folder a stored Hugging Face data set
STORED = ("dataset_info.json", "dataset_dict.json")
# of a file -> the data set that reads it
ENDINGS = {ending: name for name in DATASETS for ending in DATASETS.row(name).endings}


def find_source(data: str) -> tuple[str, dict[str, Any]]:
    """The name of a data set and the option that says where it lies, as `data` gives them.

    `data` is a place, a name, or NAME:PLACE, such as celeba:/data/celeba.
    """
    if data in DATASETS:
        warn_of_namesake(data)
        return data, {}
    name, colon, path = data.partition(":")
    if colon and name in DATASETS:
        return name, _place_of(name, path)
    if data.startswith("hf:"):
        return "huggingface", {"path": data}
    if not Path(data).exists():
        names = [name for name in DATASETS if name != "folder"]
        hint = nearest(data, names, "data set").partition("; ")[2]
        raise UserError(f"there is no data set and no folder {data!r}, nor a file; {hint}")
    return _kind_of(Path(data)), {"path": data}


def _place_of(name: str, path: str) -> dict[str, Any]:
    """The option that gives this data set its place, with the value `path`; refused if it does not lie on
    disk."""
    options = options_of(DATASETS.source(name))
    for option in PLACES:
        if option in options:
            return {option: path}
    raise UserError(f"{name} lies nowhere: it is made as it is needed; leave out :{path}")


def warn_of_namesake(name: str) -> None:
    """Warn if a folder with the user's own pictures has the name of a data set, such as faces."""
    if Path(name).exists():
        warnings.warn(
            f"{name} is taken for the data set of that name; for what lies here, write ./{name}", stacklevel=3
        )


def fit_options(name: str, place: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """Options for a data set `name` that replaces another: its place, and the size and similar options as
    before.

    `before` has the options of the other data set; those that the new one lacks are left out.
    """
    options = options_of(DATASETS.source(name))
    free = [option for option in KEPT if option in options and options[option].default not in AS_IT_LIES]
    return {**{option: before[option] for option in free if option in before}, **place}


def check_place(name: str, config: Mapping[str, Any], asked_by: str) -> None:
    """Refuse a data set that lies on disk if `config` does not say where; the error begins with
    `asked_by`."""
    options = options_of(DATASETS.source(name))
    for option in PLACES:
        if option in options and not config.get(option) and options[option].default in ("''", '""'):
            hint = WANTED.get(name, f"to know where {name} lies: {name}:PLACE")
            raise UserError(f"{asked_by} needs {hint}")


def _kind_of(path: Path) -> str:
    """The name of the data set that reads this file or folder."""
    if not path.is_dir():
        return _kind_of_file(path)
    for name, lies_in in MARKS.items():
        if lies_in(path):
            return name
    return _kind_by_files(path)


def _kind_of_file(path: Path) -> str:
    if path.suffix.lower() == ".json" and _holds_videos(path):
        return "coco-video"
    if path.name == "gt.txt":
        return "mot"
    return ENDINGS.get(path.suffix.lower(), "folder")


def _is_mot(folder: Path) -> bool:
    """Whether the folder is a sequence of the MOT challenge, or holds some, perhaps by splits."""
    return any(next(folder.glob(pattern), None) for pattern in ("gt/gt.txt", "*/gt/gt.txt", "*/*/gt/gt.txt"))


def _is_coco_video(folder: Path) -> bool:
    files = [*folder.glob("*.json"), *(folder / "annotations").glob("*.json")]
    return bool(files) and all(map(_holds_videos, files))


def _is_prepared(folder: Path) -> bool:
    return _json(folder / "manifest.json").get("format") == "motes-prepared"


def is_lerobot(folder: Path) -> bool:
    return "codebase_version" in _json(folder / "meta" / "info.json")


def _is_coco(folder: Path) -> bool:
    if any((folder / "annotations").glob("*.json")) or any(folder.glob("*/*.coco.json")):
        return True
    files = [file for file in folder.glob("*.json") if file.is_file()]
    return bool(files) and all(map(_holds_annotations, files))


def _is_deeplabcut(folder: Path) -> bool:
    from motes.data.files.landmark_tables import project_tables

    return bool(project_tables(folder))


def _is_stored(folder: Path) -> bool:
    return any((folder / name).is_file() for name in STORED)


# how a folder is recognised by files of certain names; the first that fits counts
MARKS = {
    "prepared": _is_prepared,
    "lerobot": is_lerobot,
    "labelled": _is_deeplabcut,
    "mot": _is_mot,
    "coco-video": _is_coco_video,
    "coco": _is_coco,
    "huggingface": _is_stored,
}


def _kind_by_files(folder: Path) -> str:
    """The name of the data set that reads most of the folder's files.

    A single thumbnail among a hundred videos does not make the folder one of pictures.
    """
    from motes.data.files.landmark_tables import PICTURE

    # a file without an ending may be a picture
    files = [file for file in islice(files_below(folder), LOOKED_AT) if file.suffix]
    pictures = [file for file in files if file.suffix.lower() in PICTURE]
    counts = Counter(ENDINGS.get(file.suffix.lower(), "folder") for file in files)
    pictures_or_unknown = counts.pop("folder", 0)
    # a .json alone may be anything's
    counts.pop("coco", None)
    if counts:
        name = max(counts, key=lambda name: counts[name])
        if counts[name] >= pictures_or_unknown or not pictures:
            return name
    if pictures and _is_labelled(folder, files, pictures):
        return "labelled"
    return "sequences" if _is_film(folder, pictures) else "folder"


def _is_film(folder: Path, pictures: Sequence[Path]) -> bool:
    """Whether the folder's pictures are the frames of a film; if so, a warning says what that means."""
    from motes.data.files.landmark_tables import PICTURE

    if len({path.parent for path in pictures}) != 1:
        return False
    # all of them, not only those looked at
    beside = [path for path in pictures[0].parent.iterdir() if path.suffix.lower() in PICTURE]
    beside = [path for path in beside if not path.name.startswith(".")]
    if not is_film(beside):
        return False
    warnings.warn(
        f"{folder} is taken for a film of {len(beside)} numbered frames, of which the end is held out; "
        f"for single pictures, held out at random, write folder:{folder}",
        stacklevel=5,
    )
    return True


def _is_labelled(folder: Path, files: Sequence[Path], pictures: list[Path]) -> bool:
    """Whether masks or landmarks lie beside the pictures."""
    from motes.data.files.landmark_tables import find_table
    from motes.data.files.mask_pairs import pair

    has_landmarks = any(file.suffix.lower() == ".pts" for file in files)
    return bool(has_landmarks or find_table(folder) or pair(pictures, folder))


def _holds_annotations(path: Path) -> bool:
    """Whether a JSON file holds COCO annotations, judged by the words in it.

    Such files are large, and their parts come in any order, so the file is not parsed.
    """
    return _holds(path, (b'"images"', b'"annotations"', b'"file_name"'))


def _holds_videos(path: Path) -> bool:
    """Whether a JSON file holds annotations of videos, judged by the words in it."""
    return _holds(path, (b'"videos"', b'"annotations"', b'"video_id"'))


def _holds(path: Path, words: Sequence[bytes]) -> bool:
    try:
        text = path.read_bytes()
    except OSError:
        return False
    return all(word in text for word in words)


def _json(path: Path) -> dict[str, Any]:
    """The record in a JSON file; an empty one if there is no such file, or if it holds something else."""
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
