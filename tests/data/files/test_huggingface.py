"""Parquet as the hub has it: its own splits, what it lacks held out; pictures of any kind by row."""

import io
import json

import numpy as np
import pytest
import torch
from PIL import Image

from motes.data.files.huggingface import HuggingFace, HuggingFaceConfig
from motes.errors import UserError

pyarrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed")


def encoded(number, kind="PNG"):
    file = io.BytesIO()
    Image.new("RGB", (20, 16), (number, 0, 0)).save(file, kind)
    return file.getvalue()


def write(path, numbers, noted=True, **more):
    import pyarrow.parquet

    path.parent.mkdir(parents=True, exist_ok=True)
    columns = {
        "label": [n % 3 for n in numbers],
        "img": [{"bytes": encoded(n), "path": f"{n}.png"} for n in numbers],
        **more,
    }
    table = pyarrow.table(columns)
    if noted:
        told = {
            "info": {"features": {"img": {"_type": "Image"}, "label": {"dtype": "int64", "_type": "Value"}}}
        }
        table = table.replace_schema_metadata({"huggingface": json.dumps(told)})
    pyarrow.parquet.write_table(table, path, row_group_size=4)
    return str(path)


def numbers(path, split, **options):
    data = HuggingFace(HuggingFaceConfig(str(path), (8, 8), **options), split)
    found = data.pixels(range(len(data)))[:, 0, 0, 0].tolist()
    assert data.truth(range(len(data))).scene["label"].tolist() == [n % 3 for n in found]
    return found


def test_one_file_is_split_in_blocks(tmp_path):
    path = write(tmp_path / "set.parquet", range(30))
    assert numbers(path, "train") == list(range(24))
    assert numbers(path, "validation") == [24, 25, 26] and numbers(path, "test") == [27, 28, 29]
    mixed = [numbers(path, split, mixed=True) for split in ("train", "validation", "test")]
    assert sorted(mixed[0] + mixed[1] + mixed[2]) == list(range(30)) and mixed[2] != [27, 28, 29]


def test_a_row_is_the_same_alone_and_in_any_company(tmp_path):
    data = HuggingFace(HuggingFaceConfig(write(tmp_path / "set.parquet", range(30)), (8, 8)))
    rows = [17, 3, 3, 22]
    assert data.pixels(rows)[:, 0, 0, 0].tolist() == rows
    assert torch.equal(data.batch([17]).image[0], data.batch(rows).image[0])


@pytest.mark.parametrize(
    "names",
    [
        ("data/train-00000-of-00002", "data/train-00001-of-00002", "data/test-00000-of-00001"),
        ("train/0000", "train/0001", "test/0000"),
    ],
)
def test_own_splits_are_kept_and_the_missing_one_held_out(tmp_path, names):
    for name, own in zip(names, (range(10), range(10, 20), range(100, 105)), strict=True):
        write(tmp_path / f"{name}.parquet", own)
    assert numbers(tmp_path, "train") == list(range(18))
    assert numbers(tmp_path, "validation") == [18, 19] and numbers(tmp_path, "test") == list(range(100, 105))


def test_pictures_are_found_without_the_library_s_notes(tmp_path):
    path = write(tmp_path / "a.parquet", range(30), noted=False)
    assert numbers(path, "validation") == [24, 25, 26]
    path = write(tmp_path / "b.parquet", range(30), other=[encoded(200, "BMP")] * 30)
    assert (HuggingFace(HuggingFaceConfig(path, (8, 8), column="other")).pixels([0])[0, 0] == 200).all()


def test_what_is_wrong_is_named(tmp_path):
    path = write(tmp_path / "a.parquet", range(30))
    with pytest.raises(UserError, match="no column 'image'; there are label, img"):
        HuggingFace(HuggingFaceConfig(path, column="image"))
    broken = write(
        tmp_path / "broken/b.parquet",
        range(6),
        img=[{"bytes": encoded(n)[: 30 if n == 2 else None], "path": ""} for n in range(6)],
    )
    with pytest.raises(UserError, match=r"row 2 of .*b\.parquet is no picture, or cut short"):
        HuggingFace(HuggingFaceConfig(broken, (8, 8))).pixels([1, 2])
    whole = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "a.parquet").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match=r"a\.parquet is no parquet file, or cut short"):
        HuggingFace(HuggingFaceConfig(path))
    with pytest.raises(UserError, match="hf:owner/name"):
        HuggingFace(HuggingFaceConfig(str(tmp_path / "nothing")))
    write(tmp_path / "none/c.parquet", range(3), img=[1, 2, 3], noted=False)
    with pytest.raises(UserError, match="no column of pictures among label, img"):
        HuggingFace(HuggingFaceConfig(str(tmp_path / "none")))


def test_folders_of_the_library(tmp_path):
    library = pytest.importorskip("datasets", reason="the library datasets is not installed")
    rows = {"image": [Image.new("RGB", (8, 8), (n, 0, 0)) for n in range(20)], "label": list(range(20))}
    stored = library.Dataset.from_dict(
        rows, features=library.Features({"image": library.Image(), "label": library.Value("int64")})
    )
    stored.save_to_disk(str(tmp_path / "set"))
    data = HuggingFace(HuggingFaceConfig(str(tmp_path / "set"), (8, 8)), "test")
    assert data.pixels([0, 1])[:, 0, 0, 0].tolist() == [18, 19] == data.truth([0, 1]).scene["label"].tolist()


def test_grey_and_size(tmp_path):
    data = HuggingFace(HuggingFaceConfig(write(tmp_path / "a.parquet", range(30)), (12, 10), 1))
    assert data.image_shape == (1, 12, 10) and np.unique(data.pixels([20])).tolist() == [6], (
        "the weight of red"
    )
