"""Pictures with annotations in COCO's format: boxes, masks (polygons and run lengths) and key points, of
animals, cells, streets.

a .json file beside its pictures (or a folder of them), or ROOT/annotations/instances_train2017.json,
instances_val2017.json ... with ROOT/train2017, ROOT/val2017 ..., or ROOT/images
"""

import json
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw

from motes.data.base import Dataset, Split
from motes.data.files.picture_files import check_looks, moved, read_picture, to_size
from motes.data.splits import NAMES, check_held_out, share_out
from motes.errors import UserError
from motes.types.truth import Truth

THREADS = 4
Id = int | str


@dataclass(frozen=True)
class CocoConfig:
    """Pictures with things that are annotated."""

    # a .json file, or a folder that holds annotations
    path: str = ""
    # the folder of the pictures, where it is not beside the annotations
    images: str = ""
    # rows, columns
    image_size: tuple[int, int] = (128, 128)
    # 1: grey
    channels: int = 3
    # fit: cover and cut the middle; stretch: both sides; crop: cut the middle unscaled
    fit: str = "fit"
    # where there are several files for a split: the one whose name begins so, such as person_keypoints
    kind: str = "instances"
    # at most in a picture, the largest ones; 0: as many as the fullest picture has
    things: int = 0
    # share of the training pictures for each of validation and test that has no file of its own
    held_out: float = 0.1


class Coco(Dataset):
    """Things are ordered by size, the largest first; where masks meet, the smaller one is in front. Crowds
    are no things.

    `points` are the key points of the largest thing that has any; one that is not annotated, or cut away, is
    NaN.
    """

    Config = CocoConfig

    def __init__(self, config: CocoConfig, split: Split = "train"):
        check_looks(config.image_size, config.channels, config.fit)
        if not config.path or not Path(config.path).exists():
            raise UserError(
                f"annotations of COCO are a .json file or a folder, and {config.path or 'nothing'!r} is none"
            )
        check_held_out(config.held_out)
        self.config = config
        self.split: Split = split
        files = _files(Path(config.path), config.kind)
        self._source = files.get(split, files["train"])
        self._kinds, images, things = _read(self._source)
        missing = [name for name in ("validation", "test") if name not in files]
        self._images = _share(images, split, split in files and split != "train", missing, config.held_out)
        self._things = [_by_size(things.get(image["id"], [])) for image in self._images]
        self._most = config.things or max([1, *map(len, self._things)])
        self._paths = _locate(self._source, config.images, [image["file_name"] for image in self._images])
        self._images = [
            _with_size(image, path) for image, path in zip(self._images, self._paths, strict=True)
        ]
        self._marks = max(
            (len(one["keypoints"]) // 3 for own in things.values() for one in own if one.get("keypoints")),
            default=0,
        )
        self._masked = all(
            one.get("segmentation") for own in things.values() for one in own
        )  # of all or none: no thing is taken for background
        self._pool = ThreadPoolExecutor(THREADS)

    def __len__(self) -> int:
        return len(self._images)

    def pixels(self, rows: Sequence[int]) -> np.ndarray:
        return np.stack(list(self._pool.map(self._one, rows)))

    def truth(self, rows: Sequence[int]) -> Truth:
        drawn = [self._annotated(row) for row in rows]
        joined = {name: torch.from_numpy(np.stack([one[name] for one in drawn])) for name in drawn[0]}
        ids = [self._images[row]["id"] for row in rows]
        numbers = torch.tensor(
            [one if isinstance(one, int) else row for one, row in zip(ids, rows, strict=True)]
        )
        return Truth(
            present=joined["present"],
            centres=joined["centres"],
            boxes=joined["boxes"],
            masks=joined["masks"] if self._masked else None,
            points=joined["points"] if self._marks else None,
            factors={"category": joined["category"]},
            scene={"picture": numbers},
        )

    def _one(self, row: int) -> np.ndarray:
        told = self._images[row]
        picture = read_picture(self._paths[row], (told["width"], told["height"]))
        if (picture.width, picture.height) != (told["width"], told["height"]):
            raise UserError(
                f"{self._paths[row]} is {picture.width} x {picture.height} pixels, its annotations are for {told['width']} x {told['height']}"
            )
        return to_size(picture, self.config.image_size, self.config.channels, self.config.fit)

    def _annotated(self, row: int) -> dict[str, np.ndarray]:
        """Of one picture: present N, centres N 2, boxes N 4, masks N H W, points P 2, category N."""
        size = self.config.image_size
        image = self._images[row]
        most = self._most
        made = {
            "present": np.zeros(most, bool),
            "centres": np.zeros((most, 2), np.float32),
            "boxes": np.zeros((most, 4), np.float32),
        }
        made |= {
            "category": np.full(most, -1, np.int64),
            "points": np.full((self._marks, 2), np.nan, np.float32),
        }
        numbers = np.zeros(size, np.int32)
        for n, thing in enumerate(self._things[row][:most]):
            left, top, width, height = thing["bbox"]
            corners = (
                np.array([[top, left], [top + height, left + width]]) - 0.5
            )  # edges of pixels, not their middles
            first, last = self._pixels(corners, image) + 0.5
            made["centres"][n] = ((first + last - 1) / 2) / (np.array(size) - 1) * 2 - 1
            box = np.concatenate(
                [np.maximum(np.floor(first + 0.5), 0), np.minimum(np.ceil(last - 0.5), size) - 1]
            )
            made["boxes"][n] = box
            made["present"][n] = box[0] <= box[2] and box[1] <= box[3]
            made["category"][n] = self._kinds.get(thing["category_id"], -1)
            if thing.get("segmentation"):
                numbers[self._mask(thing["segmentation"], image)] = n + 1
        made["masks"] = numbers[None] == np.arange(1, most + 1)[:, None, None]
        marked = next(
            (thing for thing in self._things[row] if any((thing.get("keypoints") or [0])[2::3])), None
        )
        if marked is not None:
            places = self._points(marked["keypoints"], image)
            made["points"][: len(places)] = places  # categories may have different numbers of them
        made["boxes"][~made["present"]] = 0
        return made

    def _points(self, told: list[Any], image: dict[str, Any]) -> np.ndarray:
        marks = np.array(told, np.float64).reshape(-1, 3)
        places = moved(
            marks[:, 1::-1],
            (image["height"], image["width"]),
            (0, 0, 0, 0),
            self.config.image_size,
            self.config.fit,
        )
        unknown = (marks[:, 2] == 0) | (np.abs(places) > 1).any(1)
        return np.where(unknown[:, None], np.nan, places).astype(np.float32)

    def _pixels(self, points: np.ndarray, image: dict[str, Any]) -> np.ndarray:
        """(row, column) of the whole picture to those of what is shown."""
        places = moved(
            points, (image["height"], image["width"]), (0, 0, 0, 0), self.config.image_size, self.config.fit
        )
        return (places.astype(np.float64) + 1) / 2 * (np.array(self.config.image_size) - 1)

    def _mask(self, told: Any, image: dict[str, Any]) -> np.ndarray:
        """bool, H W, of what is shown."""
        pixels = (
            _run_lengths(told, self._source)
            if isinstance(told, dict)
            else _filled(told, image["height"], image["width"])
        )
        return to_size(Image.fromarray(pixels), self.config.image_size, 1, self.config.fit)[0] > 127


def _files(path: Path, kind: str) -> dict[str, Path]:
    """The file of each split that has one; a file alone is for training."""
    if path.is_file():
        return {"train": path}
    found = (
        sorted(path.glob("*.json"))
        + sorted(path.glob("annotations/*.json"))
        + sorted(path.glob("*/*.coco.json"))
    )
    if not found:
        raise UserError(f"there is no .json file in {path}, nor in {path / 'annotations'}")
    if len(found) == 1:
        return {"train": found[0]}
    own: dict[str, list[Path]] = {}
    for file in found:
        split = _split_of(file.stem) or (_split_of(file.parent.name) if file.parent != path else None)
        if split:
            own.setdefault(split, []).append(file)
    chosen = {
        split: next((file for file in files if file.stem.startswith(kind)), files[0])
        for split, files in own.items()
    }
    if "train" not in chosen:
        raise UserError(
            f"{path} has {', '.join(file.name for file in found)}, and none is for training by its name; name the file itself"
        )
    return chosen


def _split_of(name: str) -> Split | None:
    """By a word in it: of instances_train2017, train."""
    words = set(re.findall("[a-z]+", name.lower()))
    return next((split for split, names in NAMES.items() if words & {*names, f"{names[0]}ing"}), None)


def _read(path: Path) -> tuple[dict[Id, int], list[dict[str, Any]], dict[Id, list[dict[str, Any]]]]:
    """Categories by their place, pictures in the order of their names, and what is annotated in each."""
    try:
        told = json.loads(path.read_text())
        kinds = {one["id"]: place for place, one in enumerate(told.get("categories", []))}
        images = [{**one, "file_name": one["file_name"].replace("\\", "/")} for one in told["images"]]
        images.sort(key=lambda one: one["file_name"])
        known = {one["id"] for one in images}
        things: dict[Id, list[dict[str, Any]]] = {}
        for one in told["annotations"]:
            if one["image_id"] not in known:
                raise UserError(
                    f"{path} annotates a picture of id {one['image_id']}, which is not in its list; the file is not whole"
                )
            if not one.get("iscrowd") and len(one["bbox"]) == 4:
                things.setdefault(one["image_id"], []).append(one)
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        raise UserError(
            f"{path} is cut short, or not in COCO's format ({type(problem).__name__} {problem})"
        ) from None
    if not images:
        raise UserError(f"{path} lists no pictures")
    return kinds, images, things


def _locate(source: Path, told: str, names: list[str]) -> list[Path]:
    """Each picture, in the first of the usual folders that has it."""
    split = source.stem.rpartition("_")[2]
    near = [source.parent, source.parent.parent]
    folders = (
        [Path(told)]
        if told
        else [folder / sub for folder in near for sub in ("", split, "images", f"images/{split}")]
    )
    folder = next((folder for folder in folders if (folder / names[0]).is_file()), folders[0])
    paths = [folder / name for name in names]
    if missing := [path for path in paths if not path.is_file()]:
        raise UserError(
            f"{len(missing)} of {len(paths)} pictures that {source.name} lists are missing, the first {missing[0]}; say where with --data.images"
        )
    return paths


def _share(
    images: list[dict[str, Any]], split: Split, own: bool, missing: Sequence[str], held_out: float
) -> list[dict[str, Any]]:
    """All of a file of its own; or else, by hashes of the names, what is held out of the training pictures,
    or left of them."""
    if own or (split == "train" and not missing):
        return images
    chosen = share_out([one["file_name"] for one in images], split, missing, held_out)
    return sorted((images[row] for row in chosen), key=lambda one: one["file_name"])


def _with_size(image: dict[str, Any], path: Path) -> dict[str, Any]:
    """Some tools leave the size out."""
    if "width" in image and "height" in image:
        return image
    picture = read_picture(path)
    return {**image, "width": picture.width, "height": picture.height}


def _by_size(things: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(things, key=lambda one: one.get("area") or one["bbox"][2] * one["bbox"][3], reverse=True)


def _filled(outlines: list[Any], height: int, width: int) -> np.ndarray:
    """uint8, H W: how much of each pixel lies inside, from drawing it four times as large, for PIL fills
    edges as well."""
    corners = [np.array(one, np.float64).reshape(-1, 2) for one in outlines if len(one) >= 6]
    made = np.zeros((height, width), np.uint8)
    if not corners:
        return made
    everything = np.concatenate(corners)
    first = np.clip(np.floor(everything.min(0)), 0, (width, height)).astype(int)
    last = np.clip(np.ceil(everything.max(0)), 0, (width, height)).astype(int)
    if (last <= first).any():
        return made
    part = Image.new("L", tuple((4 * (last - first)).tolist()))
    for one in corners:
        ImageDraw.Draw(part).polygon(
            [tuple(corner) for corner in (4 * (one - first) - 0.5).tolist()], fill=255
        )
    made[first[1] : last[1], first[0] : last[0]] = np.asarray(part.reduce(4))
    return made


def _run_lengths(told: dict[str, Any], source: Path) -> np.ndarray:
    """uint8, H W, 255 inside: lengths of runs of off and on, down the columns; as numbers, or packed in
    characters of six bits."""
    height, width = told["size"]
    counts = told["counts"] if isinstance(told["counts"], list) else _unpack(told["counts"])
    if sum(counts) != height * width or min(counts, default=0) < 0:
        raise UserError(
            f"{source} has a mask of {sum(counts)} pixels for a picture of {height} x {width}; it is damaged"
        )
    values = np.repeat(np.arange(len(counts)) % 2, counts).astype(np.uint8) * 255
    return np.ascontiguousarray(values.reshape(width, height).T)


def _unpack(text: str) -> list[int]:
    """Five bits of a number a character, the sixth says that it goes on; from the fourth number on, as the
    difference to the one two before."""
    counts: list[int] = []
    value = 0
    shift = 0
    for character in text:
        bits = ord(character) - 48
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            value -= 1 << shift
        counts.append(value + counts[-2] if len(counts) > 2 else value)
        value = 0
        shift = 0
    return counts
