"""Annotated videos: things lie where they are painted, keep their numbers in a clip, and are written as they are read."""

import json

import numpy as np
import pytest
from PIL import Image

from motes.data import DATASETS
from motes.data.recognise import find_source
from motes.data.source import Source
from motes.data.tracks.annotated import AnnotatedConfig
from motes.data.tracks.coco_video import CocoVideo, coco_video, read_coco_video
from motes.data.tracks.film import AnnotatedThing
from motes.data.tracks.mot import Mot
from motes.data.tracks.mot_text import read_mot, result_line, truth_lines
from motes.errors import UserError
from motes.plain.options import options_of

HEIGHT, WIDTH = 48, 64


def boxes_at(frame):
    """Left, top, width, height of the things in a frame, by track: 7 goes right, 3 comes late and goes down."""
    boxes = {7: (4 + 2 * frame, 6, 10, 8)}
    return boxes | ({3: (40, 2 + 3 * frame, 6, 6)} if frame >= 4 else {})


def painted(frame):
    """A black frame with a white thing 7 and a grey thing 3."""
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    for track, (left, top, width, height) in boxes_at(frame).items():
        picture[top : top + height, left : left + width] = 255 if track == 7 else 128
    return Image.fromarray(picture)


def write_frames(folder, count=12):
    folder.mkdir(parents=True)
    for frame in range(count):
        painted(frame).save(folder / f"{frame + 1:06d}.png")


def truth_text(count=12):
    """MOT counts frames and pixels from 1; a line that does not count, and one of which nothing can be seen."""
    lines = ["1,99,1,1,5,5,0,1,1\n", "2,3,41,5,6,6,1,1,0\n"]
    for frame in range(count):
        for track, (left, top, width, height) in boxes_at(frame).items():
            lines.append(f"{frame + 1},{track},{left + 1},{top + 1},{width},{height},1,1,1\n")
    return "".join(lines)


@pytest.fixture
def sequence(tmp_path):
    folder = tmp_path / "street"
    write_frames(folder / "img1")
    (folder / "gt").mkdir()
    (folder / "gt" / "gt.txt").write_text(truth_text())
    (folder / "seqinfo.ini").write_text("[Sequence]\nimDir=img1\nframeRate=14\n")
    return folder


@pytest.fixture
def by_image(tmp_path):
    write_frames(tmp_path / "clip")
    images = [
        {"id": 100 + n, "video_id": 5, "frame_id": n, "file_name": f"clip/{n + 1:06d}.png"} for n in range(12)
    ]
    annotations = [
        {"id": 10 * n + track, "image_id": 100 + n, "track_id": track, "category_id": 2, "bbox": list(box)}
        for n in range(12)
        for track, box in boxes_at(n).items()
    ]
    content = {
        "videos": [{"id": 5, "name": "clip"}],
        "images": images[::-1],
        "annotations": annotations,
        "categories": [{"id": 1, "name": "bus"}, {"id": 2, "name": "car"}],
    }
    (tmp_path / "tracks.json").write_text(json.dumps(content))
    return tmp_path / "tracks.json"


@pytest.fixture
def by_video(tmp_path):
    write_frames(tmp_path / "clip")

    def whole(track):
        boxes = [boxes_at(n).get(track) for n in range(12)]
        masks = [box and {"size": [HEIGHT, WIDTH], "counts": run_lengths(box)} for box in boxes]
        boxes = [box and list(box) for box in boxes]
        return {"id": track, "video_id": 1, "category_id": 1, "bboxes": boxes, "segmentations": masks}

    content = {
        "videos": [{"id": 1, "file_names": [f"clip/{n + 1:06d}.png" for n in range(12)]}],
        "annotations": [whole(7), whole(3)],
        "categories": [{"id": 1, "name": "car"}],
    }
    (tmp_path / "tracks.json").write_text(json.dumps(content))
    return tmp_path / "tracks.json"


def run_lengths(box):
    left, top, width, height = box
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[top : top + height, left : left + width] = 1
    flat = mask.T.flatten()
    edges = np.flatnonzero(np.diff(flat)) + 1
    return np.diff([0, *edges, flat.size]).tolist()


def opened(cls, path, **options):
    return cls(AnnotatedConfig(str(path), (HEIGHT, WIDTH), held_out=0.2, gap=0, **options))


@pytest.mark.parametrize(
    ("kind", "name"), [(Mot, "sequence"), (CocoVideo, "by_image"), (CocoVideo, "by_video")]
)
def test_things_are_where_they_are_painted_and_keep_their_numbers(kind, name, request):
    path = request.getfixturevalue(name)
    data = opened(kind, path, frames=7)
    assert len(data) == 7 and data.frames == 7
    rows = range(7)
    truth = data.truth(rows)
    pixels = data.pixels(rows)
    # in the order of their tracks
    assert truth.factors["track"][6].tolist() == [3, 7]
    assert truth.present[:, 1].all() and truth.present[:, 0].tolist() == [False] * 4 + [True] * 3
    for row in rows:
        for number, value in ((0, 128), (1, 255)):
            if truth.present[row, number]:
                where = np.argwhere(pixels[row, 0] == value)
                box = [*where.min(0), *where.max(0)]
                assert truth.boxes[row, number].tolist() == box
                middle = (where.min(0) + where.max(0)) / 2
                centre = (truth.centres[row, number].numpy() + 1) / 2 * (HEIGHT - 1, WIDTH - 1)
                np.testing.assert_allclose(centre, middle, atol=1e-4)


def test_masks_of_a_video_are_its_pixels(by_video):
    data = opened(CocoVideo, by_video, frames=6)
    truth = data.truth(range(6))
    pixels = data.pixels(range(6))[:, 0]
    np.testing.assert_array_equal(truth.masks[:, 1].numpy(), pixels == 255)
    np.testing.assert_array_equal(truth.masks[:, 0].numpy(), pixels == 128)


def test_a_thing_of_which_nothing_can_be_seen_is_in_the_clip_and_not_present(sequence):
    truth = opened(Mot, sequence, frames=3).truth(range(3))
    assert truth.factors["track"][1].tolist() == [3, 7]
    assert truth.present[1].tolist() == [False, True]
    assert 99 not in truth.factors["track"]


def test_single_frames_number_their_own_things(sequence):
    data = opened(Mot, sequence)
    assert data.frames == 1 and data.truth([0]).factors["track"].tolist() == [[7, -1]]


def test_splits_of_one_film_share_no_frame(sequence):
    config = AnnotatedConfig(str(sequence), (HEIGHT, WIDTH), held_out=0.2, gap=0)
    numbers = [
        {data.place(row)[1] for row in range(len(data))}
        for data in (Mot(config, split) for split in ("train", "validation", "test"))
    ]
    assert sum(map(len, numbers)) == len(set().union(*numbers)) == 12


def test_films_go_to_splits_undivided_and_folders_may_say_to_which(tmp_path):
    for split, names in {"train": "abc", "test": "d"}.items():
        for name in names:
            folder = tmp_path / split / name
            write_frames(folder / "img1", 4)
            (folder / "gt").mkdir()
            (folder / "gt" / "gt.txt").write_text(truth_text(4))
    config = AnnotatedConfig(str(tmp_path), (HEIGHT, WIDTH))
    test = Mot(config, "test")
    assert {test.place(row)[0].name for row in range(len(test))} == {"test/d"}
    assert len(Mot(config, "train")) == 8 and len(Mot(config, "validation")) == 4


def test_a_video_beside_its_text_is_read_as_its_frames(tmp_path):
    av = pytest.importorskip("av", reason="PyAV is not installed")
    with av.open(str(tmp_path / "street.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=10, options={"crf": "0"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv444p"
        for frame in range(12):
            container.mux(stream.encode(av.VideoFrame.from_image(painted(frame))))
        container.mux(stream.encode())
    (tmp_path / "street.txt").write_text(truth_text())
    data = opened(Mot, tmp_path / "street.txt", frames=5)
    truth = data.truth(range(5))
    top, left, bottom, right = truth.boxes[4, 1].int().tolist()
    inside = data.pixels([4])[0, 0, top : bottom + 1, left : right + 1]
    assert inside.min() > 230
    assert len(opened(Mot, tmp_path, frames=5)) == len(data)


@pytest.mark.parametrize(("name", "kind"), [("sequence", "mot"), ("by_image", "coco-video")])
def test_places_are_recognised(name, kind, request):
    path = request.getfixturevalue(name)
    assert find_source(str(path))[0] == kind
    assert find_source(str(path.parent))[0] == kind
    assert len(Source(*find_source(str(path))).changed({"gap": 0, "held_out": 0.2}).open("train"))


@pytest.mark.parametrize("name", ["mot", "coco-video"])
def test_options_are_found_without_torch(name):
    assert {"path", "frames", "image_size"} <= options_of(DATASETS.source(name)).keys()


def test_mot_text_is_written_as_it_is_read(sequence, tmp_path):
    things = read_mot(sequence / "gt" / "gt.txt")
    copy = tmp_path / "copy.txt"
    copy.write_text("".join(truth_lines((frame, thing) for frame in things for thing in things[frame])))
    assert read_mot(copy) == things
    results = tmp_path / "results.txt"
    results.write_text(result_line(4, 2, (3.0, 5.0, 7.0, 9.0), 0.5))
    assert results.read_text() == "5,2,4.00,6.00,7.00,9.00,0.5,-1,-1,-1\n"
    assert read_mot(results) == {4: [AnnotatedThing(2, (3.0, 5.0, 7.0, 9.0))]}


@pytest.mark.parametrize("name", ["by_image", "by_video"])
def test_coco_videos_are_written_as_they_are_read(name, request):
    path = request.getfixturevalue(name)
    films = read_coco_video(path)
    copy = path.with_name("copy.json")
    copy.write_text(json.dumps(coco_video(films, path.parent)))
    again = read_coco_video(copy)
    assert [film.annotations for film in again] == [film.annotations for film in films]
    assert [film.pictures for film in again] == [film.pictures for film in films]
    assert again[0].categories == films[0].categories


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("1,2,3", "line 2: '1,2,3' should be frame, track"),
        ("0,2,3,4,5,6", "counted from 1"),
        ("1,a,3,4,5,6", "should be frame, track"),
        ("1,2,nan,4,5,6", "should be frame, track"),
        ("1,7,3,4,5,6", "track 7 is twice in frame 1"),
    ],
)
def test_a_broken_line_is_named(tmp_path, line, words):
    path = tmp_path / "gt.txt"
    path.write_text(f"1,7,1,1,2,2,1,1,1\n{line}\n")
    with pytest.raises(UserError, match=words):
        read_mot(path)


def test_what_is_wrong_is_said(sequence, by_image, tmp_path):
    with pytest.raises(UserError, match="place of their annotations"):
        Mot(AnnotatedConfig(str(tmp_path / "nowhere")))
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=r"no gt/gt\.txt"):
        Mot(AnnotatedConfig(str(tmp_path / "empty")))
    with pytest.raises(UserError, match="no clip of 60 frames"):
        opened(Mot, sequence, frames=60)
    content = json.loads(by_image.read_text())
    for record in content["annotations"]:
        del record["track_id"]
    by_image.write_text(json.dumps(content))
    with pytest.raises(UserError, match="without track_id or instance_id"):
        opened(CocoVideo, by_image)
    by_image.write_text("{")
    with pytest.raises(UserError, match="cut short"):
        opened(CocoVideo, by_image)
    (sequence / "img1" / "000005.png").unlink()
    with pytest.raises(UserError, match="frames are missing"):
        opened(Mot, sequence)
