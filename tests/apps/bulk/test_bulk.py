"""A million pictures in parts: every row once, whatever stops it, and what cannot be read is a row with a reason."""

import json
import os
import stat
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from motes.apps.bulk import part_file, part_reader
from motes.apps.bulk.parts import BulkPart, parts_of
from motes.apps.cli.main import main
from motes.apps.drawing.film import Film
from motes.apps.session.picture_reader import expand, expand_names
from motes.data.files.video_file import VideoFile
from motes.errors import UserError

NAMES = [f"{number:02d}.png" for number in range(10)]


def summary(bulk):
    return json.loads((bulk.out / "_summary.json").read_text())


def test_parts_hold_what_encode_writes(bulk):
    done = bulk()
    assert done.returncode == 0 and "10 pictures in 3 parts" in done.stdout
    assert len(bulk.parts()) == 3 and len(bulk.files()) == 4, "the parts and the summary, and nothing else"
    assert summary(bulk)["rows"] == 10 and summary(bulk)["parts"] == 3
    rows = bulk.rows()
    assert [row["picture"] for row in rows] == [str(bulk.pictures / name) for name in NAMES]
    assert all(row["error"] is None and row["frame"] is None for row in rows)
    small = bulk.out.with_name("small")
    with pytest.raises(SystemExit):
        main(["encode", str(bulk.model), str(bulk.pictures), "--out", str(small), "--overlays", "0"])
    arrays = np.load(small / "particles.npz")
    for name in ("position", "log_variance", "features", "presence", "certainty", "background"):
        np.testing.assert_allclose([row[name] for row in rows], arrays[name], atol=1e-5)
    assert "box" not in rows[0] and np.shape(rows[0]["there"]) == (3,)


def test_boxes_are_written_if_asked_for(bulk):
    bulk("--boxes")
    row = bulk.rows()[0]
    assert np.shape(row["box"]) == (3, 4) and np.shape(row["middle"]) == (3, 2)


def test_a_finished_folder_is_not_encoded_again_and_a_missing_part_is(bulk, monkeypatch):
    bulk()
    before = {path.name: path.stat().st_mtime_ns for path in bulk.parts()}
    first, *others = bulk.parts()
    first.unlink()
    # as a power cut may leave a file
    others[0].write_bytes(b"")
    encoded = []
    table = part_file.Encoder.table
    monkeypatch.setattr(
        part_file.Encoder, "table", lambda self, part: encoded.append(part) or table(self, part)
    )
    assert bulk().returncode == 0 and len(encoded) == 2
    assert {path.name for path in bulk.parts()} == before.keys() and bulk.names() == NAMES
    assert others[1].stat().st_mtime_ns == before[others[1].name]
    assert bulk().returncode == 0 and len(encoded) == 2 and summary(bulk)["rows"] == 10


def test_a_part_cut_short_is_encoded_again(bulk):
    bulk()
    path = bulk.parts()[0]
    path.write_bytes(path.read_bytes()[:-40])
    assert bulk().returncode == 0 and bulk.names() == NAMES


def test_parts_of_other_pictures_or_another_model_are_refused(bulk):
    bulk()
    before = bulk.files()
    for more in (["--fit", "stretch"], ["--part-size", "5"], ["--boxes"]):
        done = bulk(*more)
        assert done.returncode == 2 and "name another folder" in done.stderr, more
    assert bulk.files() == before


def break_pictures(bulk):
    (bulk.pictures / "empty.png").touch()
    (bulk.pictures / "text.png").write_text("no picture")
    whole = (bulk.pictures / "00.png").read_bytes()
    (bulk.pictures / "truncated.png").write_bytes(whole[: len(whole) // 2])
    # whose name says something else than what it is
    Image.open(bulk.pictures / "00.png").convert("RGB").save(bulk.pictures / "renamed.jpg", "PNG")


def test_bad_files_are_rows_with_a_reason_and_are_named(bulk, monkeypatch):
    break_pictures(bulk)
    load = part_reader.load_picture

    def refused(path, *more):
        if path.name == "09.png":
            raise PermissionError(13, "Permission denied", str(path))
        return load(path, *more)

    monkeypatch.setattr(part_reader, "load_picture", refused)
    done = bulk()
    assert done.returncode == 0, done.stderr
    bad = {
        "empty.png": "is empty",
        "text.png": "no picture",
        "truncated.png": "cut short",
        "09.png": "denied",
    }
    for name, reason in bad.items():
        assert any(name in line and reason in line for line in done.stderr.splitlines()), name
    rows = {Path(row["picture"]).name: row for row in bulk.rows()}
    assert len(rows) == len(bulk.rows()) == 14
    assert {name for name, row in rows.items() if row["error"]} == bad.keys()
    assert all((row["position"] is None) == (row["error"] is not None) for row in rows.values())
    # rows behind a bad one are not shifted
    np.testing.assert_allclose(rows["renamed.jpg"]["position"], rows["00.png"]["position"], atol=1e-6)
    assert summary(bulk)["bad"] == 4 and summary(bulk)["rows"] == 10
    parts = {file["part"] for file in summary(bulk)["bad_files"]}
    assert parts <= {path.name for path in bulk.parts()}, "to be removed where the pictures are mended"
    assert bulk("--strict").returncode == 1, "also of what an earlier call encoded"


def test_a_part_of_bad_files_alone_has_the_columns_of_the_others(bulk):
    from pyarrow.parquet import read_schema

    for name in NAMES[:4]:
        (bulk.pictures / name).write_text("x")
    assert bulk().returncode == 0 and bulk.names() == NAMES
    schemas = [read_schema(path) for path in bulk.parts()]
    assert len(schemas) == 3 and all(schema.equals(schemas[0]) for schema in schemas)


def test_a_disk_that_is_full_loses_nothing(bulk, monkeypatch):
    import pyarrow.parquet

    write = pyarrow.parquet.write_table

    def full(table, path):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    def sometimes(table, path):
        return full(table, path) if "00.png" in table["picture"][0].as_py() else write(table, path)

    monkeypatch.setattr(pyarrow.parquet, "write_table", full)
    done = bulk()
    assert done.returncode == 2 and "3 parts in a row" in done.stderr and "No space left" in done.stderr
    assert bulk.files() == []
    monkeypatch.setattr(pyarrow.parquet, "write_table", sometimes)
    done = bulk()
    assert done.returncode == 0 and "left out" in done.stderr and "00.png and 3 more" in done.stderr
    assert summary(bulk)["left_out"][0]["files"] == [str(bulk.pictures / name) for name in NAMES[:4]]
    assert bulk("--strict").returncode == 1
    monkeypatch.setattr(pyarrow.parquet, "write_table", write)
    assert bulk("--strict").returncode == 0 and bulk.names() == NAMES and len(bulk.files()) == 4


def test_half_written_files_of_a_killed_call_are_removed(bulk):
    bulk()
    for name in (f".{bulk.parts()[0].name}.0123456789ab.part", "._summary.json.0123456789ab.part", ".lock"):
        (bulk.out / name).write_bytes(b"half")
    assert bulk().returncode == 0 and len(bulk.files()) == 4


def test_two_at_once_are_refused(bulk):
    fcntl = pytest.importorskip("fcntl", reason="not a Unix")
    bulk.out.mkdir()
    with (bulk.out / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = bulk()
    assert done.returncode == 2 and "another motes encode" in done.stderr
    assert bulk().returncode == 0


def test_others_may_read_the_parts_where_the_umask_says_so(bulk):
    before = os.umask(0o022)
    try:
        bulk()
    finally:
        os.umask(before)
    assert {stat.S_IMODE(path.stat().st_mode) for path in bulk.out.iterdir()} == {0o644}


def test_a_text_file_names_the_pictures(bulk, monkeypatch):
    listed = bulk.pictures.with_name("list.txt")
    names = [str(bulk.pictures / name) for name in NAMES[2:5]]
    listed.write_text("\n".join([*names, "", str(bulk.pictures / "gone.png"), names[0]]))
    bulk.pictures = listed
    done = bulk()
    assert done.returncode == 0 and "gone.png does not exist" in done.stderr
    assert bulk.names() == [*NAMES[2:5], "gone.png"], "a picture that is named twice is encoded once"


def test_names_come_in_the_order_of_paths(bulk):
    for name in ("a-b/1.png", "a/1.png", "a.png"):
        path = bulk.pictures / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    assert expand([bulk.pictures]) == sorted(bulk.pictures.rglob("*.png"))
    assert expand_names([bulk.pictures]) == [str(path) for path in expand([bulk.pictures])]


@pytest.fixture
def video(bulk):
    pytest.importorskip("av", reason="PyAV is not installed")
    path = bulk.pictures / "clip.mp4"
    with Film(path, 10.0) as film:
        for number in range(11):
            film.add(Image.open(bulk.pictures / f"{number % 10:02d}.png").resize((32, 32)))
    for name in NAMES:
        (bulk.pictures / name).unlink()
    return path


def test_a_video_is_divided_into_ranges_of_frames(bulk, video):
    assert bulk().returncode == 0 and len(bulk.parts()) == 3
    rows = bulk.rows()
    assert [row["frame"] for row in rows] == list(range(11))
    assert [row["time"] for row in rows] == pytest.approx([number / 10 for number in range(11)])
    assert rows[7]["picture"] == str(video / "000007")
    small = bulk.out.with_name("small")
    with pytest.raises(SystemExit):
        main(["encode", str(bulk.model), str(video), "--out", str(small), "--overlays", "0"])
    arrays = np.load(small / "particles.npz")
    np.testing.assert_allclose([row["position"] for row in rows], arrays["position"], atol=1e-5)


def cut_short(video):
    """A copy with its index in front, so that the frames before the cut can be read."""
    import av

    copy = video.with_name("cut.mp4")
    with av.open(str(video)) as source, av.open(str(copy), "w", options={"movflags": "+faststart"}) as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    copy.write_bytes(copy.read_bytes()[:-400])
    return copy


def test_a_video_cut_short_keeps_its_frames_and_is_named(bulk, video):
    copy = cut_short(video)
    (video.with_name("empty.mp4")).touch()
    video.write_bytes(video.read_bytes()[:-400])
    done = bulk()
    assert done.returncode == 0 and "cut.mp4" in done.stderr, done.stderr
    assert "empty.mp4 is empty" in done.stderr and "clip.mp4 is no video, or cut short" in done.stderr
    rows = bulk.rows()
    frames = [row["frame"] for row in rows if row["error"] is None]
    assert frames == list(range(len(frames))) and 0 < len(frames) < 11
    bad = [row["picture"] for row in rows if row["error"] is not None]
    assert bad == sorted(map(str, [copy, video, video.with_name("empty.mp4")]))


def test_a_frame_that_cannot_be_decoded_is_a_row_with_a_reason(bulk, video, monkeypatch):
    read = VideoFile.read

    def damaged(film, number):
        if number == 6:
            raise UserError(f"frame {number} of {film.path} cannot be decoded")
        return read(film, number)

    monkeypatch.setattr(VideoFile, "read", damaged)
    assert bulk().returncode == 0
    rows = bulk.rows()
    assert [row["frame"] for row in rows] == list(range(11))
    assert [row["frame"] for row in rows if row["error"]] == [6]


def test_halves_hold_whole_clips_too():
    short = BulkPart(("a.mp4",), (8, 20))
    assert [half.frames for half in short.halves(4)] == [(8, 12), (12, 20)]
    assert BulkPart(("a.mp4",), (8, 12)).halves(4) == () and BulkPart(("a.png",)).halves(1) == ()


@pytest.mark.parametrize(
    "clip, ranges",
    [(1, [(0, 4), (4, 8), (8, 11)]), (3, [(0, 3), (3, 6), (6, 9), (9, 11)]), (8, [(0, 8), (8, 11)])],
)
def test_a_part_of_a_video_holds_whole_clips(bulk, video, clip, ranges):
    assert [part.frames for part in parts_of([video], 4, clip)] == ranges
