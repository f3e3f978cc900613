"""Traffic of the 2022 paper: numbered frames; crop, every third and splits as published; gaps shift nothing."""

import numpy as np
import pytest
from PIL import Image

from motes.data.published.traffic2022 import Traffic2022, Traffic2022Config
from motes.errors import UserError


@pytest.fixture
def root(tmp_path):
    """120 frames, 40 kept: the square is grey of its number, everything outside it white."""
    for number in range(120):
        pixels = np.full((428, 500, 3), 255, np.uint8)
        pixels[:420, 60:480] = 2 * number
        Image.fromarray(pixels).save(tmp_path / f"{number}.png", compress_level=1)
    return tmp_path


def numbers(root, split="train", **options):
    data = Traffic2022(Traffic2022Config(str(root), (8, 8), **options), split)
    pixels = data.pixels(range(len(data)))
    assert (pixels.max((1, 2, 3)) == pixels.min((1, 2, 3))).all(), "nothing from outside the square"
    return (pixels[:, 0, 0, 0] // 2).tolist()


def test_crop_skip_and_splits(root):
    assert numbers(root) == list(range(0, 108, 3))
    assert numbers(root, "validation") == [108, 111] and numbers(root, "test") == [114, 117]
    assert (
        numbers(root, "validation", original=True)
        == [108, 111, 114, 117]
        == numbers(root, "test", original=True)
    )
    assert [len(numbers(root, split, protocol="ddlp")) for split in ("train", "validation", "test")] == [
        32,
        4,
        4,
    ]


@pytest.mark.slow
def test_a_missing_frame_shifts_no_other_and_no_clip_reaches_over_it(root):
    (root / "10.png").unlink()
    (root / "30.png").unlink()
    assert [number for number in numbers(root) if number < 40] == [
        0,
        3,
        6,
        9,
        12,
        15,
        18,
        21,
        24,
        27,
        33,
        36,
        39,
    ]
    assert numbers(root, original=True)[:6] == [0, 3, 6, 9, 13, 16]
    clips = np.array(numbers(root, frames=4, stride=1)).reshape(-1, 4)
    assert (np.diff(clips, axis=1) == 3).all() and not {24, 27, 21} & set(clips[:, 0].tolist())


def test_what_the_authors_hand_out_is_taken_as_it_is(tmp_path):
    array = np.random.default_rng(0).integers(0, 256, (40, 128, 128, 3), dtype=np.uint8)
    np.save(tmp_path / "img128np_fs3.npy", array)
    data = Traffic2022(Traffic2022Config(str(tmp_path)))
    assert len(data) == 36 and (data.pixels([35])[0] == array[35].transpose(2, 0, 1)).all()


def test_what_is_missing_or_wrong_is_named(tmp_path):
    with pytest.raises(UserError, match=r"neither frames 0\.jpg.* nor img128np_fs3\.npy"):
        Traffic2022(Traffic2022Config(str(tmp_path)))
    Image.new("RGB", (320, 240)).save(tmp_path / "0.jpg")
    with pytest.raises(UserError, match=r"does not lie in .*0\.jpg, which has 240 x 320"):
        Traffic2022(Traffic2022Config(str(tmp_path), original=True), "validation").pixels([0])
    Image.new("RGB", (320, 240)).save(tmp_path / "0.png")
    with pytest.raises(UserError, match="the same frame"):
        Traffic2022(Traffic2022Config(str(tmp_path)))
    Image.new("RGB", (320, 240)).save(tmp_path / "road.jpg")
    with pytest.raises(UserError, match=r"1 pictures .* the first road\.jpg"):
        Traffic2022(Traffic2022Config(str(tmp_path)))
