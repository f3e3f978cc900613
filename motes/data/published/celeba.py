"""CelebA and its subset MAFL: aligned faces with five landmarks, cut, scaled and split as in the papers on
unsupervised landmarks.

ROOT/Img/img_align_celeba_hq/000001.jpg ...       178 x 218; or Img/img_align_celeba, or either folder in
ROOT itself ROOT/Anno/list_landmarks_align_celeba.txt         each list may also lie in ROOT itself
ROOT/Eval/list_eval_partition.txt ROOT/MAFL/training.txt, ROOT/MAFL/testing.txt ROOT/Anno/identity_CelebA.txt
if it is there, who it is comes as `scene["identity"]`
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from PIL import Image

from motes.data.base import Dataset, Split
from motes.data.files.picture_files import colours_first, read_picture
from motes.errors import UserError
from motes.types.truth import Truth

PAGE = "the CelebA page of MMLAB, mmlab.ie.cuhk.edu.hk/projects/CelebA.html"
MAFL_PAGE = "MAFL.zip of mmlab.ie.cuhk.edu.hk/projects/TCDCN.html"
LISTS = {
    "landmarks": ("Anno", "list_landmarks_align_celeba.txt", PAGE),
    "partition": ("Eval", "list_eval_partition.txt", PAGE),
    "mafl_train": ("MAFL", "training.txt", MAFL_PAGE),
    "mafl_test": ("MAFL", "testing.txt", MAFL_PAGE),
}
FOLDERS = ("img_align_celeba_hq", "img_align_celeba", "img_align_celeba_png")
WHOLE = 202_599  # pictures of CelebA; MAFL then has 19,000 and 1,000
# the square that is cut from each picture begins at this row
TOP = 30
SIDE = 178
# published: the square at 160 pixels, of which the middle 128 are kept
SCALED = 160
KEPT = 128
VALIDATION = 2000  # pictures of the published validation split
THREADS = 4


@dataclass(frozen=True)
class CelebAConfig:
    """Training faces are CelebA's without MAFL's; scores are for MAFL's test faces."""

    # the folder with Img, Anno, Eval and MAFL
    root: str = ""
    # square; the face fills it as at 128
    image_size: tuple[int, int] = (128, 128)
    # 1: grey
    channels: int = 3
    # mafl: train on the 19,000 faces that landmark regressors are fitted on; partition: CelebA's own splits,
    # without MAFL's lists
    part: Literal["celeba", "mafl", "partition"] = "celeba"
    # validate on the first 2,000 of CelebA's test partition, as the 2022 code, not on its validation one
    published_validation: bool = False


class CelebA(Dataset):
    """Part mafl differs from celeba in the train split only: no face is in two of unsupervised train, MAFL
    train, validation and test.

    Landmarks (left eye, right eye, nose, left and right corner of the mouth) are moved as published, (y -
    30) 160/178 - 16 with no half pixels, so that errors are those of the papers. Every face is decoded anew
    each time: prepare them to train long.
    """

    Config = CelebAConfig

    def __init__(self, config: CelebAConfig, split: Split = "train"):
        if (
            config.channels not in (1, 3)
            or config.image_size[0] != config.image_size[1]
            or config.image_size[0] < 2
        ):
            raise UserError(
                f"faces are square, with 1 or 3 channels: not {config.image_size} with {config.channels}"
            )
        self.config = config
        self.split: Split = split
        root, lists = _find(
            config.root, [key for key in LISTS if config.part != "partition" or not key.startswith("mafl")]
        )
        names, points = read_landmarks(lists["landmarks"])
        chosen = _choose(lists, names, split, config)
        self._files = _pictures(root, [names[row] for row in chosen])
        self._points = points[chosen]
        self._identity = _identities(root, names, chosen)
        self._pool = ThreadPoolExecutor(THREADS)

    def __len__(self) -> int:
        return len(self._files)

    def pixels(self, rows: Sequence[int]) -> np.ndarray:
        return np.stack(list(self._pool.map(self._one, rows)))

    def truth(self, rows: Sequence[int]) -> Truth:
        side, margin = _scaled(self.config.image_size[0])
        pixels = (self._points[list(rows)][..., ::-1] - (TOP, 0)) * (side / SIDE) - margin
        points = torch.from_numpy((pixels / (self.config.image_size[0] - 1) * 2 - 1).astype(np.float32))
        scene = {} if self._identity is None else {"identity": torch.from_numpy(self._identity[list(rows)])}
        return Truth(torch.zeros(len(points), 0, dtype=torch.bool), points=points, scene=scene)

    def _one(self, row: int) -> np.ndarray:
        face = read_picture(self._files[row])
        if face.size != (178, 218):
            raise UserError(
                f"{self._files[row]} is {face.width} x {face.height} pixels, not 178 x 218: the landmarks are those of the aligned faces"
            )
        size = self.config.image_size[0]
        side, margin = _scaled(size)
        square = face.convert("RGB" if self.config.channels == 3 else "L").crop((0, TOP, SIDE, TOP + SIDE))
        pixels = np.asarray(square.resize((side, side), Image.Resampling.BILINEAR))[
            margin : margin + size, margin : margin + size
        ]
        return colours_first(pixels)


def read_landmarks(path: Path) -> tuple[list[str], np.ndarray]:
    """File names, and five points (column, row) in pixels of the aligned pictures for each."""
    lines = _lines(path)
    if path.suffix == ".csv":
        rows = lines[1:]
        first = 2
    else:
        if not lines or not lines[0][0].isdecimal():
            raise UserError(
                f"{path} does not begin with the number of its lines; it is not the list of CelebA"
            )
        said = int(lines[0][0])
        rows = lines[2:]
        first = 3
        if len(rows) != said:
            raise UserError(
                f"{path} says {said} pictures and has {len(rows)}; it is cut short or put together wrongly, get it again from {PAGE}"
            )
    for number, row in enumerate(rows):
        if len(row) != 11 or not all(value.lstrip("-").isdecimal() for value in row[1:]):
            raise UserError(
                f"line {number + first} of {path} is not a file name and ten numbers: {' '.join(row)[:60]!r}"
            )
    return [row[0] for row in rows], np.array([row[1:] for row in rows], np.float32).reshape(-1, 5, 2)


def _choose(lists: dict[str, Path], names: list[str], split: Split, config: CelebAConfig) -> list[int]:
    """Rows of the landmark list that are of a split, in its order."""
    place = {name: row for row, name in enumerate(names)}
    parts = _partition(lists["partition"], place)
    if config.part == "partition":
        return np.flatnonzero(parts == {"train": 0, "validation": 1, "test": 2}[split]).tolist()
    mafl = {kind: _names(lists[f"mafl_{kind}"], place) for kind in ("train", "test")}
    if len(names) == WHOLE and (len(mafl["train"]), len(mafl["test"])) != (19_000, 1_000):
        raise UserError(
            f"MAFL has 19,000 and 1,000 faces, the lists in {lists['mafl_train'].parent} {len(mafl['train'])} and {len(mafl['test'])}"
        )
    if both := mafl["train"] & mafl["test"]:
        raise UserError(
            f"{names[min(both)]} is in both lists of MAFL, {lists['mafl_train']} and {lists['mafl_test']}; scores would be wrong"
        )
    taken = mafl["train"] | mafl["test"]
    if split == "test":
        chosen = sorted(mafl["test"])
    elif split == "train" and config.part == "mafl":
        chosen = sorted(mafl["train"])
    else:
        wanted = {"train": 0, "validation": 2 if config.published_validation else 1}[split]
        chosen = [row for row in range(len(names)) if parts[row] == wanted and row not in taken]
        if split == "validation" and config.published_validation:
            chosen = chosen[:VALIDATION]
    if not chosen:
        raise UserError(f"the {split} split of CelebA has no face; see {lists['partition']}")
    return chosen


def _partition(path: Path, place: dict[str, int]) -> np.ndarray:
    parts = np.full(len(place), -1)
    for number, row in enumerate(_lines(path)):
        if path.suffix == ".csv" and not number:
            continue
        if len(row) != 2 or row[0] not in place or row[1] not in ("0", "1", "2"):
            raise UserError(
                f"line {number + 1} of {path} is not a known file name and 0, 1 or 2: {' '.join(row)[:60]!r}"
            )
        parts[place[row[0]]] = int(row[1])
    if missing := int((parts < 0).sum()):
        raise UserError(
            f"{path} lacks {missing} of the {len(place)} pictures that have landmarks; get it again from {PAGE}"
        )
    return parts


def _names(path: Path, place: dict[str, int]) -> set[int]:
    words = [row[0] for row in _lines(path)]
    if unknown := [word for word in words if word not in place]:
        raise UserError(
            f"{path} names {len(unknown)} pictures that have no landmarks, the first {unknown[0]}"
        )
    return {place[word] for word in words}


def _lines(path: Path) -> list[list[str]]:
    """Words of each line that has any, apart by blanks or commas."""
    return [line.replace(",", " ").split() for line in path.read_text().splitlines() if line.strip()]


def _find(told: str, keys: Sequence[str]) -> tuple[Path, dict[str, Path]]:
    root = Path(told)
    if not told or not root.is_dir():
        raise UserError(
            f"CelebA needs the folder that holds Img, Anno, Eval and MAFL, and {told or 'nothing'!r} is none; name it with --data.root"
        )
    found: dict[str, Path] = {}
    for key in keys:
        sub, name, _ = LISTS[key]
        places = (folder / file for folder in (root / sub, root) for file in (name, f"{Path(name).stem}.csv"))
        if (path := next((path for path in places if path.is_file()), None)) is not None:
            found[key] = path
    missing = [
        f"{sub}/{name} (from {page})"
        for key, (sub, name, page) in LISTS.items()
        if key in keys and key not in found
    ]
    if not any((folder / name).is_dir() for folder in (root / "Img", root) for name in FOLDERS):
        missing.insert(0, f"Img/{FOLDERS[0]} or Img/{FOLDERS[1]} (from {PAGE})")
    if missing:
        raise UserError(f"{root} lacks " + ", ".join(missing))
    return root, found


def _pictures(root: Path, names: list[str]) -> list[Path]:
    """Of the folders that are there the first; the lists say .jpg, the files may be .png."""
    folder = next(
        folder / name for name in FOLDERS for folder in (root / "Img", root) if (folder / name).is_dir()
    )
    if (folder / folder.name).is_dir():
        folder = folder / folder.name  # as an archive in an archive leaves it
    there = {path.stem: path for path in folder.iterdir()}
    missing = [name for name in names if Path(name).stem not in there]
    if missing:
        raise UserError(
            f"{len(missing)} of {len(names)} pictures are missing in {folder}, the first {missing[0]}; unpack its archive again"
        )
    return [there[Path(name).stem] for name in names]


def _identities(root: Path, names: list[str], chosen: list[int]) -> np.ndarray | None:
    path = next(
        (
            path
            for path in (root / "Anno" / "identity_CelebA.txt", root / "identity_CelebA.txt")
            if path.is_file()
        ),
        None,
    )
    if path is None:
        return None
    who = dict(line.split()[:2] for line in path.read_text().splitlines() if len(line.split()) == 2)
    if missing := [names[row] for row in chosen if names[row] not in who]:
        raise UserError(
            f"{path} lacks {len(missing)} pictures, the first {missing[0]}; get it again from {PAGE}, or remove it"
        )
    return np.array([int(who[names[row]]) for row in chosen], np.int64)


def _scaled(size: int) -> tuple[int, int]:
    """The side that the square is scaled to, and how much of it is cut on the left and on top."""
    side = round(size * SCALED / KEPT)
    return side, (side - size) // 2
