"""CelebA and its subset MAFL: aligned faces with five landmarks, as in the papers on unsupervised landmarks.

Faces are cut, scaled and split as in these papers.

ROOT/Img/img_align_celeba_hq/000001.jpg ...
    178 x 218; or Img/img_align_celeba, or either folder in ROOT itself
ROOT/Anno/list_landmarks_align_celeba.txt, ROOT/Eval/list_eval_partition.txt
    each list may also lie in ROOT itself
ROOT/MAFL/training.txt, ROOT/MAFL/testing.txt
ROOT/Anno/identity_CelebA.txt
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
# numbers of the splits in CelebA's own list
PARTITION = {"train": 0, "validation": 1, "test": 2}
# splits that are MAFL's, by part
OF_MAFL: dict[str, tuple[Split, ...]] = {"celeba": ("test",), "mafl": ("train", "test"), "partition": ()}
# pictures of CelebA; MAFL then has 19,000 and 1,000
COMPLETE = 202_599
COMPLETE_MAFL = (19_000, 1_000)
# the square that is cut from each picture begins at this row
TOP = 30
SIDE = 178
# published: the square at 160 pixels, of which the middle 128 are used
SCALED = 160
MIDDLE = 128
# pictures of the published validation split
VALIDATION = 2000
THREADS = 4


@dataclass(frozen=True)
class CelebAConfig:
    """The training faces are those of CelebA without those of MAFL; scores are for the test faces of MAFL."""

    # the folder with Img, Anno, Eval and MAFL
    root: str = ""
    # rows, columns: a square; the face fills it as it does at 128 pixels
    image_size: tuple[int, int] = (128, 128)
    # 1: grey, 3: colours
    channels: int = 3
    # mafl: train on the 19,000 faces that landmark regressors are fitted on; partition: CelebA's own splits,
    # without MAFL's lists
    part: Literal["celeba", "mafl", "partition"] = "celeba"
    # validate on the first 2,000 faces of CelebA's test split, as the 2022 code, not on its validation split
    published_validation: bool = False


class CelebA(Dataset):
    """Aligned faces with five landmarks.

    The parts mafl and celeba differ in the train split only: no face is in two of celeba's train, mafl's
    train, validation and test.

    Landmarks (left eye, right eye, nose, left and right corner of the mouth) are moved as published, (y - 30)
    160/178 - 16 with no half pixels, so that errors are those of the papers. Faces are decoded each time they
    are read: prepare them to train long.
    """

    Config = CelebAConfig

    def __init__(self, config: CelebAConfig, split: Split = "train"):
        _check(config)
        self.config = config
        self.split: Split = split
        root = Path(config.root)
        lists = _find_lists(root, config.part)
        names, points = read_landmarks(lists["landmarks"])
        chosen = _rows_of_split(lists, names, split, config)
        self._files = _pictures(root, [names[row] for row in chosen])
        self._points = points[chosen]
        self._identity = _identities(root, [names[row] for row in chosen])
        self._pool = ThreadPoolExecutor(THREADS)

    def __len__(self) -> int:
        return len(self._files)

    def pixels(self, rows: Sequence[int]) -> np.ndarray:
        return np.stack(list(self._pool.map(self._face, rows)))

    def truth(self, rows: Sequence[int]) -> Truth:
        size = self.config.image_size[0]
        side, margin = _scaled(size)
        pixels = (self._points[list(rows)][..., ::-1] - (TOP, 0)) * (side / SIDE) - margin
        points = torch.from_numpy((pixels / (size - 1) * 2 - 1).astype(np.float32))
        scene = {} if self._identity is None else {"identity": torch.from_numpy(self._identity[list(rows)])}
        return Truth(torch.zeros(len(points), 0, dtype=torch.bool), points=points, scene=scene)

    def _face(self, row: int) -> np.ndarray:
        face = read_picture(self._files[row])
        if face.size != (178, 218):
            raise UserError(
                f"{self._files[row]} is {face.width} x {face.height} pixels, not 178 x 218: "
                "the landmarks are those of the aligned faces"
            )
        size = self.config.image_size[0]
        side, margin = _scaled(size)
        square = face.convert("RGB" if self.config.channels == 3 else "L").crop((0, TOP, SIDE, TOP + SIDE))
        pixels = np.asarray(square.resize((side, side), Image.Resampling.BILINEAR))
        return colours_first(pixels[margin : margin + size, margin : margin + size])


def read_landmarks(path: Path) -> tuple[list[str], np.ndarray]:
    """File names, and for each five points (column, row) in pixels of the aligned picture."""
    lines = _lines(path)
    header = 1 if path.suffix == ".csv" else 2
    rows = lines[header:]
    if header == 2:
        _check_count(lines, rows, path)
    for number, row in enumerate(rows, header + 1):
        if len(row) != 11 or not all(value.lstrip("-").isdecimal() for value in row[1:]):
            raise _misread(row, number, path, "a file name and ten numbers")
    return [row[0] for row in rows], np.array([row[1:] for row in rows], np.float32).reshape(-1, 5, 2)


def _misread(row: list[str], number: int, path: Path, wanted: str) -> UserError:
    words = " ".join(row)[:60]
    return UserError(f"line {number} of {path} is not {wanted}: {words!r}")


def _check_count(lines: list[list[str]], rows: list[list[str]], path: Path) -> None:
    """Check that the file has as many rows as its first line says."""
    if not lines or not lines[0][0].isdecimal():
        raise UserError(f"{path} does not begin with the number of its lines; it is not the list of CelebA")
    count = int(lines[0][0])
    if len(rows) != count:
        raise UserError(
            f"{path} says {count} pictures and has {len(rows)}; "
            f"it is cut short or put together wrongly, get it again from {PAGE}"
        )


def _rows_of_split(lists: dict[str, Path], names: list[str], split: Split, config: CelebAConfig) -> list[int]:
    """Rows of the landmark list that belong to a split, in its order."""
    row_of = {name: row for row, name in enumerate(names)}
    partition = _partition(lists["partition"], row_of)
    if not OF_MAFL[config.part]:
        return np.flatnonzero(partition == PARTITION[split]).tolist()
    train, test = _mafl(lists, names, row_of)
    if split in OF_MAFL[config.part]:
        chosen = sorted({"train": train, "test": test}[split])
    else:
        chosen = _outside_mafl(partition, train | test, split, config.published_validation)
    if not chosen:
        raise UserError(f"the {split} split of CelebA has no face; see {lists['partition']}")
    return chosen


def _outside_mafl(
    partition: np.ndarray, mafl: set[int], split: Split, published_validation: bool
) -> list[int]:
    """Faces of CelebA's own split. The published validation set is the first faces of its test split."""
    published = split == "validation" and published_validation
    number = PARTITION["test" if published else split]
    rows = [row for row in range(len(partition)) if partition[row] == number and row not in mafl]
    return rows[:VALIDATION] if published else rows


def _mafl(lists: dict[str, Path], names: list[str], row_of: dict[str, int]) -> tuple[set[int], set[int]]:
    """The rows of MAFL's faces for training, and of those for the test."""
    train = _names(lists["mafl_train"], row_of)
    test = _names(lists["mafl_test"], row_of)
    if len(names) == COMPLETE and (len(train), len(test)) != COMPLETE_MAFL:
        raise UserError(
            f"MAFL has 19,000 and 1,000 faces, "
            f"the lists in {lists['mafl_train'].parent} {len(train)} and {len(test)}"
        )
    if shared := train & test:
        raise UserError(
            f"{names[min(shared)]} is in both lists of MAFL, {lists['mafl_train']} and {lists['mafl_test']}; "
            "scores would be wrong"
        )
    return train, test


def _partition(path: Path, row_of: dict[str, int]) -> np.ndarray:
    """The number of the split of each row of the landmark list: 0 training, 1 validation, 2 test."""
    partition = np.full(len(row_of), -1)
    header = 1 if path.suffix == ".csv" else 0
    for number, row in enumerate(_lines(path)[header:], header + 1):
        if len(row) != 2 or row[0] not in row_of or row[1] not in ("0", "1", "2"):
            raise _misread(row, number, path, "a known file name and 0, 1 or 2")
        partition[row_of[row[0]]] = int(row[1])
    if missing := int((partition < 0).sum()):
        raise UserError(
            f"{path} lacks {missing} of the {len(row_of)} pictures that have landmarks; "
            f"get it again from {PAGE}"
        )
    return partition


def _names(path: Path, row_of: dict[str, int]) -> set[int]:
    words = [row[0] for row in _lines(path)]
    if unknown := [word for word in words if word not in row_of]:
        raise UserError(
            f"{path} names {len(unknown)} pictures that have no landmarks, the first {unknown[0]}"
        )
    return {row_of[word] for word in words}


def _lines(path: Path) -> list[list[str]]:
    """The words of each line that is not empty; blanks or commas separate them."""
    return [line.replace(",", " ").split() for line in path.read_text().splitlines() if line.strip()]


def _find_lists(root: Path, part: str) -> dict[str, Path]:
    """The list files that a part of the data set needs."""
    keys = [key for key in LISTS if OF_MAFL[part] or not key.startswith("mafl")]
    paths = {key: path for key in keys if (path := _find_list(root, key)) is not None}
    missing = [_where_to_get(key) for key in keys if key not in paths]
    if not any((folder / name).is_dir() for folder in (root / "Img", root) for name in FOLDERS):
        missing.insert(0, f"Img/{FOLDERS[0]} or Img/{FOLDERS[1]} (from {PAGE})")
    if missing:
        raise UserError(f"{root} lacks " + ", ".join(missing))
    return paths


def _find_list(root: Path, key: str) -> Path | None:
    subfolder, name, _ = LISTS[key]
    files = (name, f"{Path(name).stem}.csv")
    paths = (folder / file for folder in (root / subfolder, root) for file in files)
    return next((path for path in paths if path.is_file()), None)


def _where_to_get(key: str) -> str:
    subfolder, name, page = LISTS[key]
    return f"{subfolder}/{name} (from {page})"


def _pictures(root: Path, names: list[str]) -> list[Path]:
    """The picture files, from the first folder that exists. The lists say .jpg; the files may be .png."""
    folders = [folder / name for name in FOLDERS for folder in (root / "Img", root)]
    folder = next(folder for folder in folders if folder.is_dir())
    if (folder / folder.name).is_dir():
        folder = folder / folder.name  # as an archive in an archive leaves it
    path_of = {path.stem: path for path in folder.iterdir()}
    if missing := [name for name in names if Path(name).stem not in path_of]:
        raise UserError(
            f"{len(missing)} of {len(names)} pictures are missing in {folder}, the first {missing[0]}; "
            "unpack its archive again"
        )
    return [path_of[Path(name).stem] for name in names]


def _identities(root: Path, names: list[str]) -> np.ndarray | None:
    paths = (root / "Anno" / "identity_CelebA.txt", root / "identity_CelebA.txt")
    path = next((path for path in paths if path.is_file()), None)
    if path is None:
        return None
    lines = [line.split() for line in path.read_text().splitlines()]
    identity_of = {line[0]: line[1] for line in lines if len(line) == 2}
    if missing := [name for name in names if name not in identity_of]:
        raise UserError(
            f"{path} lacks {len(missing)} pictures, the first {missing[0]}; "
            f"get it again from {PAGE}, or remove it"
        )
    return np.array([int(identity_of[name]) for name in names], np.int64)


def _scaled(size: int) -> tuple[int, int]:
    """The side that the square is scaled to, and how many pixels are then cut at its left and top."""
    side = round(size * SCALED / MIDDLE)
    return side, (side - size) // 2


def _check(config: CelebAConfig) -> None:
    rows, columns = config.image_size
    if config.channels not in (1, 3) or rows != columns or rows < 2:
        raise UserError(
            f"faces are square, with 1 or 3 channels: not {config.image_size} with {config.channels}"
        )
    if not config.root or not Path(config.root).is_dir():
        raise UserError(
            "CelebA needs the folder that holds Img, Anno, Eval and MAFL, "
            f"and {config.root or 'nothing'!r} is none; name it with --data.root"
        )
