"""Videos: the right frame for every row, whatever the order, the frame rate and how the phone was held; broken files are named."""

import zipfile
from fractions import Fraction

import numpy as np
import pytest

from motes.data.files.video import Video, VideoConfig, pick
from motes.data.files.video_file import VideoFile
from motes.data.splits import block
from motes.errors import UserError

av = pytest.importorskip("av", reason="PyAV is not installed")

SIDE = 64


def film(path, count=60, stamps=None, rotation=0, keys=12, values=None):
    """Frame n is grey of brightness 4 n, its upper left quarter white."""
    with av.open(
        str(path), "w", options={"movflags": "+faststart"} if path.suffix == ".mp4" else {}
    ) as container:
        # open: frames that come after a key frame, are shown before it, and need the group before
        options = (
            {"x264-params": f"open-gop=1:keyint={keys}:bframes=3:b-adapt=0:scenecut=0"}
            if path.stem == "open"
            else {}
        )
        stream = container.add_stream(
            "mpeg4" if path.stem == "mpeg4" else "libx264", rate=10, options=options
        )
        stream.width, stream.height, stream.pix_fmt = SIDE + 32, SIDE, "yuv420p"
        stream.codec_context.gop_size, stream.bit_rate = keys, 4_000_000
        stream.codec_context.time_base = Fraction(
            1, 10 if path.suffix == ".avi" else 1000
        )  # AVI fills every tick with a frame
        if rotation and not hasattr(stream, "set_display_rotation"):
            pytest.skip("this PyAV cannot write turned videos")
        if rotation:
            stream.set_display_rotation(rotation)
        for number in range(count):
            picture = np.full((SIDE, SIDE + 32, 3), 4 * (values[number] if values else number), np.uint8)
            picture[:24, :24] = 255
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = (stamps[number] if stamps else 100 * number), Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def brightness(pixels):
    """The number of each frame, read off its lower right corner."""
    return np.round(pixels[:, :, -8:, -8:].mean((1, 2, 3)) / 4).astype(int).tolist()


@pytest.mark.parametrize("name", ["a.mp4", "open.mp4", "a.mkv", "a.ts", "a.avi", "mpeg4.avi"])
def test_any_order_gives_the_right_frames(tmp_path, name):
    data = Video(VideoConfig(str(film(tmp_path / name)), (32, 32), gap=0.0))
    assert len(data) == 48 and data.image_shape == (3, 32, 32)
    order = np.random.default_rng(0).permutation(48).tolist()
    for rows in ([47], [0], [13, 12, 11], order, order[:5]):
        assert brightness(data.pixels(rows)) == rows


def test_a_frame_is_found_without_decoding_what_is_before(tmp_path):
    footage = VideoFile(film(tmp_path / "a.mp4"))
    passed = [number for number, _ in footage.read(40)]
    assert passed[-1] == 40 and passed[0] >= 36, "from the key frame at 36"
    assert next(number for number, _ in footage.read(43)) == 41, "goes on where it was"
    footage.close()
    assert [number for number, _ in footage.read(5)][-1] == 5


def test_splits_of_one_video_are_blocks_of_time_with_gaps(tmp_path):
    path = str(film(tmp_path / "a.mp4", count=60))
    kept = {}
    for split in ("train", "validation", "test"):
        data = Video(VideoConfig(path, (32, 32), held_out=0.2, gap=0.2), split)
        kept[split] = [data.place(row)[2] for row in range(len(data))]
        assert brightness(data.pixels(range(len(data)))) == [round(time * 10) for time in kept[split]]
    assert max(kept["train"]) + 0.2 < min(kept["validation"]) and max(kept["validation"]) + 0.2 < min(
        kept["test"]
    )
    assert max(kept["test"]) == pytest.approx(5.9)


def test_splits_of_many_videos_share_none(tmp_path):
    for number in range(6):
        film(tmp_path / f"{number}.mp4", count=12, values=[number * 8] * 12)
    files = {}
    for split in ("train", "validation", "test"):
        data = Video(VideoConfig(str(tmp_path), (32, 32)), split)
        files[split] = {data.place(row)[0] for row in range(len(data))}
        assert len(data) == 12 * len(files[split])
    assert sum(map(len, files.values())) == 6 == len(set.union(*files.values()))


def test_clips_are_rows_in_order(tmp_path):
    path = str(film(tmp_path / "a.mp4"))
    data = Video(VideoConfig(path, (32, 32), frames=4, skip=3, stride=2))
    assert data.frames == 4 and len(data) % 4 == 0
    found = np.array(brightness(data.pixels(range(len(data))))).reshape(-1, 4)
    assert (np.diff(found, axis=1) == 3).all() and (np.diff(found[:, 0]) == 6).all()
    with pytest.raises(UserError, match="no clip of 40 frames"):
        Video(VideoConfig(path, (32, 32), frames=40), "test")


def test_variable_frame_rate_is_made_even(tmp_path):
    stamps = np.cumsum([100] * 20 + [400] * 40).tolist()
    data = Video(VideoConfig(str(film(tmp_path / "a.mp4", stamps=stamps)), (32, 32), rate=5.0))
    times = np.array([data.place(row)[2] for row in range(len(data))])
    assert brightness(data.pixels(range(len(data)))) == [data.place(row)[1] for row in range(len(data))]
    assert np.abs(times - np.arange(len(data)) / 5).max() < 0.4, "the frame on the screen at that time"
    assert pick(np.array([0.0, 1.0, 5.0]), 1, 1.0).tolist() == [0, 1, 1, 1, 1, 2]


@pytest.mark.parametrize(("angle", "corner"), [(90, (-1, 0)), (-90, (0, -1)), (180, (-1, -1))])
def test_a_phone_held_otherwise_is_turned_upright(tmp_path, angle, corner):
    data = Video(
        VideoConfig(
            str(film(tmp_path / "a.mp4", rotation=angle)),
            (48, 32) if angle != 180 else (32, 48),
            gap=0.0,
            fit="stretch",
        )
    )
    for row in (0, 30, 7):
        assert data.pixels([row])[0, :, corner[0] * 4, corner[1] * 4].min() > 240
        assert data.pixels([row])[0, :, 3 if corner[0] else -4, 3 if corner[1] else -4].max() < 4 * row + 12


def test_crop_is_of_the_upright_frame(tmp_path):
    path = str(film(tmp_path / "a.mp4"))
    assert Video(VideoConfig(path, (16, 16), crop=(4, 4, 16, 16))).pixels([3]).min() > 240
    with pytest.raises(UserError, match="does not lie in"):
        Video(VideoConfig(path, (16, 16), crop=(0, 0, 65, 16))).pixels([0])


def test_a_video_cut_short_gives_the_frames_that_are_there(tmp_path):
    path = noise_film(tmp_path / "a.mp4")
    whole = VideoFile(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.warns(UserWarning, match=r"a\.mp4.*60 frames.*frames that can be read are used"):
        data = Video(VideoConfig(str(path), (32, 32), gap=0.0))
    rest = VideoFile(path)
    assert 10 < len(rest) < 40 and len(whole) == 60
    assert len(list(data.pixels(range(len(data))))) == len(data)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(UserError, match=r"a\.mp4 is no video, or cut short"):
        Video(VideoConfig(str(path)))


def noise_film(path, count=60):
    random = np.random.default_rng(0)
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt, stream.codec_context.gop_size = 64, 64, "yuv420p", 10
        for _ in range(count):
            container.mux(
                stream.encode(
                    av.VideoFrame.from_ndarray(
                        random.integers(0, 255, (64, 64, 3), dtype=np.uint8), format="rgb24"
                    )
                )
            )
        container.mux(stream.encode())
    return path


def test_damage_in_the_middle_is_named_and_the_rest_can_be_read(tmp_path):
    path = noise_film(tmp_path / "a.mp4")
    whole = VideoFile(path)
    good = [np.asarray(list(whole.read(number))[-1][1].to_ndarray(format="rgb24")) for number in range(60)]
    data = bytearray(path.read_bytes())
    middle = len(data) // 3
    data[middle : middle + 3000] = np.random.default_rng(1).integers(0, 256, 3000, dtype=np.uint8).tobytes()
    path.write_bytes(data)
    footage, damaged = VideoFile(path), 0
    for number in (59, 0, 45, *range(60)):
        try:
            _, frame = list(footage.read(number))[-1]
        except UserError as problem:
            damaged += 1
            assert "a.mp4 cannot be decoded" in str(problem)
            continue
        assert frame.is_corrupt or (frame.to_ndarray(format="rgb24") == good[number]).all()
    assert 0 < damaged <= 20, "no more than the groups of frames that were hit"


def test_an_unfinished_recording_is_used_as_far_as_it_goes(tmp_path):
    path = film(tmp_path / "a.mkv", count=200, keys=10, values=[n % 60 for n in range(200)])
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.warns(UserWarning, match=r"a\.mkv: it ends 1?\d\.\d seconds before the time it says"):
        data = Video(VideoConfig(str(path), (32, 32), gap=0.0))
    assert 30 < len(data) < 150 and brightness(data.pixels(range(len(data)))) == [
        n % 60 for n in range(len(data))
    ]


def test_what_is_no_video_is_named_and_counted(tmp_path):
    for number in range(4):
        film(tmp_path / f"{number}.mp4", count=12)
    with zipfile.ZipFile(tmp_path / "zip.mp4", "w") as file:
        file.writestr("a.txt", "x" * 5000)
    (tmp_path / "empty.mov").touch()
    with pytest.warns(UserWarning) as said:
        data = Video(VideoConfig(str(tmp_path), (32, 32)))
    sentences = " / ".join(str(one.message) for one in said)
    assert (
        len(data) == 24
        and "zip.mp4 is no video" in sentences
        and "empty.mov is empty" in sentences
        and "2 of 6 videos" in sentences
    )
    with pytest.raises(UserError, match=r"zip\.mp4 is no video"):
        Video(VideoConfig(str(tmp_path / "zip.mp4")))


def test_blocks_cover_and_never_overlap():
    times = np.arange(100) / 10
    parts = {split: block(times, split, 0.1, 0.0) for split in ("train", "validation", "test")}
    assert sorted(number for part in parts.values() for number in range(100)[part]) == list(range(100))
