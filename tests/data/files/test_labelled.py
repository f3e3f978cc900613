"""Masks and landmarks beside pictures: found by their names, brought to the picture's size, never learnt from as pictures."""

from typing import Any

import numpy as np
import pytest
from PIL import Image

from motes.data.files.folder import Folder, FolderConfig
from motes.data.files.labelled import Labelled, LabelledConfig, read_numbers
from motes.data.files.landmark_tables import find_table, read_table
from motes.data.files.mask_pairs import pair
from motes.data.recognise import find_source
from motes.errors import UserError

SIZE = (16, 24)  # rows, columns


def cell(number):
    """A picture and its numbers: two things, one of a large number; where they are depends on the number."""
    numbers = np.zeros(SIZE, np.uint16)
    numbers[2:6, 3 + number % 8 : 9 + number % 8] = 300
    numbers[9:13, 10:14] = 7
    return Image.fromarray((numbers > 0).astype(np.uint8) * 200), numbers


def write_cells(root, count=12, picture="images/{}.tif", mask="masks/{}.png", kind=Image.fromarray):
    for number in range(count):
        image, numbers = cell(number)
        for name, what in ((picture, image), (mask, kind(numbers))):
            path = root / name.format(number)
            path.parent.mkdir(parents=True, exist_ok=True)
            what.save(path)


def opened(root, split: Any = "train", **options) -> Any:
    return Labelled(
        LabelledConfig(str(root), image_size=options.pop("image_size", SIZE), channels=1, **options), split
    )


@pytest.mark.parametrize(
    ("picture", "mask"),
    [
        ("images/{}.tif", "masks/{}.png"),
        ("train/Images/{}.png", "train/labels/{}.tif"),
        ("deep/er/{}.png", "deep/er/{}_mask.png"),
        ("{}_img.png", "{}_masks.png"),
        ("{}.tif", "{}_cp_masks.tif"),
        ("JPEGImages/480p/cow/{}.png", "Annotations/480p/cow/{}.png"),
    ],
)
def test_masks_are_found_and_lie_on_their_pictures(tmp_path, picture, mask):
    write_cells(tmp_path, 12, picture, mask)
    assert find_source(str(tmp_path)) == ("labelled", {"path": str(tmp_path)})
    sets = [opened(tmp_path, split) for split in ("train", "validation", "test")]
    assert sorted(map(len, sets)) == [1, 1, 10]  # pictures alone are counted
    for data in sets:
        rows = range(len(data))
        truth = data.truth(rows)
        assert truth.masks.shape[1] == 2 and truth.present.all()
        assert (truth.masks.any(1).numpy() == (data.pixels(rows)[:, 0] == 200)).all()
        assert (
            truth.boxes[:, 0] == truth.boxes.new_tensor([9, 10, 12, 13])
        ).all()  # the smaller number comes first


def palette(numbers):
    made = Image.fromarray((numbers % 251).astype(np.uint8))
    made.putpalette([1, 2, 3] * 256)  # what it looks like does not matter
    return made


def coloured(numbers):
    return Image.fromarray(np.stack([numbers % 256, numbers // 256, 0 * numbers], -1).astype(np.uint8))


@pytest.mark.parametrize(
    "kind", [Image.fromarray, palette, coloured, lambda numbers: coloured(numbers).convert("RGBA")]
)
def test_numbers_of_every_kind_of_mask(tmp_path, kind):
    _, numbers = cell(0)
    kind(numbers).save(tmp_path / "mask.png")
    found = read_numbers(tmp_path / "mask.png", SIZE)
    assert ((found > 0) == (numbers > 0)).all() and len(np.unique(found)) == 3
    with pytest.raises(UserError, match="16 x 24 pixels, its picture 9 x 9"):
        read_numbers(tmp_path / "mask.png", (9, 9))


def test_masks_in_two_values_are_one_thing_and_that_is_said(tmp_path):
    write_cells(
        tmp_path,
        mask="masks/{}.jpg",
        kind=lambda numbers: Image.fromarray((numbers > 0).astype(np.uint8) * 255).resize(SIZE[::-1]),
    )
    with pytest.warns(UserWarning, match="taken for one thing"):
        data = opened(tmp_path)
    wrong = data.truth(range(10)).masks[:, 0].numpy() != (data.pixels(range(10))[:, 0] == 200)
    assert len(data) == 10 and wrong.mean() < 0.02


def test_a_mask_for_each_thing(tmp_path):
    for number in range(4):
        image, numbers = cell(number)
        for sub in ("images", "masks"):
            (tmp_path / str(number) / sub).mkdir(parents=True)
        image.save(tmp_path / str(number) / "images" / "it.png")
        for name, value in (("b", 7), ("a", 300)):
            Image.fromarray((numbers == value).astype(np.uint8) * 255).save(
                tmp_path / str(number) / "masks" / f"{name}.png"
            )
    truth = opened(tmp_path).truth([0, 1])
    assert truth.masks.flatten(2).sum(2).tolist() == [[24, 16], [24, 16]]


def test_the_largest_things_stay(tmp_path):
    write_cells(tmp_path)
    assert opened(tmp_path, things=1).truth([0]).masks.sum() == 24


def test_pictures_without_a_mask_are_named(tmp_path):
    write_cells(tmp_path)
    data = opened(tmp_path)
    gone = sorted(data._pictures.files)[3]
    (tmp_path / "masks" / f"{gone.stem}.png").unlink()
    with pytest.raises(UserError, match=f"1 of 12 pictures .* have no mask, the first {gone}"):
        opened(tmp_path)


def test_pictures_named_like_masks_without_partners_are_pictures(tmp_path):
    names = ["mask/1.png", "no_mask/1.png", "labels/2.png", "my_mask.png"]
    assert pair([tmp_path / name for name in names], tmp_path) == {}


def test_pictures_named_like_masks_are_refused(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), dtype=np.uint8)
    write_cells(tmp_path, 3, "{}.png", "{}_gt.png", lambda numbers: Image.fromarray(noise))
    with pytest.raises(UserError, match="looks like a picture"):
        opened(tmp_path)


def test_splits_with_folders_of_their_own(tmp_path):
    write_cells(tmp_path, 10, "train/images/{}.png", "train/masks/{}.png")
    write_cells(tmp_path, 3, "test/images/{}.png", "test/masks/{}.png")
    assert [len(opened(tmp_path, split)) for split in ("train", "validation", "test")] == [9, 1, 3]


TABLES = {
    "plain.csv": "picture,eye_x,eye_y,nose_x,nose_y,age\n{0}.png,3,4,10,5,30\n{1}.png,6,7,,,31\n",
    "tabs.tsv": "name\teyeX\teyeY\tnoseX\tnoseY\n{0}.png\t3\t4\t10\t5\n{1}.png\t6\t7\tnan\tnan\n",
    "tool.csv": "scorer,,,me,me,me,me\nbodyparts,,,a,a,b,b\ncoords,,,x,y,x,y\nlabeled-data,clip,{0}.png,3,4,10,5\nlabeled-data,clip,{1}.png,6,7,,\n",
    "list.txt": "2\neye_x eye_y nose_x nose_y\n{0}.png 3 4 10 5\n{1}.png 6 7 nan nan\n",
}


@pytest.mark.parametrize("name", TABLES)
def test_tables_of_landmarks(tmp_path, name):
    for number in (0, 1):
        cell(number)[0].save(tmp_path / f"{number}.png")
    (tmp_path / name).write_text(TABLES[name].format(0, 1))
    assert find_source(str(tmp_path)) == ("labelled", {"path": str(tmp_path)})
    points = opened(tmp_path).truth([0, 1]).points
    rows, columns = SIZE
    expected = np.array([[[4, 3], [5, 10]], [[7, 6], [np.nan, np.nan]]]) / (rows - 1, columns - 1) * 2 - 1
    assert np.allclose(points.numpy(), expected, atol=1e-6, equal_nan=True)


def test_all_tables_of_a_deeplabcut_project(tmp_path):
    """Two animals in two videos, whose frames have the same names; drawings and new frames are left out."""
    header = (
        "scorer,,,me,me,me,me\nindividuals,,,m1,m1,m2,m2\nbodyparts,,,nose,nose,nose,nose\ncoords,,,x,y,x,y\n"
    )
    for video, shift in (("morning", 0), ("evening", 1)):
        folder = tmp_path / "labeled-data" / video
        folder.mkdir(parents=True)
        for number in range(3):
            cell(number)[0].save(folder / f"img{number}.png")
        drawn = tmp_path / "labeled-data" / f"{video}_labeled"
        drawn.mkdir()
        cell(7)[0].save(drawn / "img0.png")
        lines = [f"labeled-data,{video},img{n}.png,{n + shift},2,,\n" for n in (0, 1)]
        (folder / "CollectedData_me.csv").write_text(header + "".join(lines))
        (folder / "CollectedData_me.h5").write_bytes(b"the same")
    assert find_source(str(tmp_path)) == ("labelled", {"path": str(tmp_path)})
    sets = [opened(tmp_path, split, held_out=0.25) for split in ("train", "validation", "test")]
    columns = []
    for data in sets:
        points = data.truth(range(len(data))).points
        assert points.shape[1] == 2 and points[:, 1].isnan().all()
        columns += ((points[:, 0, 1] + 1) / 2 * (SIZE[1] - 1)).round().int().tolist()
    assert sorted(columns) == [0, 1, 1, 2]


def test_deeplabcut_tables_of_pandas(tmp_path):
    pandas = pytest.importorskip("pandas", reason="pandas is not installed: pip install 'motes[pose]'")
    pytest.importorskip("tables", reason="tables is not installed: pip install 'motes[pose]'")
    names = [("me", "nose", part) for part in ("x", "y", "likelihood")]
    columns = pandas.MultiIndex.from_tuples(names, names=["scorer", "bodyparts", "coords"])
    index = pandas.MultiIndex.from_tuples([("labeled-data", "clip", f"{n}.png") for n in (0, 1)])
    table = tmp_path / "points.h5"
    pandas.DataFrame([[3.0, 4.0, 0.9], [6.0, np.nan, 0.1]], index, columns).to_hdf(
        table, key="df_with_missing"
    )
    points = read_table(table)
    assert list(points) == ["labeled-data/clip/0.png", "labeled-data/clip/1.png"]
    assert points["labeled-data/clip/0.png"].tolist() == [[4, 3]]
    table.write_bytes(b"nothing")
    with pytest.raises(UserError, match="no table of DeepLabCut"):
        read_table(table)


def test_points_of_each_picture_count_from_one_and_go_with_it(tmp_path):
    image = np.zeros((20, 40), np.uint8)
    image[6, 18] = 255
    for number in range(3):
        Image.fromarray(image).save(tmp_path / f"{number}.png")
        (tmp_path / f"{number}.pts").write_text("version: 1\nn_points: 2\n{\n19.0 7.0\n1 1\n}\n")
    data = opened(tmp_path, image_size=(20, 20))
    points, picture = data.truth([0]).points[0], data.pixels([0])[0, 0]
    at = ((points[0] + 1) / 2 * 19).round().int().tolist()
    assert picture[at[0], at[1]] == 255 and points[1].isnan().all()  # the second is cut away


def test_the_pictures_and_their_splits_are_those_of_the_folder(tmp_path):
    for number in range(20):
        cell(number)[0].save(tmp_path / f"{number}.png")
    (tmp_path / "marks.csv").write_text(
        "name,a_x,a_y\n" + "".join(f"{number}.png,{number},1\n" for number in range(20))
    )
    for split in ("train", "validation", "test"):
        data, plain = opened(tmp_path, split), Folder(FolderConfig(str(tmp_path), SIZE, 1), split)
        rows = range(len(plain))
        assert (data.pixels(rows) == plain.pixels(rows)).all()


def test_boxes_and_counts_are_no_landmarks(tmp_path):
    for name, header in (
        ("a", "name,x_1,y_1,width,height"),
        ("b", "name,x1,y1,x2,y2"),
        ("c", "name,age,index,sex,max"),
        ("d", "name,bbox_x,bbox_y"),
    ):
        (tmp_path / f"{name}.csv").write_text(header + "\n0.png,1,2,3,4\n")
    assert find_table(tmp_path) is None


def test_wrong_tables_are_refused(tmp_path):
    for sub in ("a", "b"):
        (tmp_path / sub).mkdir()
        cell(0)[0].save(tmp_path / sub / "0.png")
    table = tmp_path / "marks.csv"
    table.write_text("name,a_x,a_y\n0.png,1,two\n")
    with pytest.raises(UserError, match="line 2 of"):
        read_table(table)
    table.write_text("name,a_x,a_y\n0.png,1,2\n")
    with pytest.raises(UserError, match="2 pictures of that name"):
        opened(tmp_path)
    table.write_text("name,a_x,a_y\na/0.png,1,2\nb/0.png,3,4\n")
    assert opened(tmp_path).truth([0, 1]).points.isfinite().all()
