"""COCO annotations: the box, the middle (a key point) and the certainty of each thing.

Films are videos as of CocoVID: images have a video and a number in it, annotations have tracks.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from motes.apps.export.found import Found, FoundFilm

Record = dict[str, Any]
CATEGORY = {"id": 1, "name": "thing", "keypoints": ["middle"], "skeleton": []}


def write_coco(films: Sequence[FoundFilm], path: Path, ending: str) -> None:
    content: Record = {"images": [], "annotations": [], "categories": [CATEGORY]}
    for number, film in enumerate(films, 1):
        if film.followed:
            content.setdefault("videos", []).append({"id": number, "name": film.footage.path.as_posix()})
        _add(film, number, content)
    path.write_text(json.dumps(content))


def _add(film: FoundFilm, video: int, content: Record) -> None:
    for frame, of_frame in enumerate(film.things):
        image = len(content["images"]) + 1
        content["images"].append({"id": image, **_image(film, frame, video)})
        for thing in of_frame:
            record = {"id": len(content["annotations"]) + 1, "image_id": image, **_annotation(thing)}
            if film.followed:
                record["track_id"] = thing.number + 1
            content["annotations"].append(record)


def _image(film: FoundFilm, frame: int, video: int) -> Record:
    height, width = film.sizes[frame]
    image = {"file_name": film.name_of(frame), "height": height, "width": width}
    return {**image, "video_id": video, "frame_id": frame} if film.followed else image


def _annotation(thing: Found) -> Record:
    x, y = thing.place
    left, top, width, height = _rounded(thing.box)
    return {
        "category_id": CATEGORY["id"],
        "bbox": [left, top, width, height],
        "area": width * height,
        "iscrowd": 0,
        "keypoints": [*_rounded((x, y)), 2],
        "num_keypoints": 1,
        "score": round(thing.certainty, 4),
    }


def _rounded(values: Sequence[float]) -> Iterator[float]:
    return (round(value, 2) for value in values)
