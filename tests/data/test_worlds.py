"""Every generated world: a row does not depend on others, splits differ, masks, boxes and centres agree."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from motes.data import DATASETS
from motes.data.worlds.dice import SPLITS
from motes.errors import UserError

# options, and the hash of some rows of the test split; if one changes, results measured with that world are
# no longer comparable
WORLDS = {
    "sprites": ({}, "8d3a56e2e3378d4f"),
    "sprites smooth": (
        {"smooth": 3, "recipe": "colored_on_colored", "image_size": (40, 72)},
        "f2a9b9066fb6b665",
    ),
    "sprites textured": ({"background": "textures", "channels": 1}, "93f68e83071162b2"),
    "tetrominoes": ({}, "c54e1eb1b6d167fc"),
    "tetrominoes ambiguous": ({"ambiguous": True, "pieces": 4}, "5c5f2c69664741bc"),
    "tetrominoes one colour": ({"colours": "one"}, "e85944f7d95d0b31"),
    "balls": ({}, "e053a11524aeec34"),
    "balls occlusion": ({"recipe": "occlusion", "image_size": (48, 48), "frames": 9}, "e2fe872a089b658f"),
    "balls dense": ({"recipe": "two_layer_dense", "frames": 30}, "cbd33da7dc9f6b9c"),
    "pushing": ({"frames": 40}, "9e3d5c02d2b83f20"),
    "pushing small": ({"image_size": (48, 48), "objects": 2, "frames": 9}, "2125379eb9e8ba2a"),
    "scenes": ({}, "1b281cf2c5136153"),
    "scenes many": (
        {"objects": (7, 10), "image_size": (48, 64), "channels": 1, "fine": 1},
        "e8d12dd697c80eba",
    ),
    "rolling": ({"frames": 60}, "724fca197fab8d2d"),
    "arm": ({}, "e92338a68970ad08"),
    "animal": ({}, "c51ec78465139229"),
    "animal walking": (
        {"frames": 5, "view": "side", "image_size": (40, 72), "channels": 3},
        "153b09e0e1581eaa",
    ),
}
EACH = pytest.mark.parametrize("name", WORLDS)


def open_world(name, split="test", **more):
    world = DATASETS[name.partition(" ")[0]]
    return world(world.Config(**WORLDS[name][0], **more), split)


def sample_rows(data):
    """Of different clips, at different times."""
    return [clip * data.frames + 7 * clip % data.frames for clip in range(24)]


def hash_of(name):
    data = open_world(name)
    return hashlib.sha256(data.pixels(sample_rows(data)).tobytes()).hexdigest()[:16]


@EACH
def test_pictures_are_the_same_on_every_machine(name):
    assert hash_of(name) == WORLDS[name][1]


@pytest.mark.slow
def test_a_machine_with_fewer_instructions_draws_the_same():
    """As if it had no vector instructions but the oldest, which round as all others do, and another maker."""
    code = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import test_worlds as t\n"
    code += "for name, (_, expected) in t.WORLDS.items():\n"
    code += "    assert t.hash_of(name) == expected, name\n"
    plain = {
        "ATEN_CPU_CAPABILITY": "default",
        "NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3 AVX512F AVX512CD AVX512_SKX X86_V3 X86_V4",
        # torch's square roots are then other ones, as on processors of another maker
        "MKL_CBWR": "COMPATIBLE",
    }
    process = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **plain}, capture_output=True, text=True
    )
    assert process.returncode == 0, process.stderr


@EACH
def test_a_row_is_the_same_alone_and_among_others(name):
    data = open_world(name)
    pictures = data.pixels([9, 2, 2, 70])
    assert pictures.shape == (4, *data.image_shape) and pictures.dtype == np.uint8
    assert (pictures[1] == pictures[2]).all() and (open_world(name).pixels([70])[0] == pictures[3]).all()
    pair = data.truth([9, 2])
    single = data.truth([2])
    for key in ("present", "centres", "boxes", "masks", "whole"):
        assert (getattr(pair, key)[1] == getattr(single, key)[0]).all(), key
    for part in ("factors", "scene"):
        for key, value in getattr(pair, part).items():
            assert (value[1] == getattr(single, part)[key][0]).all(), key


@pytest.mark.slow
@EACH
def test_splits_and_seeds_share_nothing(name):
    frames = open_world(name).frames
    rows = range(0, 40 * frames, frames)
    pictures = [picture.tobytes() for split in SPLITS for picture in open_world(name, split).pixels(rows)]
    pictures += [picture.tobytes() for picture in open_world(name, seed=1).pixels(rows)]
    assert len(set(pictures)) == len(pictures)


@EACH
@pytest.mark.slow
def test_masks_boxes_and_presence_agree(name):
    data = open_world(name)
    truth = data.truth(sample_rows(data))
    assert truth.masks.shape == (24, truth.present.shape[1], *data.image_shape[1:])
    assert truth.masks.sum(1).max() == 1, "no pixel belongs to two"
    assert not (truth.masks & ~truth.whole).any()
    assert (truth.masks.any(1) == truth.whole.any(1)).all(), "what is hidden, is hidden by another"
    assert (truth.present == truth.masks.flatten(2).any(2)).all() and truth.present.any(0).all()
    for n, k in truth.present.nonzero().tolist():
        where = truth.masks[n, k].nonzero()
        assert truth.boxes[n, k].tolist() == [*where.amin(0).tolist(), *where.amax(0).tolist()]
    assert (truth.boxes[~truth.present] == 0).all()


@EACH
@pytest.mark.slow
def test_centres_are_those_of_the_whole(name):
    data = open_world(name)
    truth = data.truth(sample_rows(data))
    side = torch.tensor(data.image_shape[1:])
    for n, k in truth.present.nonzero().tolist():
        where = truth.whole[n, k].nonzero()
        if where.amin() > 0 and (where.amax(0) < side - 1).all():  # not cut by the picture's edge
            centre = (truth.centres[n, k] + 1) / 2 * (side - 1)
            assert (where.float().mean(0) - centre).abs().max() < 0.6 + 0.03 * (
                where.amax(0) - where.amin(0)
            ).max()


@EACH
@pytest.mark.slow
def test_what_covers_another_is_nearer(name):
    data = open_world(name)
    truth = data.truth(sample_rows(data))
    for n, k in truth.present.nonzero().tolist():
        hidden = truth.whole[n, k] & ~truth.masks[n, k]
        for cover in truth.masks[n, :, hidden].any(1).nonzero()[:, 0].tolist():
            assert truth.factors["depth"][n, cover] < truth.factors["depth"][n, k]


@EACH
def test_rows_out_of_range_and_empty_splits_are_refused(name):
    data = open_world(name, count=3, held_out=2)
    with pytest.raises(IndexError):
        data.pixels([len(data)])
    with pytest.raises(UserError, match="at least 1"):
        open_world(name, count=0)
