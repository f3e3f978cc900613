"""CLEVRER: a tree laid out like the real one; frames, splits and annotations as published, or as the 2022 code has them."""

import json

import numpy as np
import pytest

from motes.data.published.clevrer import Clevrer, ClevrerConfig
from motes.errors import UserError

av = pytest.importorskip("av", reason="PyAV is not installed")


def film(path, value, count=128):
    """Brightness grows with the frame, redness tells the video."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"qp": "2"})
        stream.width, stream.height, stream.pix_fmt, stream.codec_context.gop_size = 48, 32, "yuv420p", 12
        for number in range(count):
            picture = np.full((32, 48, 3), 2 * number, np.uint8)
            picture[:, :24] = 50 * value
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


def annotate(path, things=2):
    kinds = [
        {
            "object_id": 17 - n,
            "color": ("red", "cyan")[n % 2],
            "material": "metal",
            "shape": ("cube", "sphere")[n % 2],
        }
        for n in range(things)
    ]
    frames = []
    for frame in range(128):
        moving = [
            {
                "object_id": 17 - n,
                "location": [n, frame, 0],
                "velocity": [0, 1, 0],
                "inside_camera_view": frame >= 40 * n,
            }
            for n in range(things)
        ]
        frames.append({"frame_id": frame, "objects": moving[::-1]})
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"object_property": kinds, "motion_trajectory": frames, "collision": []}))


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("clevrer")
    for number in (0, 1, 2):
        film(root / f"video_train/video_00000-01000/video_{number:05d}.mp4", number)
    for number in (10000, 10001):
        film(root / f"video_validation/video_10000-11000/video_{number}.mp4", number - 10000)
        annotate(root / f"annotation_validation/annotation_10000-11000/annotation_{number}.json")
    return root


def frames_seen(data, rows):
    """Video and frame, read off the pixels."""
    pixels = data.pixels(rows)
    right = (pixels[:, :, :, -8:].mean((1, 2, 3)) + 0.6) / 2  # the codec rounds down
    left = pixels[:, :, :, :8].mean((1, 2, 3)) / 50
    return list(zip(np.round(left).astype(int).tolist(), np.round(right).astype(int).tolist(), strict=True))


def test_every_video_begins_at_the_same_frame(root):
    data = Clevrer(ClevrerConfig(str(root), (32, 32)))
    assert len(data) == 3 * 34
    rows = [0, 1, 33, 34, 101]
    expected = [(0, 27), (0, 30), (0, 126), (1, 27), (2, 126)]
    assert [data.place(row) for row in rows] == expected == frames_seen(data, rows)


def test_the_list_of_2022_drifts(root):
    data = Clevrer(ClevrerConfig(str(root), (32, 32), original=True))
    joined = [(video, frame) for video in range(3) for frame in range(27, 128)][::3]
    assert [data.place(row) for row in range(len(data))] == joined
    assert data.place(34) == (1, 28), "101 is no multiple of 3"
    assert frames_seen(data, [33, 34, 100]) == [joined[33], joined[34], joined[100]]


def test_the_successor_takes_other_frames_in_clips(root):
    data = Clevrer(ClevrerConfig(str(root), (32, 32), protocol="ddlp", frames=20, stride=1, videos=2))
    assert data.frames == 20 and len(data) == 2 * 81 * 20
    assert (
        data.place(0) == (0, 18)
        and data.place(20) == (0, 19)
        and data.place(81 * 20) == (1, 18)
        and data.place(81 * 20 - 1) == (0, 117)
    )
    assert frames_seen(data, [21, 1619]) == [(0, 20), (0, 117)]


def test_annotations_are_truth_with_identity_over_time(root):
    data = Clevrer(ClevrerConfig(str(root), (32, 32)), "validation")
    truth = data.truth([0, 33, 34])
    assert (
        truth.present[:, :2].tolist() == [[True, False], [True, True], [True, False]]
        and not truth.present[:, 2:].any()
    )
    assert truth.factors["location"][:, 1, 1].tolist() == [27, 126, 27] and truth.factors["velocity"][
        0, 0
    ].tolist() == [0, 1, 0]
    assert truth.factors["colour"][0, :3].tolist() == [1, 5, -1] and truth.scene["video"].tolist() == [
        10000,
        10000,
        10001,
    ]
    assert Clevrer(ClevrerConfig(str(root), (32, 32))).truth([0]) is None


def test_what_is_missing_or_wrong_is_named(root, tmp_path):
    with pytest.raises(UserError, match=r"--data\.root.*clevrer\.csail"):
        Clevrer(ClevrerConfig(str(tmp_path / "nowhere")))
    with pytest.raises(
        UserError, match=r"has 0 training videos of CLEVRER \(video_00000\.mp4 to video_09999\.mp4, from"
    ):
        Clevrer(ClevrerConfig(str(tmp_path)))
    film(tmp_path / "video_00000.mp4", 0, count=90)
    film(tmp_path / "video_00001.mp4", 0, count=2)
    annotate(tmp_path / "annotation_00000.json", things=11)
    with pytest.raises(UserError, match=r"1 of 2 videos have no annotation, the first video_00001\.mp4"):
        Clevrer(ClevrerConfig(str(tmp_path), (32, 32)))
    (tmp_path / "video_00001.mp4").unlink()
    data = Clevrer(ClevrerConfig(str(tmp_path), (32, 32)))
    with pytest.raises(UserError, match=r"video_00000\.mp4 has 90 frames, not 128"):
        data.pixels([0])
    with pytest.raises(UserError, match="11 things"):
        data.truth([0])
    (tmp_path / "annotation_00000.json").write_text('{"object_property": [')
    with pytest.raises(UserError, match=r"annotation_00000\.json is cut short"):
        data.truth([0])
    with pytest.raises(UserError, match="the test split wants those from number 147"):
        Clevrer(ClevrerConfig(str(root)), "test")
