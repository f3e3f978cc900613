"""HDF5 of the multi-object sets: truth agrees with the pixels, in both layouts of masks, cut and scaled."""

import numpy as np
import pytest
import torch

from motes.data.files.hdf5 import Hdf5, Hdf5Config
from motes.data.prepared.prepare import prepare
from motes.data.prepared.prepared import Prepared, PreparedConfig
from motes.data.source import Source
from motes.errors import UserError

h5py = pytest.importorskip("h5py", reason="h5py is not installed")

COUNT, THINGS, SIDE = 20, 3, 32


def write(path, planes=True, video=False, **more):
    """A square of its own colour for each thing, the last one hidden in odd rows; `planes`: one plane of masks for each."""
    random = np.random.default_rng(0)
    image = np.zeros((COUNT, SIDE, SIDE, 3), np.uint8)
    mask = np.zeros((COUNT, THINGS + 1, SIDE, SIDE, 1), np.uint8)
    visible = np.ones((COUNT, THINGS + 1), np.float32)
    visible[1::2, -1] = 0
    corner = random.integers(4, SIDE - 12, (COUNT, THINGS + 1, 2))
    for n in range(COUNT):
        mask[n, 0] = 255
        for k in range(1, THINGS + 1):
            if visible[n, k]:
                row, column = corner[n, k]
                image[n, row : row + 6, column : column + 6] = (80 * k, 0, 0)
                mask[n, :, row : row + 6, column : column + 6] = 0
                mask[n, k, row : row + 6, column : column + 6] = 255
    arrays = {
        "image": image,
        "mask": mask if planes else mask.argmax(1).astype(np.uint8),
        "visibility": visible,
        "colour": np.broadcast_to(np.arange(THINGS + 1.0)[None, :, None], (COUNT, THINGS + 1, 1)),
        "camera": random.random((COUNT, 4)).astype(np.float32),
        "pixel_coords": np.concatenate([corner[..., ::-1] + 2.5, np.ones((COUNT, THINGS + 1, 1))], -1),
        **more,
    }
    with h5py.File(path, "w") as file:
        for name, value in arrays.items():
            if value is not None:
                file[name] = np.asarray(value).reshape(4, 5, *np.shape(value)[1:]) if video else value
    return Hdf5Config(str(path))


@pytest.mark.parametrize("planes", [True, False])
@pytest.mark.parametrize(
    "options", [{}, {"image_size": (64, 64)}, {"crop": (4, 4, 24, 24), "image_size": (48, 48)}]
)
def test_truth_lies_on_the_pixels(tmp_path, planes, options):
    data = Hdf5(Hdf5Config(write(tmp_path / "a.h5", planes).path, **options))
    rows = [5, 0, 3]
    pixels, truth = data.pixels(rows), data.truth(rows)
    assert truth.present.shape == (3, THINGS) and not truth.present[0, -1] and truth.present[1, 0]
    for n in range(3):
        for k in range(THINGS):
            mask = truth.masks[n, k].numpy()
            if not truth.present[n, k] or mask.sum() < 25:
                continue
            assert abs(np.median(pixels[n, 0][mask]) - 80 * (k + 1)) < 25, (
                "sharp but for the ringing of edges"
            )
            where = np.argwhere(mask)
            assert truth.boxes[n, k].tolist() == [*where.min(0), *where.max(0)]
    assert torch.equal(truth.factors["colour"][..., 0], torch.arange(1.0, THINGS + 1).expand(3, -1))
    assert truth.scene["camera"].shape == (3, 4)


@pytest.mark.parametrize(
    "options", [{}, {"image_size": (64, 64)}, {"crop": (2, 3, 24, 26), "image_size": (48, 40)}]
)
def test_centres_in_pixels_agree_with_those_of_masks(tmp_path, options):
    with_points = Hdf5(Hdf5Config(write(tmp_path / "a.h5").path, **options)).truth(range(16))
    without = Hdf5(Hdf5Config(write(tmp_path / "b.h5", pixel_coords=None).path, **options)).truth(range(16))
    area = with_points.masks.sum((2, 3))
    whole = with_points.present & (area == area.max())  # neither covered nor cut
    difference = (with_points.centres - without.centres)[whole]
    assert whole.sum() > 5 and difference.abs().max() * 20 < 1, "within a pixel"


def test_videos_and_splits(tmp_path):
    flat, clips = Hdf5(write(tmp_path / "a.h5")), Hdf5(write(tmp_path / "b.h5", video=True))
    assert clips.frames == 5 and len(clips) == 10 and len(Hdf5(clips.config, "test")) == 5
    assert (clips.pixels(range(10)) == flat.pixels(range(10))).all()
    first, second = clips.truth([7, 2]), flat.truth([7, 2])
    assert torch.equal(first.masks, second.masks) and torch.equal(
        first.factors["colour"], second.factors["colour"]
    )
    assert len(Hdf5(Hdf5Config(flat.config.path, train_rows=3))) == 3
    last = Hdf5(flat.config, "test")
    assert len(last) == 2 and torch.equal(
        last.truth([1]).masks[0], Hdf5(Hdf5Config(flat.config.path, held_out=0.4), "test").truth([7]).masks[0]
    )


def test_groups_named_after_splits_are_the_splits(tmp_path):
    path = tmp_path / "a.h5"
    write(path)
    with h5py.File(path, "r+") as file:
        for group, rows in (("train", slice(0, 12)), ("val", slice(12, 15)), ("test", slice(15, 20))):
            for name in ("image", "mask", "colour"):
                file[f"{group}/obs/{name}"] = file[name][rows]
    whole, parts = (
        Hdf5(write(tmp_path / "b.h5")),
        [Hdf5(Hdf5Config(str(path)), split) for split in ("train", "validation", "test")],
    )
    assert [len(part) for part in parts] == [12, 3, 5] and (parts[0].pixels([3]) == whole.pixels([3])).all()
    assert torch.equal(parts[0].truth([3]).masks, whole.truth([3]).masks)
    prepare(Source("hdf5", {"path": str(path)}), tmp_path / "set")
    made = Prepared(PreparedConfig(str(tmp_path / "set")), "test").truth([2])
    assert torch.equal(made.factors["obs/colour"], parts[2].truth([2]).factors["obs/colour"])


def test_hundreds_of_cells(tmp_path):
    """Maps of numbers beyond a byte, as of cells: each is one pixel here, the picture twice as large."""
    numbers = np.random.default_rng(0).permutation(400).reshape(1, 20, 20, 1).astype(np.int32)
    with h5py.File(tmp_path / "cells.h5", "w") as file:
        file["image"], file["mask"] = np.zeros((1, 20, 20, 3), np.uint8), numbers
    truth = Hdf5(Hdf5Config(str(tmp_path / "cells.h5"), (40, 40))).truth([0])
    assert truth.present.shape == (1, 399) and truth.present.all() and (truth.masks.sum((2, 3)) == 4).all()
    row, column = np.argwhere(numbers[0, :, :, 0] == 300)[0]
    assert truth.boxes[0, 299].tolist() == [2 * row, 2 * column, 2 * row + 1, 2 * column + 1]
    prepare(
        Source("hdf5", {"path": str(tmp_path / "cells.h5"), "image_size": (40, 40)}),
        tmp_path / "set",
        ("train",),
    )
    assert torch.equal(Prepared(PreparedConfig(str(tmp_path / "set"))).truth([0]).masks, truth.masks)


def test_broken_files_are_named(tmp_path):
    path = tmp_path / "a.h5"
    write(path, camera=np.zeros((COUNT - 1, 4)))
    with pytest.raises(UserError, match=r"camera .* has 19 rows, the pictures 20"):
        Hdf5(Hdf5Config(str(path)))
    with pytest.raises(UserError, match=r"no array 'rgb'; there are .*visibility"):
        Hdf5(Hdf5Config(write(path).path, image_key="rgb"))
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(UserError, match="cut short"):
        Hdf5(Hdf5Config(str(path)))
    path.write_text("x")
    with pytest.raises(UserError, match="no HDF5 file"):
        Hdf5(Hdf5Config(str(path)))


def test_raw_and_label_are_pictures_and_masks_but_labels_of_pictures_are_none(tmp_path):
    with h5py.File(tmp_path / "cells.h5", "w") as file:
        file["raw"] = np.full((10, 8, 6), 100, np.uint8)
        file["label"] = np.tile(np.array([0, 1, 2, 2, 0, 0], np.uint16), (10, 8, 1))
    with h5py.File(tmp_path / "classes.h5", "w") as file:
        file["images"], file["labels"] = np.zeros((10, 8, 6), np.uint8), np.arange(10)
    truth = Hdf5(Hdf5Config(str(tmp_path / "cells.h5"))).truth([0])
    assert (
        truth is not None and truth.masks is not None and truth.masks.flatten(2).sum(2).tolist() == [[8, 16]]
    )
    assert Hdf5(Hdf5Config(str(tmp_path / "classes.h5"))).truth([0]) is None
