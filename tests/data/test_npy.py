"""Arrays of users: any order of axes and kind of number gives the same pictures; blocks of rows are the splits."""

import numpy as np
import pytest

from motes.data.npy import Config, Npy
from motes.errors import UserError

PICTURES = np.random.default_rng(0).integers(0, 256, (20, 12, 10, 3), dtype=np.uint8)


def saved(path, array):
    np.save(path, array)
    return Config(str(path))


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
    assert Npy(Config(str(tmp_path / "grey.npy"), (8, 8), 3)).pixels([0, 1]).shape == (2, 3, 8, 8)
    clips = Npy(saved(tmp_path / "clips.npy", PICTURES.reshape(5, 4, 12, 10, 3)))
    assert clips.frames == 4 and len(clips) == 12
    assert (clips.pixels(range(4, 8)) == PICTURES[4:8].transpose(0, 3, 1, 2)).all()
    np.savez(tmp_path / "set.npz", images=PICTURES, labels=np.zeros(20))
    assert (Npy(Config(str(tmp_path / "set.npz"))).pixels([1])[0] == PICTURES[1].transpose(2, 0, 1)).all()


def test_files_named_after_splits_are_the_splits(tmp_path):
    for name, part in (("train", PICTURES[:9]), ("val", PICTURES[9:12]), ("test", PICTURES[12:])):
        np.save(tmp_path / f"{name}.npy", part)
    assert [len(Npy(Config(str(tmp_path)), split)) for split in ("train", "validation", "test")] == [9, 3, 8]
    (tmp_path / "test.npy").unlink()
    with pytest.raises(UserError, match=r"no test\.npy; there are train\.npy, val\.npy"):
        Npy(Config(str(tmp_path)), "test")


def test_wrong_arrays_are_named(tmp_path):
    path = tmp_path / "a.npy"
    with pytest.raises(UserError, match="no stack of pictures"):
        Npy(saved(path, PICTURES[0, 0]))
    with pytest.raises(UserError, match="int64"):
        Npy(saved(path, PICTURES.astype(np.int64)))
    with pytest.raises(UserError, match="is no array"):
        np.save(path, np.array([{}], object), allow_pickle=True)
        Npy(Config(str(path)))
    with pytest.raises(UserError, match=r"row 1 of .* values from 0 to 255"):
        Npy(saved(path, PICTURES.astype(np.float32).clip(0) * (np.arange(20) == 1)[:, None, None, None])).pixels([0, 1])
    with pytest.raises(UserError, match="12 colours"):
        Npy(Config(saved(path, PICTURES).path, layout="NCHW"))
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(UserError, match="cut short"):
        Npy(Config(str(path)))
    path.write_bytes(b"")
    with pytest.raises(UserError, match="is empty"):
        Npy(Config(str(path)))
