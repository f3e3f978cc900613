"""LeRobot v3: a tree laid out like a recorded one; the chosen camera's frames, states and actions of each row belong together."""

import json

import numpy as np
import pytest

from motes.data.files.lerobot import LeRobot, LeRobotConfig
from motes.errors import UserError

av = pytest.importorskip("av", reason="PyAV is not installed")
pyarrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
LENGTHS = (12, 20, 15, 13, 10)  # of episodes; the first three share a file


def film(path, values):
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10, options={"qp": "2"})
        stream.width, stream.height, stream.pix_fmt, stream.codec_context.gop_size = 48, 32, "yuv420p", 6
        for value in values:
            container.mux(
                stream.encode(
                    av.VideoFrame.from_ndarray(np.full((32, 48, 3), value, np.uint8), format="rgb24")
                )
            )
        container.mux(stream.encode())


def write(root, version="v3.0"):
    """Frame n of the whole set has brightness 3 n in the front camera, and 200 in the other."""
    import pyarrow.parquet

    total, camera = sum(LENGTHS), "observation.images.front"
    features = {
        "observation.images.top": {"dtype": "video"},
        camera: {"dtype": "video"},
        "action": {"dtype": "float32"},
    }
    (root / "meta/episodes/chunk-000").mkdir(parents=True)
    (root / "data/chunk-000").mkdir(parents=True)
    info = {"codebase_version": version, "fps": 10, "total_episodes": 5, "features": features}
    info["video_path"] = "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"
    (root / "meta/info.json").write_text(json.dumps(info))
    first = np.cumsum((0, *LENGTHS))
    since = [0.0, 1.2, 3.2, 0.0, 1.3]
    table = {
        "episode_index": list(range(5)),
        "length": list(LENGTHS),
        "dataset_from_index": first[:-1].tolist(),
    }
    for name in (camera, "observation.images.top"):
        film(
            root / f"videos/{name}/chunk-000/file-000.mp4",
            [3 * n if name == camera else 200 for n in range(47)],
        )
        film(
            root / f"videos/{name}/chunk-000/file-001.mp4",
            [3 * n if name == camera else 200 for n in range(47, total)],
        )
        table |= {
            f"videos/{name}/chunk_index": [0] * 5,
            f"videos/{name}/file_index": [0, 0, 0, 1, 1],
            f"videos/{name}/from_timestamp": since,
        }
    pyarrow.parquet.write_table(pyarrow.table(table), root / "meta/episodes/chunk-000/file-000.parquet")
    for number, rows in enumerate((range(40), range(40, total))):
        data = {"index": list(rows), "action": [[float(n), 0.5] for n in rows]}
        pyarrow.parquet.write_table(pyarrow.table(data), root / f"data/chunk-000/file-00{number}.parquet")
    return str(root)


def test_pixels_and_actions_of_a_row_belong_together(tmp_path):
    path, seen = write(tmp_path), []
    for split in ("train", "validation", "test"):
        data = LeRobot(LeRobotConfig(path, "front", (16, 16)), split)
        rows = np.random.default_rng(0).permutation(len(data)).tolist()
        found = np.round((data.pixels(rows).mean((1, 2, 3)) + 0.6) / 3).astype(int)
        scene = data.truth(rows).scene
        assert scene["action"][:, 0].tolist() == found.tolist()
        assert (scene["time"] * 10).round().int().tolist() == [
            n - sum(LENGTHS[: int(e)]) for n, e in zip(found, scene["episode"], strict=True)
        ]
        seen += sorted(found.tolist())
    assert sorted(seen) == list(range(sum(LENGTHS))), "every frame is in one split"


def test_cameras_and_clips(tmp_path):
    path = write(tmp_path)
    assert abs(int(LeRobot(LeRobotConfig(path, image_size=(16, 16))).pixels([5]).mean()) - 200) < 3, (
        "the first camera"
    )
    data = LeRobot(LeRobotConfig(path, "observation.images.front", (16, 16), frames=3, skip=2))
    scene = data.truth(range(len(data))).scene
    assert data.frames == 3 and (np.diff(scene["action"][:, 0].numpy().reshape(-1, 3), axis=1) == 2).all()
    assert (scene["episode"].reshape(-1, 3) == scene["episode"].reshape(-1, 3)[:, :1]).all()


def test_what_is_wrong_is_named(tmp_path):
    with pytest.raises(UserError, match=r"v2\.1, not v3"):
        LeRobot(LeRobotConfig(write(tmp_path / "old", "v2.1")))
    path = write(tmp_path / "new")
    with pytest.raises(
        UserError, match=r"no camera 'left'; there are observation\.images\.top, observation\.images\.front"
    ):
        LeRobot(LeRobotConfig(path, "left"))
    film(tmp_path / "new/videos/observation.images.front/chunk-000/file-000.mp4", range(30))
    broken = LeRobot(LeRobotConfig(path, "front"))
    with pytest.raises(UserError, match=r"file-000\.mp4 has 30 frames, but episode \d"):
        broken.pixels([0])
    (tmp_path / "new/videos/observation.images.front/chunk-000/file-000.mp4").unlink()
    with pytest.raises(UserError, match=r"1 of \d videos of .* are missing"):
        LeRobot(LeRobotConfig(path, "front"))
    (tmp_path / "new/meta/info.json").write_text("{")
    with pytest.raises(UserError, match=r"info\.json is cut short"):
        LeRobot(LeRobotConfig(path))
