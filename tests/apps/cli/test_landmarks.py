"""`motes landmarks`: from annotated pictures to points of others, in pixels of their files."""

import csv
import json

import numpy as np
import pytest
from PIL import Image

from motes.apps.cli.main import run_command
from motes.errors import UserError

COUNT = 24
SIZE = (80, 60)


def place(number):
    """Row and column of the square's middle."""
    return np.array([15.0 + 7 * number % 30, 20.0 + 11 * number % 40])


def draw(path, number):
    row, column = place(number).astype(int)
    picture = Image.new("RGB", SIZE, (0, 255, 255))
    picture.paste((200, 30, 40), (column - 6, row - 6, column + 7, row + 7))
    picture.save(path)


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    folder = tmp_path_factory.mktemp("labelled")
    lines = ["picture,middle_x,middle_y,corner_x,corner_y"]
    for number in range(COUNT):
        draw(folder / f"{number:02d}.png", number)
        row, column = place(number)
        lines.append(f"{number:02d}.png,{column},{row},{column + 6},{row - 6}")
    (folder / "points.csv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture(scope="module")
def reader(labelled, tmp_path_factory):
    out = tmp_path_factory.mktemp("fit") / "reader"
    run_command(["landmarks", "fit", "shapes", str(labelled / "points.csv"), "--out", str(out)])
    return out


def test_fit_says_what_is_read_and_how_well(labelled, tmp_path, capsys):
    run_command(["landmarks", "fit", "shapes", str(labelled), "--out", str(tmp_path / "reader")])
    printed = capsys.readouterr().out
    assert "(chosen)" in printed and "the mean of the annotated pictures" in printed
    assert "24 pictures, 2 points" in printed
    errors = [float(line.split()[0]) for line in printed.splitlines() if " px " in line]
    assert errors[0] < 0.4 * errors[-1]


def test_points_of_other_pictures_are_read_in_their_pixels(reader, tmp_path, capsys):
    pictures = tmp_path / "new"
    pictures.mkdir()
    for number in (30, 31, 32):
        draw(pictures / f"{number}.png", number)
    (pictures / "broken.png").write_bytes(b"no picture")
    run_command(["landmarks", "read", str(reader), str(pictures), "--out", str(tmp_path / "out")])
    assert "left out: " in capsys.readouterr().err, "one that cannot be read is named, the others are read"
    with (tmp_path / "out" / "points.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["point"] for row in rows] == ["middle", "corner"] * 3
    for row, number in zip(rows[::2], (30, 31, 32), strict=True):
        away = np.array([float(row["row"]), float(row["column"])]) - place(number)
        assert np.linalg.norm(away) < 6
        assert 0 < float(row["row_deviation"]) < 15 and 0 < float(row["likelihood"]) <= 1
    coco = json.loads((tmp_path / "out" / "coco.json").read_text())
    assert coco["categories"][0]["keypoints"] == ["middle", "corner"]
    assert [image["height"] for image in coco["images"]] == [60] * 3
    lines = (tmp_path / "out" / "deeplabcut.csv").read_text().splitlines()
    assert lines[1] == "bodyparts,middle,middle,middle,corner,corner,corner" and len(lines) == 6
    assert len(list((tmp_path / "out").glob("*-points.png"))) == 3


def test_what_cannot_be_is_refused_in_a_sentence(reader, labelled, tmp_path):
    with pytest.raises(UserError, match="goes to a new folder"):
        run_command(["landmarks", "fit", "shapes", str(labelled), "--out", str(labelled)])
    with pytest.raises(UserError, match="is no reader"):
        run_command(["landmarks", "read", str(labelled), str(labelled), "--out", str(tmp_path / "out")])
    with pytest.raises(UserError, match="does not exist"):
        run_command(
            ["landmarks", "read", str(reader), str(tmp_path / "none.png"), "--out", str(tmp_path / "out")]
        )
    assert not (tmp_path / "out").exists()
