"""COCO's format: boxes, masks of all kinds and key points lie on the pixels, scaled and cut; splits and what is missing."""

import json

import numpy as np
import pytest
from PIL import Image

from motes.data.files.coco import Coco, CocoConfig
from motes.data.mask_encodings import unpacked
from motes.data.recognise import find_source
from motes.errors import UserError

HEIGHT, WIDTH = 60, 80


def packed(counts):
    """Run lengths as COCO packs them."""
    text = ""
    for place, count in enumerate(counts):
        value = count - counts[place - 2] if place > 2 else count
        while True:
            bits, value = value & 31, value >> 5
            more = not ((value == 0 and not bits & 16) or (value == -1 and bits & 16))
            text += chr(48 + (bits | 32 if more else bits))
            if not more:
                break
    return text


def runs(mask):
    flat = np.concatenate([[0], mask.T.reshape(-1), [0]])
    edges = np.flatnonzero(np.diff(flat))
    return np.diff([0, *edges, mask.size]).tolist()


def write(root, count=20, kind="polygon", name="annotations/instances_all.json", first=0, folder="images"):
    """A red box, and in picture 1 and so on a smaller green one on top of it; key points are the corners of the red one."""
    (root / folder).mkdir(parents=True, exist_ok=True)
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    images, things = [], []
    for n in range(first, first + count):
        pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        left, top = 12 + n % 7, 8 + n % 5
        for red, (x, y, w, h) in ((True, (left, top, 40, 30)), (False, (left + 10, top + 10, 8, 12))):
            if not red and n == first:
                continue
            pixels[y : y + h, x : x + w] = (250, 0, 0) if red else (0, 250, 0)
            mask = np.zeros((HEIGHT, WIDTH), np.uint8)
            mask[y : y + h, x : x + w] = 1
            shape = {
                "polygon": [[x, y, x + w, y, x + w, y + h, x, y + h]],
                "runs": {"size": [HEIGHT, WIDTH], "counts": runs(mask)},
                "packed": {"size": [HEIGHT, WIDTH], "counts": packed(runs(mask))},
            }[kind]
            thing = {
                "image_id": n,
                "bbox": [x, y, w, h],
                "segmentation": shape,
                "category_id": 3 if red else 7,
                "area": w * h,
            }
            if red:
                thing["keypoints"] = [x, y, 2, x + w - 1, y + h - 1, 1, 0, 0, 0]
            things.insert(0, thing)
        Image.fromarray(pixels).save(root / folder / f"{n:03d}.png")
        images.append({"id": n, "file_name": f"{n:03d}.png", "width": WIDTH, "height": HEIGHT})
    told = {
        "images": images,
        "annotations": things,
        "categories": [{"id": 3, "name": "red"}, {"id": 7, "name": "green"}],
    }
    (root / name).write_text(json.dumps(told))
    return str(root)


@pytest.mark.parametrize("kind", ["polygon", "runs", "packed"])
@pytest.mark.parametrize(
    ("size", "fit"),
    [((60, 80), "fit"), ((120, 160), "fit"), ((120, 120), "fit"), ((30, 80), "stretch"), ((50, 60), "crop")],
)
def test_truth_lies_on_the_pixels(tmp_path, kind, size, fit):
    data = Coco(CocoConfig(write(tmp_path, kind=kind), image_size=size, fit=fit))
    rows = list(range(3, 9))
    pixels, truth = data.pixels(rows), data.truth(rows)
    assert truth.present.all() and truth.factors["category"].tolist() == [[0, 1]] * 6
    scale = max(size[0] / HEIGHT, size[1] / WIDTH)
    for n in range(6):
        for k, channel in enumerate((0, 1)):
            seen = pixels[n, channel] > 125
            mask = truth.masks[n, k].numpy()
            assert (seen ^ mask).sum() <= 2 * (seen.any(0).sum() + seen.any(1).sum()) * 0.8, (
                "but for what lies on its edge"
            )
            where = np.argwhere(seen if k else pixels[n].max(0) > 125)
            extent = np.concatenate([where.min(0), where.max(0)])
            assert np.abs(truth.boxes[n, k].numpy() - extent).max() <= 1 + (fit != "crop") * scale / 2
            middle = (truth.centres[n, k].numpy() + 1) / 2 * (np.array(size) - 1)
            assert np.abs(middle - (extent[:2] + extent[2:]) / 2).max() <= 1
        corner = (truth.points[n, 0].numpy() + 1) / 2 * (np.array(size) - 1)
        where = np.argwhere(pixels[n].max(0) > 125)
        assert np.abs(corner - where.min(0)).max() <= 1 + scale / 2
        assert truth.points[n, 2].isnan().all(), "not annotated"


def test_run_lengths_are_unpacked():
    counts = np.random.default_rng(0).integers(0, 5000, 101).tolist()
    assert unpacked(packed(counts)) == counts
    assert unpacked("06b0") == [0, 6, 18]


def test_splits_of_one_file_share_none_and_files_of_their_own_are_kept(tmp_path):
    one = write(tmp_path / "one")
    parts = [
        set(Coco(CocoConfig(one), split).truth(range(2)).scene["picture"].tolist())
        for split in ("validation", "test")
    ]
    assert not parts[0] & parts[1] and [
        len(Coco(CocoConfig(one), split)) for split in ("train", "validation", "test")
    ] == [16, 2, 2]
    both = tmp_path / "both"
    write(both, 10, name="annotations/instances_train2017.json", folder="train2017")
    write(both, 4, name="annotations/instances_val2017.json", folder="val2017", first=50)
    assert [len(Coco(CocoConfig(str(both)), split)) for split in ("train", "validation", "test")] == [9, 4, 1]
    assert set(Coco(CocoConfig(str(both)), "validation").truth(range(4)).scene["picture"].tolist()) == {
        50,
        51,
        52,
        53,
    }
    assert Coco(CocoConfig(str(both))).pixels([0]).shape == (1, 3, 128, 128)


def test_fewer_things_and_pictures_with_less(tmp_path):
    data = Coco(CocoConfig(write(tmp_path), things=1))
    assert data.truth([3]).present.shape == (1, 1) and data.truth([3]).factors["category"].tolist() == [
        [0]
    ], "the largest"
    first = Coco(CocoConfig(str(tmp_path)), "train")
    alone = [row for row in range(len(first)) if first.truth([row]).scene["picture"][0] == 0]
    assert all(first.truth([row]).present.tolist() == [[True, False]] for row in alone)


def test_what_is_missing_or_wrong_is_named(tmp_path):
    config = CocoConfig(write(tmp_path), held_out=0.01)
    numbers = Coco(config).truth(range(18)).scene["picture"].tolist()
    Image.new("RGB", (10, 10)).save(tmp_path / f"images/{numbers[3]:03d}.png")
    with pytest.raises(
        UserError, match=rf"{numbers[3]:03d}\.png is 10 x 10 pixels, its annotations are for 80 x 60"
    ):
        Coco(config).pixels([2, 3])
    (tmp_path / f"images/{numbers[5]:03d}.png").unlink()
    with pytest.raises(
        UserError,
        match=rf"1 of 18 pictures that instances_all\.json lists are missing, the first .*{numbers[5]:03d}\.png",
    ):
        Coco(config)
    path = tmp_path / "annotations/instances_all.json"
    told = json.loads(path.read_text())
    path.write_text(json.dumps({**told, "images": told["images"][:-1]}))
    with pytest.raises(UserError, match="picture of id 19, which is not in its list"):
        Coco(config)
    path.write_text(json.dumps(told)[:500])
    with pytest.raises(UserError, match="cut short, or not in COCO"):
        Coco(config)


def rewritten(root, change, name="annotations/instances_all.json"):
    path = root / name
    told = json.loads(path.read_text())
    change(told)
    path.write_text(json.dumps(told))
    return Coco(CocoConfig(str(root)))


def test_what_tools_write_otherwise(tmp_path):
    whole = Coco(CocoConfig(write(tmp_path)))
    rows = range(len(whole))

    def change(told):
        for image in told["images"]:
            image["id"] = f"picture {image['id']}"
            image["file_name"] = f"images\\{image['file_name']}"
            del image["width"], image["height"]
        for thing in told["annotations"]:
            thing["image_id"] = f"picture {thing['image_id']}"
            if thing["category_id"] == 7:
                thing["keypoints"] = [1, 1, 2] * 5  # a category with more of them

    same = rewritten(tmp_path, change)
    place = {path.name: row for row, path in enumerate(whole._paths)}
    both = [(row, place[path.name]) for row, path in enumerate(same._paths) if path.name in place]
    mine, its = zip(*both, strict=True)
    assert (same.truth(mine).boxes == whole.truth(its).boxes).all()
    points = same.truth(rows).points
    assert (
        points is not None
        and points.shape[1] == 5
        and points[:, 0].isfinite().all()
        and points[:, 3:].isnan().all()
    )


def test_pictures_annotated_before_they_were_turned(tmp_path):
    config = CocoConfig(write(tmp_path), image_size=(HEIGHT, WIDTH))
    plain = Coco(config).pixels([0])
    for path in (tmp_path / "images").iterdir():
        exif = Image.Exif()
        exif[0x0112] = 6
        with Image.open(path) as picture:
            picture.save(path, exif=exif)
    assert (Coco(config).pixels([0]) == plain).all()


def test_splits_are_told_by_words_and_not_by_parts_of_them(tmp_path):
    root = tmp_path / "training_set"
    write(root, 8, name="train.json", folder="train")
    write(root, 4, name="val.json", folder="val", first=20)
    write(root, 3, name="latest_test.json", folder="test", first=40)
    assert [len(Coco(CocoConfig(str(root)), split)) for split in ("train", "validation", "test")] == [8, 4, 3]


def test_a_folder_is_known_by_its_annotations(tmp_path):
    write(tmp_path / "beside", name="labels.json", folder=".")
    write(tmp_path / "parts", 8, name="train/_annotations.coco.json", folder="train")
    write(tmp_path / "parts", 4, name="valid/_annotations.coco.json", folder="valid", first=20)
    for name, counts in (("beside", [16, 2, 2]), ("parts", [7, 4, 1])):
        assert find_source(str(tmp_path / name))[0] == "coco"
        assert [
            len(Coco(CocoConfig(str(tmp_path / name)), split)) for split in ("train", "validation", "test")
        ] == counts
    (tmp_path / "beside" / "labels.json").write_text('{"images": []}')
    assert find_source(str(tmp_path / "beside"))[0] == "folder"
