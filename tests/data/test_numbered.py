"""Numbered pictures are a film if neighbours are alike; then its end is held out, not frames between others."""

import warnings

import numpy as np
import pytest
from PIL import Image

from motes.data.numbered import is_film, split_name
from motes.data.recognise import find_source
from motes.data.source import Source


def frame(number):
    """A bright square that moves slowly over a background, a few pixels in ten frames."""
    picture = np.full((40, 60, 3), 90, np.uint8)
    column = number * 3 // 5 % 45
    picture[10:22, column : column + 12] = (250, 240, 30)
    picture[24:34, 45 - column : 57 - column] = (10, 10, 120)
    return picture


def write(folder, count, name="frame_{:04d}.png", picture=frame, step=1):
    folder.mkdir(exist_ok=True)
    for number in range(count):
        Image.fromarray(picture(number)).save(folder / name.format(number * step))
    return sorted(folder.iterdir())


def scattered(number):
    return frame(int(np.random.default_rng(number).integers(0, 1000)))


def test_a_name_is_words_a_number_and_words():
    assert split_name("frame_0012") == ("frame_", 12, "")
    assert split_name("7b") == ("", 7, "b") and split_name("take2_003-left") == ("take2_", 3, "-left")
    assert split_name("cover") is None


@pytest.mark.parametrize("step", [1, 3])
def test_frames_that_follow_each_other_are_a_film(tmp_path, step):
    files = write(tmp_path / "film", 60, step=step)
    assert is_film(files) and is_film(files[::-1])


def test_other_numbered_pictures_are_no_film(tmp_path):
    assert not is_film(write(tmp_path / "single", 60, picture=scattered))
    assert not is_film(write(tmp_path / "pairs", 60, picture=lambda number: scattered(number // 2)))
    assert not is_film(write(tmp_path / "few", 8))
    assert not is_film(write(tmp_path / "still", 60, picture=lambda number: frame(0)))
    files = write(tmp_path / "cover", 60)
    Image.fromarray(frame(0)).save(tmp_path / "cover/cover.png")
    assert not is_film([*files, tmp_path / "cover/cover.png"])
    Image.fromarray(frame(0)[:20]).save(files[31])
    assert not is_film(files[20:50]), "not all of one size"


def test_a_broken_frame_makes_no_film(tmp_path):
    files = write(tmp_path / "film", 40)
    files[1].write_text("x")
    assert not is_film(files)


def test_a_folder_with_a_film_is_split_by_time_and_says_so(tmp_path):
    write(tmp_path / "film", 100)
    (tmp_path / "film" / "._frame_0000.png").write_text("hidden")
    with pytest.warns(UserWarning, match="taken for a film of 100 numbered frames.*folder:"):
        name, place = find_source(str(tmp_path / "film"))
    assert name == "sequences"
    opened = [
        Source(name, {**place, "image_size": (16, 16)}).open(split)
        for split in ("train", "validation", "test")
    ]
    files = [[data.place(row).name for row in range(len(data))] for data in opened]
    assert files[0][-1] < files[1][0] and files[1][-1] < files[2][0]
    assert int(files[1][0][6:10]) - int(files[0][-1][6:10]) > 1, "a gap between them"


def test_other_folders_are_as_before_without_a_word(tmp_path):
    write(tmp_path / "single", 60, picture=scattered)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert find_source(str(tmp_path / "single"))[0] == "folder"
        write(tmp_path / "film", 60)
        assert find_source(f"folder:{tmp_path / 'film'}")[0] == "folder"
