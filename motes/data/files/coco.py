"""Pictures with annotations in COCO's format: boxes, masks (polygons and run lengths) and key points.

The annotations may lie in three ways:

a .json file beside its pictures, or a folder of them, or
ROOT/annotations/instances_train2017.json, instances_val2017.json ... with ROOT/train2017, ROOT/val2017 ...,
or with ROOT/images
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from motes.data.base import Dataset, Split
from motes.data.files.coco_annotations import (
    Record,
    annotation_files,
    area_of,
    picture_paths,
    read_annotations,
    with_size,
)
from motes.data.files.picture_files import (
    check_looks,
    moved,
    moved_edges,
    pixels_between,
    read_picture,
    to_size,
)
from motes.data.mask_encodings import filled, from_run_lengths
from motes.data.splits import check_held_out, share_out
from motes.errors import UserError
from motes.types.truth import Truth

THREADS = 4


@dataclass(frozen=True)
class CocoConfig:
    """Pictures of any size, brought to one size, and the annotated things in them."""

    # the .json file of the annotations, or the folder that holds them
    path: str = ""
    # the folder of the pictures, if they do not lie beside the annotations
    images: str = ""
    # rows, columns
    image_size: tuple[int, int] = (128, 128)
    # 1: grey, 3: colours
    channels: int = 3
    # fit: scale to cover, then cut the middle; stretch: scale both sides; crop: cut the middle unscaled
    fit: str = "fit"
    # if there are several files for a split, the one whose name begins like this, such as person_keypoints
    kind: str = "instances"
    # things of a picture at most, the largest first; 0: as many as the fullest picture has
    things: int = 0
    # share of the training pictures for each of validation and test that has no file of its own
    held_out: float = 0.1


class Coco(Dataset):
    """Pictures with annotated things, the largest first; where masks overlap, the smaller thing is in front.

    Annotations that are marked as crowds are not used.

    `points` are the key points of the largest thing that has any; a key point that is not annotated, or cut
    away, is NaN.
    """

    Config = CocoConfig

    def __init__(self, config: CocoConfig, split: Split = "train"):
        check_looks(config.image_size, config.channels, config.fit)
        if not config.path or not Path(config.path).exists():
            path = config.path or "nothing"
            raise UserError(f"annotations of COCO are a .json file or a folder, and {path!r} is none")
        check_held_out(config.held_out)
        self.config = config
        self.split: Split = split
        files = annotation_files(Path(config.path), config.kind)
        self._source = files.get(split, files["train"])
        annotations = read_annotations(self._source)
        self._categories = annotations.categories
        images = self._images_of_split(annotations.images, files)
        self._paths = picture_paths(self._source, config.images, [image["file_name"] for image in images])
        self._images = [with_size(image, path) for image, path in zip(images, self._paths, strict=True)]
        records = [annotations.records.get(image["id"], []) for image in images]
        self._things = [sorted(of_image, key=area_of, reverse=True) for of_image in records]
        self._most = config.things or max([1, *map(len, self._things)])
        everything = annotations.all_records
        self._keypoints = max((len(record.get("keypoints") or ()) // 3 for record in everything), default=0)
        # of all or none: no thing is taken for background
        self._masked = all(record.get("segmentation") for record in everything)
        self._pool = ThreadPoolExecutor(THREADS)

    def __len__(self) -> int:
        return len(self._images)

    def pixels(self, rows: Sequence[int]) -> np.ndarray:
        return np.stack(list(self._pool.map(self._picture, rows)))

    def truth(self, rows: Sequence[int]) -> Truth:
        annotated = [self._annotated(row) for row in rows]
        joined = {
            name: torch.from_numpy(np.stack([arrays[name] for arrays in annotated])) for name in annotated[0]
        }
        return Truth(
            present=joined["present"],
            centres=joined["centres"],
            boxes=joined["boxes"],
            masks=joined["masks"] if self._masked else None,
            points=joined["points"] if self._keypoints else None,
            factors={"category": joined["category"]},
            scene={"picture": torch.tensor([self._number_of(row) for row in rows])},
        )

    def _number_of(self, row: int) -> int:
        """The picture's id in the annotations, or its row number if the id is not an integer."""
        name = self._images[row]["id"]
        return name if isinstance(name, int) else row

    def _images_of_split(self, images: list[Record], files: dict[str, Path]) -> list[Record]:
        """The images of a split: those of its own file, or, if it has none, a part of the training pictures.

        A hash of a picture's file name decides whether it is held out or left for training.
        """
        missing = [name for name in ("validation", "test") if name not in files]
        if self.split not in missing and (self.split != "train" or not missing):
            return images
        names = [image["file_name"] for image in images]
        chosen = share_out(names, self.split, missing, self.config.held_out)
        return sorted((images[row] for row in chosen), key=lambda image: image["file_name"])

    def _picture(self, row: int) -> np.ndarray:
        path = self._paths[row]
        size = (self._images[row]["width"], self._images[row]["height"])
        picture = read_picture(path, size)
        if (picture.width, picture.height) != size:
            raise UserError(
                f"{path} is {picture.width} x {picture.height} pixels, "
                f"its annotations are for {size[0]} x {size[1]}"
            )
        return to_size(picture, self.config.image_size, self.config.channels, self.config.fit)

    def _annotated(self, row: int) -> dict[str, np.ndarray]:
        """The annotations of one picture, by name.

        They are present N, centres N 2, boxes N 4, masks N H W, points P 2, category N.
        """
        image = self._images[row]
        records = self._things[row][: self._most]
        boxes, present, centres = self._boxes(records, image)
        return {
            "present": present,
            "centres": centres,
            "boxes": boxes,
            "masks": self._masks(records, image),
            "points": self._points(self._things[row], image),
            "category": self._category(records),
        }

    def _category(self, records: list[Record]) -> np.ndarray:
        """The category of each thing, int64, N; -1 where there is no thing, or its category is not in the
        list."""
        category = np.full(self._most, -1, np.int64)
        category[: len(records)] = [self._categories.get(record["category_id"], -1) for record in records]
        return category

    def _boxes(self, records: list[Record], image: Record) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """For each thing its box, N 4, whether the picture shows any pixel of it, N, and its centre, N 2."""
        boxes = np.zeros((self._most, 4), np.float32)
        present = np.zeros(self._most, bool)
        centres = np.zeros((self._most, 2), np.float32)
        size = self.config.image_size
        for n, record in enumerate(records):
            first, last = moved_edges(record["bbox"], _size_of(image), size, self.config.fit)
            centres[n] = ((first + last - 1) / 2) / (np.array(size) - 1) * 2 - 1
            box = pixels_between(first, last, size)
            present[n] = box[0] <= box[2] and box[1] <= box[3]
            boxes[n] = box if present[n] else 0
        return boxes, present, centres

    def _masks(self, records: list[Record], image: Record) -> np.ndarray:
        """The visible masks of the things in one picture: bool, N H W."""
        numbers = np.zeros(self.config.image_size, np.int32)
        for n, record in enumerate(records):
            if record.get("segmentation"):
                numbers[self._mask(record["segmentation"], image)] = n + 1
        return numbers[None] == np.arange(1, self._most + 1)[:, None, None]

    def _mask(self, segmentation: Any, image: Record) -> np.ndarray:
        """The mask of one thing in the resized picture: bool, H W."""
        if isinstance(segmentation, dict):
            pixels = from_run_lengths(segmentation, self._source)
        else:
            pixels = filled(segmentation, image["height"], image["width"])
        return to_size(Image.fromarray(pixels), self.config.image_size, 1, self.config.fit)[0] > 127

    def _points(self, records: list[Record], image: Record) -> np.ndarray:
        """The key points of the largest thing that has any, float32, P 2; NaN where a point is unknown.

        P is the largest number of key points that any thing has.
        """
        points = np.full((self._keypoints, 2), np.nan, np.float32)
        marked = next((record for record in records if any((record.get("keypoints") or [0])[2::3])), None)
        if marked is not None:
            keypoints = np.array(marked["keypoints"], np.float64).reshape(-1, 3)
            places = self._moved(keypoints[:, 1::-1], image)
            unknown = (keypoints[:, 2] == 0) | (np.abs(places) > 1).any(1)
            points[: len(places)] = np.where(unknown[:, None], np.nan, places)
        return points

    def _moved(self, points: np.ndarray, image: Record) -> np.ndarray:
        return moved(points, _size_of(image), (0, 0, 0, 0), self.config.image_size, self.config.fit)


def _size_of(image: Record) -> tuple[int, int]:
    return image["height"], image["width"]
