"""Clips of every format: whole, in the order of time, with things that keep their number, and with actions."""

import numpy as np
import pytest
import torch
from PIL import Image

from motes.data.files.hdf5 import Hdf5, Hdf5Config
from motes.data.files.lerobot import LeRobot, LeRobotConfig
from motes.data.files.npy import Npy, NpyConfig
from motes.data.files.sequences import Sequences, SequencesConfig
from motes.data.files.video import Video, VideoConfig
from motes.data.prepared.prepare import prepare
from motes.data.prepared.prepared import Prepared, PreparedConfig
from motes.data.published.clevrer import Clevrer, ClevrerConfig
from motes.data.published.traffic2022 import Traffic2022, Traffic2022Config
from motes.data.source import Source
from motes.data.worlds.flat.balls import Balls, BallsConfig
from motes.data.worlds.roads.traffic import Traffic, TrafficConfig
from motes.data.worlds.solid.rolling import Rolling, RollingConfig
from motes.errors import UserError
from tests.data.files import test_lerobot
from tests.data.published import test_clevrer

VIDEOS = 5
SIDE = 16


def arrays(frames):
    """V T ...: the background has brightness 10 times the time. A thing of brightness 200 comes in the second frame,
    behind one of brightness 100 in all frames, though its number in the masks is the smaller one."""
    images = np.zeros((VIDEOS, frames, SIDE, SIDE, 3), np.uint8)
    masks = np.zeros((VIDEOS, frames, SIDE, SIDE), np.uint8)
    images += 10 * np.arange(frames, dtype=np.uint8)[None, :, None, None, None]
    for time in range(frames):
        for number, brightness, row in ((9, 100, 1), (5, 200, 8)):
            if number == 9 or time:
                images[:, time, row : row + 4, time : time + 4] = brightness
                masks[:, time, row : row + 4, time : time + 4] = number
    actions = np.arange(VIDEOS * frames * 2, dtype=np.float32).reshape(VIDEOS, frames, 2)
    return images, masks, actions


def balls(path, frames):
    return Balls(BallsConfig(image_size=(SIDE, SIDE), count=4, held_out=2, frames=frames))


def rolling(path, frames):
    return Rolling(RollingConfig(image_size=(SIDE, SIDE), count=8, held_out=1, frames=frames, fine=1))


def traffic(path, frames):
    return Traffic(TrafficConfig(image_size=(32, 32), count=4 * frames, held_out=2 * frames, frames=frames))


def video(path, frames):
    pytest.importorskip("av", reason="PyAV is not installed")
    test_lerobot.film(path / "a.mp4", [3 * number for number in range(60)])
    return Video(VideoConfig(str(path / "a.mp4"), (SIDE, SIDE), frames=frames, skip=2, gap=0.0))


def sequences(path, frames):
    for camera in range(4):
        (path / f"camera {camera}").mkdir()
        for number in range(3 * frames + 1):
            picture = Image.new("L", (SIDE, SIDE), 40 * camera + number)
            picture.save(path / f"camera {camera}" / f"{number:03d}.png")
    return Sequences(SequencesConfig(str(path), (SIDE, SIDE), 1, frames=frames))


def npy(path, frames):
    for name, array in zip(("images", "masks", "actions"), arrays(frames), strict=True):
        np.save(path / f"{name}.npy", array)
    return Npy(NpyConfig(str(path)))


def npz(path, frames):
    images, masks, actions = arrays(frames)
    np.savez(path / "set.npz", images=images, masks=masks, actions=actions)
    return Npy(NpyConfig(str(path / "set.npz")))


def hdf5(path, frames):
    h5py = pytest.importorskip("h5py", reason="h5py is not installed")
    images, masks, actions = arrays(frames)
    with h5py.File(path / "set.h5", "w") as file:
        file["image"] = images
        file["mask"] = np.where(masks == 9, 1, np.where(masks == 5, 2, 0)).astype(np.uint8)[..., None]
        file["colour"] = np.broadcast_to(np.array([0.0, 1.0, 2.0])[:, None], (VIDEOS, frames, 3, 1))
        file["robot/actions"] = actions
    return Hdf5(Hdf5Config(str(path / "set.h5")))


def lerobot(path, frames):
    pytest.importorskip("av", reason="PyAV is not installed")
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    return LeRobot(LeRobotConfig(test_lerobot.write(path), "front", (SIDE, SIDE), frames=frames, skip=2))


def clevrer(path, frames):
    pytest.importorskip("av", reason="PyAV is not installed")
    for number in range(2):
        test_clevrer.film(path / f"video_{number:05d}.mp4", number)
        test_clevrer.annotate(path / f"annotation_{number:05d}.json")
    return Clevrer(ClevrerConfig(str(path), (SIDE, SIDE), frames=frames))


def traffic2022(path, frames):
    np.save(
        path / "img128np_fs3.npy",
        np.arange(40, dtype=np.uint8)[:, None, None, None].repeat(3, -1).repeat(8, 1),
    )
    return Traffic2022(Traffic2022Config(str(path), (8, 8), frames=frames))


def prepared(path, frames):
    npy(path, frames)
    prepare(Source("npy", {"path": str(path)}), path / "set", ["train"])
    return Prepared(PreparedConfig(str(path / "set")))


FORMATS = [balls, rolling, traffic, video, sequences, npy, npz, hdf5, lerobot, clevrer, traffic2022, prepared]
FROM_FILES = [video, sequences, npy, npz, hdf5, lerobot, clevrer, traffic2022, prepared]
WITH_ACTIONS = [npy, npz, hdf5, lerobot, prepared]


@pytest.mark.parametrize("frames", [3, 4])
@pytest.mark.parametrize("opened", FORMATS)
def test_clips_are_whole(tmp_path, opened, frames):
    data = opened(tmp_path, frames)
    assert data.frames == frames and len(data) % frames == 0 and len(data) >= 2 * frames
    last = range(len(data) - frames, len(data))
    batch = data.batch([*last, *range(frames)], frames=data.frames)
    assert batch.frames == frames and batch.clips(batch.index)[:, 0].tolist() == [last.start, 0]
    assert batch.clips(batch.image).shape == (2, frames, *data.image_shape)
    single = torch.cat([data.batch([row]).image for row in [*last, *range(frames)]])
    assert torch.equal(batch.image, single), "a frame is the same in a clip and alone"
    for size in (1, frames, 2 * frames + 1, len(data)):
        chunks = list(data.chunks(range(len(data)), size))
        assert [row for chunk in chunks for row in chunk] == list(range(len(data)))
        assert all(chunk[0] % frames == 0 and len(chunk) % frames == 0 for chunk in chunks)
        assert all(len(chunk) <= max(size, frames) for chunk in chunks)
        first = data.first(size)
        assert first.start == 0 and len(first) % frames == 0 and len(first) in range(1, max(size, frames) + 1)


@pytest.mark.parametrize("opened", FROM_FILES)
def test_frames_are_in_the_order_of_time(tmp_path, opened):
    data = opened(tmp_path, 4)
    corner = data.pixels(range(len(data)))[:, :, -2:, -2:].mean((1, 2, 3)).reshape(-1, 4)
    steps = np.diff(corner, axis=1)
    assert (steps > 0).all() and np.abs(steps - np.median(steps)).max() < 1.5


def colours_of(data, rows):
    """B N: one number for the colour of each thing, NaN where it is not there."""
    truth = data.truth(rows)
    if "colour" in truth.factors:
        colours = truth.factors["colour"].double().reshape(*truth.present.shape, -1).sum(2)
    else:
        masks = truth.masks.double()
        image = data.batch(rows).image.double().mean(1, keepdim=True)
        colours = (masks * image).sum((2, 3)) / masks.sum((2, 3))
    return torch.where(truth.present, colours, torch.nan)


@pytest.mark.parametrize("opened", [balls, rolling, traffic, npy, npz, hdf5, clevrer, prepared])
def test_a_thing_keeps_its_number_over_a_clip(tmp_path, opened):
    data = opened(tmp_path, 4)
    colours = colours_of(data, range(len(data))).reshape(len(data) // 4, 4, -1)
    brightest = colours.nan_to_num(-torch.inf).amax(1)
    darkest = colours.nan_to_num(torch.inf).amin(1)
    present = brightest > -torch.inf
    assert torch.allclose(brightest[present], darkest[present], atol=1e-6)
    assert (present.sum(1) > 1).any() and len(brightest[present].unique()) > 1, (
        "several things of several colours"
    )


@pytest.mark.parametrize("opened", WITH_ACTIONS)
def test_actions_belong_to_their_frames(tmp_path, opened):
    data = opened(tmp_path, 4)
    rows = [*range(4, 8), *range(4)]
    batch = data.batch(rows, ["actions"], frames=4)
    assert batch.actions.dtype == torch.float32 and batch.clips(batch.actions).shape == (2, 4, 2)
    if opened is lerobot:
        frame = ((batch.image.mean((1, 2, 3)) * 255 + 0.6) / 3).round()
        assert torch.equal(batch.actions[:, 0], frame), "every second frame, with the action at it"
    else:
        assert batch.actions[:, 0].tolist() == [2 * row for row in rows]
    assert data.batch(rows).actions is None, "only where they are needed"


def test_without_actions_none_are_made_up(tmp_path):
    assert balls(tmp_path, 3).actions([0]) is None and traffic2022(tmp_path, 3).actions([0]) is None
    images, _, _ = arrays(3)
    np.save(tmp_path / "alone.npy", images)
    assert Npy(NpyConfig(str(tmp_path / "alone.npy"))).actions([0]) is None


def test_actions_that_are_no_numbers_are_refused_with_their_file_and_frame(tmp_path):
    images, _, actions = arrays(4)
    actions[1, 2, 0] = np.nan
    np.savez(tmp_path / "set.npz", images=images, actions=actions)
    data = Npy(NpyConfig(str(tmp_path / "set.npz")))
    assert data.actions(range(4)).isfinite().all()
    with pytest.raises(
        UserError, match=r"action at frame 2 of video 1 of the actions of .*set\.npz is not a number"
    ):
        data.batch(range(4, 8), ["actions"], frames=4)


def test_a_recorded_action_that_is_no_number_is_refused_with_its_file_and_frame(tmp_path):
    pyarrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    pytest.importorskip("av", reason="PyAV is not installed")
    path = test_lerobot.write(tmp_path)
    file = tmp_path / "data/chunk-000/file-001.parquet"
    values = parquet.read_table(file).to_pydict()
    values["action"][-1][1] = float("nan")
    parquet.write_table(pyarrow.table(values), file)
    refused = []
    for split in ("train", "validation", "test"):
        data = LeRobot(LeRobotConfig(path, "front", (SIDE, SIDE)), split)
        try:
            assert data.actions(range(len(data))).isfinite().all()
        except UserError as problem:
            refused.append(str(problem))
    assert len(refused) == 1
    assert f"action at frame 9 of episode 4 (row 29 of {file}) is not a number" in refused[0]


def test_the_array_of_actions_can_be_chosen(tmp_path):
    h5py = pytest.importorskip("h5py", reason="h5py is not installed")
    images, _, actions = arrays(3)
    with h5py.File(tmp_path / "set.h5", "w") as file:
        file["image"] = images
        file["joints"] = actions
    path = str(tmp_path / "set.h5")
    assert Hdf5(Hdf5Config(path)).actions([0]) is None
    chosen = Hdf5(Hdf5Config(path, action_key="joints"))
    assert chosen.actions([1, 3]).tolist() == [[2, 3], [6, 7]]
    with pytest.raises(UserError, match="no array 'pushes' of numbers for each frame; there are joints"):
        Hdf5(Hdf5Config(path, action_key="pushes"))


def test_actions_of_another_length_are_left_out(tmp_path):
    images, _, actions = arrays(3)
    np.save(tmp_path / "images.npy", images)
    np.save(tmp_path / "actions.npy", actions[:, :2])
    with pytest.warns(
        UserWarning, match=r"actions of .*images\.npy are left out: float32 of shape \(5, 2, 2\)"
    ):
        data = Npy(NpyConfig(str(tmp_path)))
    assert data.actions([0]) is None
