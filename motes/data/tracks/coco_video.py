"""Videos with tracks in the two formats that grew from COCO's.

As of YouTube-VIS: "videos" with "file_names", and annotations of whole videos with "bboxes" and "segmentations",
one entry a frame. As of TAO and CocoVID: "images" with "video_id", and annotations of images with a "track_id" or
"instance_id".
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from motes.data.files.coco_annotations import picture_paths
from motes.data.tracks.annotated import AnnotatedConfig, AnnotatedFilms
from motes.data.tracks.film import AnnotatedFilm, AnnotatedThing
from motes.errors import UserError

Record = dict[str, Any]


class CocoVideo(AnnotatedFilms):
    """Clips of annotated videos; things that are marked as crowds are left out."""

    Config = AnnotatedConfig

    def films(self, path: Path) -> list[AnnotatedFilm]:
        return read_coco_video(_annotations(path))


def _annotations(path: Path) -> Path:
    if path.is_file():
        return path
    files = [file for pattern in ("*.json", "annotations/*.json") for file in sorted(path.glob(pattern))]
    if len(files) != 1:
        names = ", ".join(file.name for file in files) or "none"
        raise UserError(f"{path} should hold one .json file of annotations, and holds {names}; name the file")
    return files[0]


def read_coco_video(path: Path) -> list[AnnotatedFilm]:
    """The videos of a file of annotations, in the order of their ids."""
    try:
        content = json.loads(path.read_text())
        categories = {category["id"]: n for n, category in enumerate(content.get("categories", []))}
        names = [str(category.get("name", "")) for category in content.get("categories", [])]
        films = _films(content, categories, path)
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        reason = f"{type(problem).__name__} {problem}"
        raise UserError(f"{path} is cut short, or has no videos in COCO's format ({reason})") from None
    if not films:
        raise UserError(f"{path} lists no videos")
    missing = [film for film, frames, _ in films if not frames]
    if missing:
        raise UserError(f"{path} lists no frames of the video {missing[0]}")
    paths = iter(picture_paths(path, "", [name for _, frames, _ in films for name in frames]))
    return [
        AnnotatedFilm(name, [next(paths) for _ in frames], None, by_frame, categories=names)
        for name, frames, by_frame in films
    ]


# the video's name, the names of its frames, the things by frame
Film = tuple[str, list[str], dict[int, list[AnnotatedThing]]]


def _films(content: Record, categories: dict[Any, int], path: Path) -> list[Film]:
    videos = sorted(content["videos"], key=lambda video: video["id"])
    if all("file_names" in video for video in videos):
        return _by_video(videos, content.get("annotations") or [], categories)
    return _by_image(videos, content, categories, path)


def _by_video(videos: list[Record], annotations: list[Record], categories: dict[Any, int]) -> list[Film]:
    by_frame: dict[Any, dict[int, list[AnnotatedThing]]] = {video["id"]: {} for video in videos}
    for track, record in enumerate(annotations):
        masks = record.get("segmentations") or []
        for frame, box in enumerate(record["bboxes"]):
            if box and not record.get("iscrowd"):
                mask = masks[frame] if frame < len(masks) else None
                annotation = _thing(
                    record.get("id", track), box, categories.get(record.get("category_id")), mask
                )
                by_frame[record["video_id"]].setdefault(frame, []).append(annotation)
    return [
        (
            str(video.get("name", video["id"])),
            list(map(_with_slashes, video["file_names"])),
            by_frame[video["id"]],
        )
        for video in videos
    ]


def _by_image(videos: list[Record], content: Record, categories: dict[Any, int], path: Path) -> list[Film]:
    images = sorted(content["images"], key=lambda image: (image.get("frame_id", 0), image["file_name"]))
    frames: dict[Any, list[Record]] = {video["id"]: [] for video in videos}
    frame_of: dict[Any, tuple[Any, int]] = {}
    for image in images:
        of_video = frames[image["video_id"]]
        frame_of[image["id"]] = (image["video_id"], len(of_video))
        of_video.append(image)
    by_frame: dict[Any, dict[int, list[AnnotatedThing]]] = {video["id"]: {} for video in videos}
    for record in content["annotations"]:
        if record.get("iscrowd"):
            continue
        video, frame = frame_of[record["image_id"]]
        track = record.get("track_id", record.get("instance_id"))
        if track is None:
            raise UserError(f"{path} has annotations without track_id or instance_id: no track is known")
        category = categories.get(record.get("category_id"))
        annotation = _thing(track, record["bbox"], category, record.get("segmentation"))
        by_frame[video].setdefault(frame, []).append(annotation)
    return [
        (
            str(video.get("name", video["id"])),
            [_with_slashes(image["file_name"]) for image in frames[video["id"]]],
            by_frame[video["id"]],
        )
        for video in videos
    ]


def _thing(track: int, box: Sequence[float | int], category: int | None, mask: Any) -> AnnotatedThing:
    left, top, width, height = map(float, box)
    number = -1 if category is None else category
    return AnnotatedThing(int(track), (left, top, width, height), number, segmentation=mask or None)


def _with_slashes(name: str) -> str:
    return name.replace("\\", "/")


def coco_video(films: Iterable[AnnotatedFilm], root: Path) -> Record:
    """Annotations of these videos as of CocoVID, with the names of pictures below the folder `root`.

    A video whose frames lie in a video file has frames of the names VIDEO/000000, VIDEO/000001 ...
    """
    content: Record = {"videos": [], "images": [], "annotations": [], "categories": []}
    names: list[str] = []
    for number, film in enumerate(films):
        names = names or list(film.categories)
        content["videos"].append({"id": number, "name": film.name})
        _add_film(content, number, film, root)
    used = {record["category_id"] for record in content["annotations"]}
    count = max(len(names), max(used, default=-1) + 1, 1)
    content["categories"] = [
        {"id": n, "name": names[n] if n < len(names) else f"category {n}"} for n in range(count)
    ]
    return content


def _add_film(content: Record, number: int, film: AnnotatedFilm, root: Path) -> None:
    height, width = film.size
    for frame in range(len(film)):
        image = len(content["images"])
        name = f"{film.name}/{frame:06d}" if film.video else film.pictures[frame].relative_to(root).as_posix()
        content["images"].append(
            {
                "id": image,
                "video_id": number,
                "frame_id": frame,
                "file_name": name,
                "width": width,
                "height": height,
            }
        )
        content["annotations"] += [
            _record(len(content["annotations"]) + n, image, annotation)
            for n, annotation in enumerate(film.annotations.get(frame, ()))
        ]


def _record(number: int, image: int, thing: AnnotatedThing) -> Record:
    record = {
        "id": number,
        "image_id": image,
        "track_id": thing.track,
        "category_id": max(thing.category, 0),
        "bbox": list(thing.box),
        "area": thing.box[2] * thing.box[3],
        "iscrowd": 0,
    }
    return record if thing.segmentation is None else {**record, "segmentation": thing.segmentation}
