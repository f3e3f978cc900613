"""Videos reach a model of clips in whole clips; pictures are clips of one frame; no batch parts a clip."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from motes.apps.drawing.film import Film
from motes.apps.session.clips import clip_length, clips_of
from motes.apps.session.session import Session
from motes.models.base import WHOLE_CLIPS, Model
from motes.plain.packing import packed
from motes.types.latents import Code


class Watcher(Model):
    """Notes the clips that it is handed; a frame's code is its brightness."""

    window = 4

    def __init__(self):
        super().__init__()
        self.config = type("Config", (), {"image_size": (16, 16), "channels": 3})()
        self.nothing = nn.Parameter(torch.zeros(1))
        self.clips = []

    def loss(self, batch):
        raise NotImplementedError

    def encode(self, image):
        raise AssertionError("a model of clips is handed clips")

    def encode_clips(self, image, frames):
        assert len(image) % frames == 0
        self.clips += [
            tuple(clip.mean((1, 2, 3)).mul(255).round().int().tolist()) for clip in image.split(frames)
        ]
        return Code(image.mean((1, 2, 3))[:, None])

    def decode(self, latent):
        return latent.code[:, :, None, None].expand(-1, 3, 16, 16)


@pytest.fixture
def video(tmp_path):
    """Ten frames, each brighter than the one before."""
    pytest.importorskip("av", reason="needs pip install 'motes[video]'")
    with Film(tmp_path / "film.mp4", 10.0) as film:
        for number in range(10):
            film.add(Image.new("RGB", (16, 16), (20 * number,) * 3))
    return tmp_path / "film.mp4"


@pytest.fixture
def picture(tmp_path):
    Image.new("RGB", (16, 16), (250, 250, 250)).save(tmp_path / "one.png")
    return tmp_path / "one.png"


@pytest.mark.parametrize("batch", [1, 4, 5, 8, 32])
def test_a_video_is_handed_over_in_clips_and_a_picture_alone(video, picture, batch):
    session = Session(Watcher())
    parts = list(session.encode_files([picture, video, video, picture], batch=batch))
    assert [len(clip) for clip in session.model.clips] == [1, 4, 4, 2, 4, 4, 2, 1]
    assert session.model.clips[0] == session.model.clips[-1] == (250,)
    brightness = [value for clip in session.model.clips[1:4] for value in clip]
    assert brightness == sorted(brightness), "the frames of a clip are neighbours, in their order"
    assert all(len(part.paths) <= max(batch, 4) for part in parts)
    paths = [path for part in parts for path in part.paths]
    assert paths[:2] == [picture, video / "000000"] and len(paths) == 22
    codes = torch.cat([part.latent.code for part in parts])
    assert torch.equal(codes, torch.cat([part.image for part in parts]).mean((1, 2, 3))[:, None]), (
        "a row a picture"
    )


def test_a_model_of_single_pictures_notices_no_clips(video):
    model = Watcher()
    model.window = 0
    list(Session(model).encode_files([video], batch=4))
    assert [len(clip) for clip in model.clips] == [1] * 10


def test_a_model_of_clips_of_any_length_gets_runs_of_a_batch(video):
    model = Watcher()
    model.window = WHOLE_CLIPS
    list(Session(model).encode_files([video], batch=8))
    assert [len(clip) for clip in model.clips] == [8, 2]
    assert (clip_length(WHOLE_CLIPS, 8), clip_length(0, 8), clip_length(4, 2)) == (8, 1, 4)


def test_neighbours_of_one_folder_are_no_clip(tmp_path):
    (tmp_path / "film.mp4").touch()
    paths = [
        tmp_path / "a.png",
        tmp_path / "b.png",
        *(tmp_path / "film.mp4" / f"{n:06d}" for n in range(5)),
        Path("c.png"),
    ]
    clips = [[path.name for path, _ in clip] for clip in clips_of(((path, np.zeros(1)) for path in paths), 3)]
    assert clips == [["a.png"], ["b.png"], ["000000", "000001", "000002"], ["000003", "000004"], ["c.png"]]


@pytest.mark.parametrize("size", range(1, 12))
def test_batches_hold_whole_clips_in_their_order(size):
    clips = [[(Path(f"{length}"), np.zeros(1))] * length for length in (1, 4, 4, 2, 1, 1, 9)]
    batches = list(packed(clips, size))
    assert [clip for batch in batches for clip in batch] == clips
    assert all(sum(map(len, batch)) <= size or len(batch) == 1 for batch in batches)
