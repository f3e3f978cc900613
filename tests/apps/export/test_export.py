"""`motes export`: the tools' own readers give the numbers back that the model found."""

import json

import numpy as np
import pytest

from motes.apps.cli.main import run_command
from motes.apps.drawing.film import Film
from motes.apps.session.session import Session
from motes.data.files.landmark_tables import read_table
from motes.data.tracks.coco_video import read_coco_video
from motes.data.tracks.mot_text import read_mot
from motes.errors import UserError
from tests.apps.spots import Spots, picture, places, write_video

FRAMES = 6


@pytest.fixture
def export(tmp_path, monkeypatch):
    """Calls the command with a model that finds two spots; gives the file that it wrote."""
    monkeypatch.setattr(Session, "open", classmethod(lambda cls, *_, **__: cls(Spots())))
    run = tmp_path / "run"
    run.mkdir()

    def call(kind, name, *sources):
        run_command(["export", str(run), *map(str, sources), "--to", kind, "--out", str(tmp_path / name)])
        return tmp_path / name

    return call


@pytest.fixture
def video(tmp_path):
    pytest.importorskip("av", reason="needs pip install 'motes[video]'")
    return write_video(tmp_path / "film.mp4", FRAMES)


@pytest.fixture
def pictures(tmp_path):
    """Two pictures, in the second of which the green spot is hidden."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    picture(0).save(folder / "a.png")
    picture(1, hidden=("green",)).save(folder / "b.png")
    return folder


def true_points(frame):
    """x, y of the spots, from left to right in the first frame."""
    return sorted((column, row) for row, column in places(frame).values())


def is_near(points, frame):
    """Frames are halved before the model sees them."""
    points = sorted(tuple(map(float, point)) for point in points)
    assert points == [pytest.approx(point, abs=0.6) for point in true_points(frame)]


def reader(module):
    return pytest.importorskip(module, reason=f"{module} is not installed: pip install 'motes[pose]'")


def test_deeplabcut_tables_of_a_film(export, video):
    table = export("deeplabcut", "film.csv", video)
    lines = table.read_text().splitlines()
    assert lines[1].split(",") == ["bodyparts"] + ["thing0"] * 3 + ["thing1"] * 3
    assert len(lines) == 3 + FRAMES
    pandas = reader("pandas")
    read = pandas.read_csv(table, header=[0, 1, 2], index_col=0)
    assert read.index.tolist() == list(range(FRAMES))
    for frame in range(FRAMES):
        is_near(read.loc[frame]["motes"].unstack()[["x", "y"]].to_numpy(), frame)
    reader("tables")
    binary = pandas.read_hdf(export("deeplabcut", "film.h5", video))
    assert np.array_equal(binary.to_numpy(), read.to_numpy())
    assert binary.columns.equals(read.columns) and binary.index.equals(read.index)


def test_a_deeplabcut_table_of_pictures_is_truth_for_the_same_pictures(export, pictures):
    points = read_table(export("deeplabcut", "found.csv", pictures))
    first, second = points.values()
    is_near(first[:, ::-1], 0)
    assert np.isnan(second).all(1).sum() == 1
    assert [name.rpartition("/")[2] for name in points] == ["a.png", "b.png"]


def test_sleap_reads_deeplabcut_and_its_own_files(export, video, pictures):
    sleap = reader("sleap_io")
    annotated = sleap.load_file(str(export("deeplabcut", "found.csv", pictures)))
    is_near(np.concatenate([instance.numpy() for instance in annotated[0].instances]), 0)
    for kind, name in (("sleap", "film.slp"), ("nwb", "film.nwb")):
        read = sleap.load_file(str(export(kind, name, video)))
        assert len(read) == FRAMES, name
        for frame in range(FRAMES):
            points = np.concatenate([instance.numpy() for instance in read[frame].instances])
            is_near(points, frame)
    read = sleap.load_slp(str(export("sleap", "film.slp", video)))
    assert [track.name for track in read.tracks] == ["thing0", "thing1"]
    assert read.video.filename == str(video)
    assert {len(frame.bboxes) for frame in read.labeled_frames} == {2}
    # single pictures have no tracks
    read = sleap.load_slp(str(export("sleap", "pictures.slp", pictures)))
    assert [len(frame.instances) for frame in read.labeled_frames] == [2, 1] and not read.tracks


def test_coco_of_films_and_pictures(export, video, pictures):
    file = export("coco", "film.json", video, pictures)
    content = json.loads(file.read_text())
    assert len(content["images"]) == FRAMES + 2 and len(content["annotations"]) == 2 * FRAMES + 3
    assert [annotation.get("track_id") for annotation in content["annotations"][-3:]] == [None] * 3
    coco = reader("pycocotools.coco").COCO(file)
    for frame, image in enumerate(coco.loadImgs(coco.getImgIds())[:FRAMES]):
        assert image["file_name"].endswith(f"film.mp4/{frame:06d}")
        annotations = coco.loadAnns(coco.getAnnIds(image["id"]))
        is_near([annotation["keypoints"][:2] for annotation in annotations], frame)
        for annotation in annotations:
            left, top, width, height = annotation["bbox"]
            x, y, _ = annotation["keypoints"]
            assert (left + width / 2 - 0.5, top + height / 2 - 0.5) == pytest.approx((x, y), abs=0.02)


def test_coco_of_a_film_in_pictures_is_read_with_its_tracks(export, tmp_path):
    folder = tmp_path / "film"
    folder.mkdir()
    for frame in range(30):
        picture(frame).save(folder / f"{frame:03d}.png")
    (film,) = read_coco_video(export("coco", "film.json", folder))
    assert len(film) == 30 and film.pictures[7] == folder / "007.png"
    assert {thing.track for things in film.annotations.values() for thing in things} == {1, 2}


def test_mot_text_is_that_of_motes_track(export, video, tmp_path):
    text = export("mot", "film.txt", video)
    run_command(["track", str(tmp_path / "run"), str(video), "--out", str(tmp_path / "tracks"), "--no-film"])
    assert text.read_text() == (tmp_path / "tracks" / "mot.txt").read_text()
    assert sorted(read_mot(text)) == list(range(FRAMES))


def test_yolo_has_each_picture_and_its_boxes(export, video, pictures):
    folder = export("yolo", "yolo", video, pictures)
    labels = sorted(folder.glob("*/labels/*.txt"), key=lambda file: file.name)
    images = sorted(folder.glob("*/images/*.png"), key=lambda file: file.name)
    assert [file.stem for file in labels] == [file.stem for file in images] and len(labels) == FRAMES + 2
    first = np.array([line.split() for line in labels[0].read_text().splitlines()], float)
    is_near(first[:, 1:3] * (128, 96) - 0.5, 0)
    sleap = reader("sleap_io")
    read = sleap.load_ultralytics(str(folder), split="train")
    boxes = [len(frame.bboxes) for frame in read.labeled_frames]
    assert sum(boxes) == sum(
        len(file.read_text().splitlines()) for file in labels if file.parts[-3] == "train"
    )


@pytest.mark.parametrize(
    ("kind", "name", "sentence"),
    [
        ("deeplabcut", "film.json", "ends in .csv or .h5"),
        ("coco", "film.csv", "ends in .json"),
        ("yolo", "pictures", "goes to a new folder"),
        ("lerobot", "set", "adds to one LeRobot data set"),
        ("mot", "film.txt", "one film"),
    ],
)
def test_what_cannot_be_written_is_refused(export, pictures, tmp_path, kind, name, sentence):
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UserError, match=sentence):
        export(kind, name, pictures)
    assert sorted(tmp_path.rglob("*")) == before


def test_lerobot_gets_the_state_of_each_frame(export, tmp_path):
    pytest.importorskip("av", reason="needs pip install 'motes[video]'")
    parquet = pytest.importorskip("pyarrow.parquet", reason="needs pip install 'motes[parquet]'")
    root = _recorded(tmp_path / "recorded", parquet)
    out = export("lerobot", "with_states", root)
    table = parquet.read_table(out / "data/chunk-000/file-000.parquet")
    info = json.loads((out / "meta/info.json").read_text())
    feature = info["features"]["observation.environment_state"]
    assert feature["shape"] == [6] and feature["names"][:3] == ["thing0.x", "thing0.y", "thing0.certainty"]
    states = np.stack(table.column("observation.environment_state").to_pylist())
    for row, state in zip(table.column("index").to_pylist(), states, strict=True):
        is_near(state.reshape(2, 3)[:, :2] * (128, 96) - 0.5, row % FRAMES)
    statistics = json.loads((out / "meta/stats.json").read_text())["observation.environment_state"]
    assert statistics["mean"] == pytest.approx(states.mean(0), abs=1e-5)
    assert (
        "observation.environment_state" not in json.loads((root / "meta/info.json").read_text())["features"]
    )


def _recorded(root, parquet):
    """A LeRobot data set of two episodes in one video file, whose rows lie in another order."""
    import pyarrow

    camera = "observation.images.front"
    video = root / f"videos/{camera}/chunk-000/file-000.mp4"
    for folder in (video.parent, root / "meta/episodes/chunk-000", root / "data/chunk-000"):
        folder.mkdir(parents=True)
    with Film(video, 10.0, crf=4) as film:
        for frame in (*range(FRAMES), *range(FRAMES)):
            film.add(picture(frame))
    info = {
        "codebase_version": "v3.0",
        "fps": 10,
        "total_episodes": 2,
        "features": {camera: {"dtype": "video"}},
    }
    (root / "meta/info.json").write_text(json.dumps(info))
    episodes = {
        "episode_index": [0, 1],
        "length": [FRAMES] * 2,
        "dataset_from_index": [0, FRAMES],
        f"videos/{camera}/chunk_index": [0, 0],
        f"videos/{camera}/file_index": [0, 0],
        f"videos/{camera}/from_timestamp": [0.0, FRAMES / 10],
    }
    parquet.write_table(pyarrow.table(episodes), root / "meta/episodes/chunk-000/file-000.parquet")
    data = {"index": list(reversed(range(2 * FRAMES)))}
    parquet.write_table(pyarrow.table(data), root / "data/chunk-000/file-000.parquet")
    return root
