"""Arrays of users: any order of axes and kind of number gives the same pictures; blocks of rows are the splits."""

import numpy as np
import pytest

from motes.data.files.npy import Npy, NpyConfig
from motes.errors import UserError

PICTURES = np.random.default_rng(0).integers(0, 256, (20, 12, 10, 3), dtype=np.uint8)


def saved(path, array):
    np.save(path, array)
    return NpyConfig(str(path))


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("last", PICTURES),
        ("first", PICTURES.transpose(0, 3, 1, 2)),
        ("fractions", (PICTURES / 255).astype(np.float32)),
        ("sixteen", PICTURES.astype(np.uint16) * 257),
        ("alpha", np.concatenate([PICTURES, np.full((20, 12, 10, 1), 255, np.uint8)], -1)),
    ],
)
def test_every_layout_gives_the_same_pictures(tmp_path, name, array):
    config = saved(tmp_path / f"{name}.npy", array)
    assert (Npy(config).pixels([3, 0]) == PICTURES[[3, 0]].transpose(0, 3, 1, 2)).all()
    assert (Npy(config, "validation").pixels([0, 1]) == PICTURES[16:18].transpose(0, 3, 1, 2)).all()
    assert (Npy(config, "test").pixels([0, 1]) == PICTURES[18:].transpose(0, 3, 1, 2)).all()


def test_grey_sizes_and_clips(tmp_path):
    grey = Npy(saved(tmp_path / "grey.npy", PICTURES[..., 0]))
    assert grey.image_shape == (1, 12, 10) and (grey.pixels([2])[0, 0] == PICTURES[2, :, :, 0]).all()
    assert Npy(NpyConfig(str(tmp_path / "grey.npy"), (8, 8), 3)).pixels([0, 1]).shape == (2, 3, 8, 8)
    clips = Npy(saved(tmp_path / "clips.npy", PICTURES.reshape(5, 4, 12, 10, 3)))
    assert clips.frames == 4 and len(clips) == 12
    assert (clips.pixels(range(4, 8)) == PICTURES[4:8].transpose(0, 3, 1, 2)).all()
    np.savez(tmp_path / "set.npz", images=PICTURES, labels=np.zeros(20))
    assert (Npy(NpyConfig(str(tmp_path / "set.npz"))).pixels([1])[0] == PICTURES[1].transpose(2, 0, 1)).all()


def test_files_named_after_splits_are_the_splits(tmp_path):
    for name, part in (("train", PICTURES[:9]), ("val", PICTURES[9:12]), ("test", PICTURES[12:])):
        np.save(tmp_path / f"{name}.npy", part)
    assert [len(Npy(NpyConfig(str(tmp_path)), split)) for split in ("train", "validation", "test")] == [
        9,
        3,
        8,
    ]
    (tmp_path / "test.npy").unlink()
    with pytest.raises(UserError, match=r"no test\.npy; there are train\.npy, val\.npy"):
        Npy(NpyConfig(str(tmp_path)), "test")


def test_wrong_arrays_are_named(tmp_path):
    path = tmp_path / "a.npy"
    with pytest.raises(UserError, match="no stack of pictures"):
        Npy(saved(path, PICTURES[0, 0]))
    with pytest.raises(UserError, match="int64"):
        Npy(saved(path, PICTURES.astype(np.int64)))
    with pytest.raises(UserError, match="is no array"):
        np.save(path, np.array([{}], object), allow_pickle=True)
        Npy(NpyConfig(str(path)))
    with pytest.raises(UserError, match=r"row 1 of .* values from 0 to 255"):
        Npy(
            saved(path, PICTURES.astype(np.float32).clip(0) * (np.arange(20) == 1)[:, None, None, None])
        ).pixels([0, 1])
    with pytest.raises(UserError, match="12 colours"):
        Npy(NpyConfig(saved(path, PICTURES).path, layout="NCHW"))
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(UserError, match="cut short"):
        Npy(NpyConfig(str(path)))
    path.write_bytes(b"")
    with pytest.raises(UserError, match="is empty"):
        Npy(NpyConfig(str(path)))


NUMBERS = np.zeros((20, 12, 10), np.int32)
NUMBERS[:, 2:5, 1:4], NUMBERS[:, 6:9, 5:8] = 900, 4


def save_masked(folder, how):
    """Returns where the pictures are."""
    folder.mkdir(exist_ok=True)
    files = {
        "images": ("images.npy", "masks.npy"),
        "stem": ("cells.npy", "cells_masks.npy"),
        "train": ("train.npy", "train_masks.npy"),
    }
    if how == "npz":
        np.savez(folder / "set.npz", X=PICTURES, y=NUMBERS)
        return folder / "set.npz"
    for name, array in zip(files[how], (PICTURES, NUMBERS), strict=True):
        np.save(folder / name, array)
    return folder / "cells.npy" if how == "stem" else folder


@pytest.mark.parametrize("how", ["images", "stem", "train", "npz"])
def test_masks_beside_arrays_are_the_truth(tmp_path, how):
    data = Npy(NpyConfig(str(save_masked(tmp_path, how)), image_size=(24, 20)))
    truth = data.truth([0, 3])
    assert truth is not None and truth.masks is not None and truth.boxes is not None
    assert truth.boxes[1].tolist() == [[12, 10, 17, 15], [4, 2, 9, 7]]  # by their numbers: 4, then 900
    assert truth.masks.shape == (2, 2, 24, 20)


def test_things_of_a_video_keep_their_numbers(tmp_path):
    np.save(tmp_path / "images.npy", PICTURES.reshape(5, 4, 12, 10, 3))
    numbers = NUMBERS.copy()
    numbers[1][numbers[1] == 4] = 0  # hidden in the second frame
    np.save(tmp_path / "masks.npy", numbers.reshape(5, 4, 12, 10))
    truth = Npy(NpyConfig(str(tmp_path))).truth(range(4))
    assert truth is not None and truth.present.tolist() == [
        [True, True],
        [False, True],
        [True, True],
        [True, True],
    ]


def test_arrays_of_another_shape_are_no_masks(tmp_path):
    np.savez(tmp_path / "classes.npz", images=PICTURES, labels=np.arange(20))
    assert Npy(NpyConfig(str(tmp_path / "classes.npz"))).truth([0]) is None
    np.savez(tmp_path / "wrong.npz", images=PICTURES, masks=NUMBERS[:, :5])
    with pytest.warns(UserWarning, match="masks of .* are left out"):
        assert Npy(NpyConfig(str(tmp_path / "wrong.npz"))).truth([0]) is None
