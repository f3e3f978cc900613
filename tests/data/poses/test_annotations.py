"""Annotated points: from tables, DeepLabCut's projects, .pts files and COCO; what does not fit is said in a sentence."""

import json

import numpy as np
import pytest
from PIL import Image

from motes.data.poses.annotations import read_annotated_points
from motes.errors import UserError

COUNT = 5


def place(number, point):
    """Row and column."""
    return np.array([3.0 + number + 10 * point, 4.0 + 2 * number])


@pytest.fixture
def folder(tmp_path):
    for number in range(COUNT):
        Image.new("RGB", (40, 30)).save(tmp_path / f"{number}.png")
    return tmp_path


def write_table(path, rows, title="picture,nose_x,nose_y,tail_x,tail_y"):
    path.write_text("\n".join([title, *rows]) + "\n")
    return path


def line(number, name=None):
    cells = [f"{value}" for point in range(2) for value in place(number, point)[::-1]]
    return ",".join([name or f"{number}.png", *cells])


def check(annotated, names=("nose", "tail")):
    assert annotated.names == names
    assert [path.name for path in annotated.points] == [f"{number}.png" for number in range(COUNT)]
    for number, points in enumerate(annotated.points.values()):
        np.testing.assert_allclose(points, [place(number, 0), place(number, 1)])


def test_a_table_beside_the_pictures(folder):
    table = write_table(folder / "points.csv", [line(number) for number in range(COUNT)])
    check(read_annotated_points(table))
    check(read_annotated_points(folder))


def test_names_of_a_line_above_the_axes(folder):
    rows = ["bodyparts,nose,nose,tail,tail", "coords,x,y,x,y", *(line(number) for number in range(COUNT))]
    check(read_annotated_points(write_table(folder / "CollectedData_me.csv", rows, "scorer,me,me,me,me")))


def test_point_files(folder):
    for number in range(COUNT):
        pairs = [" ".join(str(value + 1) for value in place(number, point)[::-1]) for point in range(2)]
        (folder / f"{number}.pts").write_text("version: 1\nn_points: 2\n{\n" + "\n".join(pairs) + "\n}\n")
    check(read_annotated_points(folder), ("point1", "point2"))


def coco(folder, **changes):
    images = [{"id": number, "file_name": f"{number}.png"} for number in range(COUNT)]
    annotations = [
        {
            "image_id": number,
            "category_id": 1,
            "keypoints": [value for point in range(2) for value in (*place(number, point)[::-1], 2)],
        }
        for number in range(COUNT)
    ]
    content = {
        "images": images,
        "annotations": annotations,
        "categories": [{"id": 1, "name": "mouse", "keypoints": ["nose", "tail"]}],
    }
    path = folder / "annotations.json"
    path.write_text(json.dumps(content | changes))
    return path, content


def test_key_points_of_coco(folder):
    path, content = coco(folder)
    check(read_annotated_points(path))
    content["annotations"][2]["keypoints"][3:] = [0, 0, 0]
    path, _ = coco(folder, annotations=content["annotations"])
    points = list(read_annotated_points(path).points.values())
    assert np.isnan(points[2][1]).all() and np.isfinite(points[2][0]).all()


def test_pictures_that_are_not_there_are_named(folder):
    rows = [*(line(number) for number in range(COUNT)), line(9)]
    annotated = read_annotated_points(write_table(folder / "points.csv", rows))
    check(annotated)
    assert annotated.missing == ("9.png",)
    with pytest.raises(
        UserError, match=r"names no picture that is there; the first of 1 that are missing is other.png"
    ):
        read_annotated_points(write_table(folder / "points.csv", [line(1, "other.png")]))


@pytest.mark.parametrize(
    ("rows", "title", "words"),
    [
        (["0.png,1,2,3"], "picture,nose_x,nose_y,tail_x,tail_y", "should have 4 numbers"),
        (["0.png,1,2,three,4"], "picture,nose_x,nose_y,tail_x,tail_y", "should have 4 numbers"),
        (["0.png,,,,"], "picture,nose_x,nose_y,tail_x,tail_y", "has no point in any picture"),
        (["0.png,1,2"], "picture,one,two", "does not say which columns are landmarks"),
    ],
)
def test_tables_that_do_not_fit_are_refused(folder, rows, title, words):
    with pytest.raises(UserError, match=words):
        read_annotated_points(write_table(folder / "points.csv", rows, title))


def test_other_files_are_refused(folder):
    with pytest.raises(UserError, match="has no annotated points"):
        read_annotated_points(folder)
    (folder / "bad.json").write_text("{}")
    with pytest.raises(UserError, match="is not in COCO's format"):
        read_annotated_points(folder / "bad.json")
    path, _ = coco(folder, annotations=[])
    with pytest.raises(UserError, match="has no key points"):
        read_annotated_points(path)
    with pytest.raises(UserError, match="does not exist"):
        read_annotated_points(folder / "nowhere.csv")
