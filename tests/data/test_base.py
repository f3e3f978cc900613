"""Rows go to models in whole clips, with what the data know of them."""

import pytest
import torch

from motes.data.base import Dataset
from motes.data.worlds.flat.balls import Balls
from motes.data.worlds.flat.shapes import Shapes
from motes.errors import UserError
from motes.types.truth import Truth


def balls(frames=8, count=3):
    return Balls(Balls.Config(image_size=(16, 16), count=count, frames=frames), "train")


def test_chunks_never_part_a_clip():
    data = balls()
    assert [len(chunk) for chunk in data.chunks(range(24), 20)] == [16, 8]
    assert [len(chunk) for chunk in data.chunks(range(24), 3)] == [8, 8, 8], (
        "a clip longer than a chunk is one"
    )
    assert list(data.chunks([5, 6, 7, 8, 9], 4)) == [[5, 6, 7], [8, 9]]
    assert [row for chunk in data.chunks(range(24), 10) for row in chunk] == list(range(24))
    single = Shapes(Shapes.Config(count=10), "train")
    assert [len(chunk) for chunk in single.chunks(range(10), 4)] == [4, 4, 2]
    assert list(single.chunks([], 4)) == []


def test_the_first_pictures_are_whole_clips():
    data = balls()
    assert list(data.first(20)) == list(range(16)) and list(data.first(3)) == list(range(8))
    assert list(data.first(1000)) == list(range(24)) and not data.first(0)


def test_spread_rows_are_whole_clips_from_all_over_and_always_the_same():
    data = balls(frames=8, count=100)
    rows = data.spread(85)
    assert len(rows) == 80 and rows == balls(frames=8, count=100).spread(85) == sorted(set(rows))
    clips = sorted({row // 8 for row in rows})
    assert rows == [row for clip in clips for row in range(8 * clip, 8 * clip + 8)]
    assert [clip // 10 for clip in clips] == list(range(10)), "one of every tenth of the clips"
    assert len({clip % 10 for clip in clips}) > 3, "at no even distances"
    assert len(data.spread(3)) == 8 and data.spread(0) == [] and data.spread(10**6) == list(range(800))


def test_a_sample_is_of_single_pictures_from_all_over():
    data = balls(frames=8, count=100)
    rows = data.sample(20)
    assert [row // 40 for row in rows] == list(range(20)) and rows == data.sample(20)
    assert data.sample(0) == [] and data.sample(10**6) == list(range(800))


def test_a_batch_says_which_clip_its_pictures_are_of():
    batch = balls().batch(range(8, 24), ["clip"], frames=8)
    assert batch.frames == 8 and batch.clips(batch.index)[:, 0].tolist() == [8, 16]
    assert batch.labels["clip"].tolist() == [1] * 8 + [2] * 8


def test_labels_and_actions_that_nobody_knows_are_refused():
    with pytest.raises(
        UserError, match="learns with the species of each picture, of which these data know nothing"
    ):
        balls().batch([0], ["species"])
    with pytest.raises(UserError, match="learns with the actions that were done"):
        balls().batch([0], ["actions"])


class Pushed(Dataset):
    """Two frames a clip, each followed by a push."""

    def __init__(self, config=None, split="train"): ...

    image_shape = (1, 8, 8)
    frames = 2

    def __len__(self):
        return 4

    def pixels(self, rows):
        return torch.zeros(len(rows), 1, 8, 8, dtype=torch.uint8).numpy()

    def truth(self, rows):
        return Truth(torch.zeros(len(rows), 0, dtype=torch.bool))

    def actions(self, rows):
        return torch.tensor([[float(row), 1.0] for row in rows])


def test_actions_come_with_the_frames_before_them():
    batch = Pushed().batch([2, 3], ["actions"], frames=2)
    assert batch.clips(batch.actions).tolist() == [[[2, 1], [3, 1]]]
    assert Pushed().batch([2, 3]).actions is None, "nobody asked"
