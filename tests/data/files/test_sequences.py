"""Numbered frames: in the order of their numbers, whole sequences in one split, no clip over a gap."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from PIL import Image

from motes.data.files.sequences import Sequences, SequencesConfig
from motes.errors import UserError

SPLITS = ("train", "validation", "test")


def write(root, numbers, name="frame_{}.png", sequence=0):
    """The grey value says the sequence and the number."""
    root.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        Image.new("L", (9, 8), sequence * 100 + number).save(root / name.format(number))


def opened(root, split: Any = "train", **options):
    return Sequences(SequencesConfig(str(root), image_size=(4, 4), channels=1, **options), split)


def values(data):
    return data.pixels(range(len(data)))[:, 0, 0, 0].tolist()


def test_the_order_is_that_of_the_numbers_and_splits_do_not_touch(tmp_path):
    write(tmp_path, range(1, 101))
    parts = [values(opened(tmp_path, split, gap=3)) for split in SPLITS]
    assert parts[0] == list(range(1, 81))
    assert all(later[0] - earlier[-1] > 1 for earlier, later in pairwise(parts))
    assert all(part == list(range(part[0], part[-1] + 1)) for part in parts)


def test_whole_sequences_go_to_one_split(tmp_path):
    write(tmp_path / "street", range(10), "a1_{}.png", 0)  # two cameras in one folder
    write(tmp_path / "street", range(10), "a2_{}.png", 1)
    write(tmp_path / "yard", range(10), "{}.jpg", 2)
    seen = [{value // 100 for value in values(opened(tmp_path, split))} for split in SPLITS]
    assert sorted(map(sorted, seen)) == [[0], [1], [2]]


@pytest.mark.filterwarnings("ignore:left out")
def test_clips_keep_the_step_and_reach_over_no_gap(tmp_path):
    write(tmp_path, [number for number in range(60) if number != 20])
    (tmp_path / "frame_41.png").write_bytes(b"broken")
    data = opened(tmp_path, frames=4, skip=2, stride=1)
    clips = np.array(values(data)).reshape(-1, 4)
    assert (np.diff(clips, axis=1) == 2).all() and len(clips) and not (clips == 20).any()
    assert opened(tmp_path, frames=4).frames == 4
    with pytest.warns(UserWarning, match="left out: .*frame_41"):
        odd = np.array(values(opened(tmp_path, frames=4, stride=1))).reshape(-1, 4)
    assert (np.diff(odd, axis=1) == 1).all() and not (odd == 41).any()


def test_wrong_folders_are_refused(tmp_path):
    write(tmp_path, range(5))
    with pytest.raises(UserError, match="no clip of 9 frames"):
        opened(tmp_path, frames=9)
    Image.new("L", (8, 8)).save(tmp_path / "frame_01.png")
    with pytest.raises(UserError, match="are the same frame"):
        opened(tmp_path)
    (tmp_path / "frame_01.png").rename(tmp_path / "cover.png")
    with pytest.raises(UserError, match="bears no number"):
        opened(tmp_path)
