"""`motes track`: its files agree with each other, appear whole or not at all, and what is wrong is said."""

import json

import pytest

from motes.apps.cli.main import run_command
from motes.apps.session import following
from motes.data.files.video_file import VideoFile
from motes.data.tracks.mot_text import read_mot
from motes.errors import UserError
from tests.apps.spots import Spots, command_of, picture, table, write_video

FRAMES = 12


@pytest.fixture
def video(tmp_path):
    pytest.importorskip("av", reason="needs pip install 'motes[video]'")
    return write_video(tmp_path / "film.mp4", FRAMES)


@pytest.fixture
def track(tmp_path, monkeypatch):
    """Calls the command with a model that finds two spots."""
    return command_of(Spots(), "track", tmp_path, monkeypatch)


def test_table_text_and_film_tell_the_same(track, video, capsys):
    out = track(video, "--coco")
    assert sorted(file.name for file in out.iterdir()) == [
        "mot.txt",
        "tracks.csv",
        "tracks.json",
        "trails.mp4",
    ]
    rows = table(out)
    assert len(rows) == 2 * FRAMES
    assert list(rows[0]) == [
        "frame",
        "time",
        "track",
        "row",
        "column",
        "height",
        "width",
        "presence",
        "certainty",
        "seen",
    ]
    things = read_mot(out / "mot.txt")
    assert sorted(things) == list(range(FRAMES))
    for row in rows:
        thing = next(thing for thing in things[int(row["frame"])] if thing.track == int(row["track"]) + 1)
        left, top, width, height = thing.box
        assert width == pytest.approx(float(row["width"]), abs=0.02)
        # the middle of the box is where the particle is, half a pixel before the edges are counted
        assert top + height / 2 - 0.5 == pytest.approx(float(row["row"]), abs=0.02)
        assert left + width / 2 - 0.5 == pytest.approx(float(row["column"]), abs=0.02)
    content = json.loads((out / "tracks.json").read_text())
    assert len(content["images"]) == FRAMES and len(content["annotations"]) == 2 * FRAMES
    film = VideoFile(out / "trails.mp4")
    assert len(film) == FRAMES and film.times[-1] == pytest.approx((FRAMES - 1) / 10)
    assert f"{FRAMES} frames, 2 tracks" in capsys.readouterr().out


def test_several_videos_have_folders_of_their_own(track, video, tmp_path):
    frames = tmp_path / "film"
    frames.mkdir()
    for frame in range(5):
        picture(frame).save(frames / f"{frame}.png")
    street = tmp_path / "street" / "img1"
    street.mkdir(parents=True)
    for frame in range(2):
        picture(frame).save(street / f"{frame}.png")
    out = track(video, frames, street, "--no-film")
    assert sorted(file.name for file in out.iterdir()) == ["film", "film-2", "street"]
    assert len(table(out / "film")) == 2 * FRAMES and len(table(out / "film-2")) == 10
    assert not (out / "film" / "trails.mp4").exists()


def test_parquet_has_the_rows_of_the_table(track, video):
    parquet = pytest.importorskip("pyarrow.parquet", reason="needs pip install 'motes[parquet]'")
    rows = table(track(video, "--no-film"))
    out = track(video, "--no-film", "--parquet")
    assert not (out / "tracks.csv").exists()
    written = parquet.read_table(out / "tracks.parquet").to_pylist()
    assert [{name: str(value) for name, value in row.items()} for row in written] == rows


def test_an_interrupted_film_leaves_nothing_and_what_lay_there(track, video, tmp_path, monkeypatch):
    out = track(video, "--no-film")
    before = {file.name: file.read_bytes() for file in out.iterdir()}
    monkeypatch.setattr(following, "BATCH", 4)
    encode = Spots.encode
    calls = []

    def interrupted(model, image):
        calls.append(len(image))
        if len(calls) == 2:
            raise KeyboardInterrupt
        return encode(model, image)

    monkeypatch.setattr(Spots, "encode", interrupted)
    with pytest.raises(KeyboardInterrupt):
        track(video)
    assert {file.name: file.read_bytes() for file in out.iterdir()} == before
    assert not list(tmp_path.glob(".out*"))


def test_what_is_wrong_is_said_before_anything_is_written(track, tmp_path):
    with pytest.raises(UserError, match=r"nowhere\.mp4 does not exist"):
        track(tmp_path / "nowhere.mp4")
    (tmp_path / "cut.mp4").write_bytes(b"no video")
    with pytest.raises(UserError, match="is no video, or cut short"):
        track(tmp_path / "cut.mp4")
    alone = tmp_path / "alone"
    alone.mkdir()
    picture(0).save(alone / "1.png")
    with pytest.raises(UserError, match="has a single frame"):
        track(alone)
    assert not (tmp_path / "out").exists()


def test_an_untrained_particle_model_and_a_model_without_particles(make_run, video, tmp_path):
    run = make_run(tmp_path / "dlp-run", architecture="anchored")
    run_command(["track", str(run), str(video), "--out", str(tmp_path / "tracks")])
    assert (tmp_path / "tracks" / "tracks.csv").read_text().startswith("frame,time,track")
    codes = make_run(tmp_path / "vae-run", "vae")
    with pytest.raises(UserError, match="no particles to follow"):
        run_command(["track", str(codes), str(video), "--out", str(tmp_path / "none")])
    assert not (tmp_path / "none").exists()
