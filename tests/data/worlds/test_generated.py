"""The base of generated worlds: pictures are kept while there is room, grey is exact, textures differ."""

import numpy as np
import torch

from motes.data.truth_from_masks import boxes_of, seen_of
from motes.data.worlds import generated
from motes.data.worlds.dice import Dice
from motes.data.worlds.flat.tetrominoes import Tetrominoes, TetrominoesConfig
from motes.data.worlds.generated import grey, normalised
from motes.data.worlds.textures import random_textures


def test_pictures_are_drawn_once_while_there_is_room(monkeypatch):
    monkeypatch.setattr(generated, "ROOM", 5 * 3 * 35 * 35)
    data = Tetrominoes(TetrominoesConfig())
    drawn = []
    paint = data._paint
    monkeypatch.setattr(data, "_paint", lambda rows: drawn.extend(rows.tolist()) or paint(rows))
    first = data.pixels([3, 1, 3])
    assert drawn == [1, 3] and (data.pixels([3, 1, 3]) == first).all() and drawn == [1, 3]
    data.pixels(range(10, 20))
    data.pixels(range(10, 12))
    assert drawn == [1, 3, *range(10, 20), 10, 11], "no room for these"


def test_many_rows_come_in_parts_that_do_not_show():
    data = Tetrominoes(TetrominoesConfig())
    pictures = data.pixels(range(150))
    assert all(
        (pictures[row] == Tetrominoes(TetrominoesConfig()).pixels([row])[0]).all() for row in (0, 63, 64, 149)
    )


def test_grey_rounds_the_usual_weights():
    colours = np.random.default_rng(0).integers(0, 256, (500, 3)).astype(np.uint8)
    assert (
        grey(colours)[:, 0] == np.floor((colours * np.array([0.299, 0.587, 0.114])).sum(1) + 0.5 + 1e-9)
    ).all()


def test_positions_between_the_outer_pixels():
    assert normalised(np.array([[0.0, 31.5], [31.0, 63.0]]), (32, 64)).tolist() == [[-1, 0], [1, 1]]


def test_boxes_and_visible_parts_follow_from_masks():
    whole = np.zeros((1, 3, 6, 7), bool)
    whole[0, 0, 1:4, 2:6] = True
    whole[0, 1, 3:5, 0:3] = True
    visible = seen_of(whole)
    assert visible[0, 0].sum() == 11 and visible[0, 1].sum() == 6 and not visible[0, 2].any()
    assert boxes_of(visible)[0].tolist() == [[1, 2, 3, 5], [3, 0, 4, 2], [0, 0, 0, 0]]


def test_textures_differ_and_fill_the_picture():
    pictures = random_textures(Dice.of_rows(0, "train", range(40)), (48, 32)).astype(float)
    assert pictures.shape == (40, 48, 32, 3)
    rough = np.abs(np.diff(pictures, axis=1)).mean((1, 2, 3))
    assert rough.max() > 8 * rough.min() > 0, "smooth ones and rough ones"
    assert torch.pdist(torch.from_numpy(pictures.mean((1, 2)))).min() > 1, "each of its own colours"
    assert np.median(pictures.std((1, 2)).max(1)) > 15
