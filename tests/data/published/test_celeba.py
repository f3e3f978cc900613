"""CelebA: a tree laid out like the real one; splits, crop and landmarks as published; what is missing or wrong is named."""

import numpy as np
import pytest
import torch
from PIL import Image

from motes.data.prepared.prepare import prepare
from motes.data.prepared.prepared import Prepared, PreparedConfig
from motes.data.published.celeba import CelebA, CelebAConfig
from motes.data.source import Source
from motes.errors import UserError
from tests.celeba_replica import lay_out, name

COUNT = 30
POINTS = np.random.default_rng(0).integers(60, 120, (COUNT, 5, 2))  # column, row


@pytest.fixture
def root(tmp_path):
    """Partition: 20 train, 4 validation, 6 test; MAFL train: 15 to 19 of train; MAFL test: the last two of test. Each eye is a white dot."""
    faces = []
    for number in range(COUNT):
        face = np.full((218, 178, 3), 5 * number, np.uint8)
        column, row = POINTS[number, 0]
        face[row - 1 : row + 2, column - 1 : column + 2] = 255
        faces.append(face)
    return lay_out(tmp_path, faces, POINTS, [0] * 20 + [1] * 4 + [2] * 6, (range(15, 20), (28, 29)))


def numbers(data):
    """Which face each row is: its grey in a corner."""
    return np.round(data.pixels(range(len(data)))[:, :, -4:, :4].mean((1, 2, 3)) / 5).astype(int).tolist()


def test_splits_are_the_published_ones(root):
    assert numbers(CelebA(CelebAConfig(str(root)))) == list(range(15))
    assert numbers(CelebA(CelebAConfig(str(root), part="mafl"))) == [15, 16, 17, 18, 19]
    for part in ("celeba", "mafl"):
        assert numbers(CelebA(CelebAConfig(str(root), part=part), "validation")) == [20, 21, 22, 23]
        assert numbers(CelebA(CelebAConfig(str(root), part=part), "test")) == [28, 29]
    assert numbers(CelebA(CelebAConfig(str(root), published_validation=True), "validation")) == [
        24,
        25,
        26,
        27,
    ]


def test_lists_as_tables_and_without_mafl(root):
    whole = {
        split: CelebA(CelebAConfig(str(root), part="partition"), split)
        for split in ("train", "validation", "test")
    }
    assert [numbers(data) for data in whole.values()] == [
        list(range(20)),
        list(range(20, 24)),
        list(range(24, 30)),
    ]
    for place in ("Anno/list_landmarks_align_celeba", "Eval/list_eval_partition"):
        lines = (root / f"{place}.txt").read_text().splitlines()
        header = (
            ["image_id,partition"] if "partition" in place else ["image_id," + ",".join(lines[1].split())]
        )
        (root / f"{place}.txt").unlink()
        body = lines[2:] if "landmarks" in place else lines
        (root / f"{place}.csv").write_text("\n".join(header + [",".join(line.split()) for line in body]))
    (root / "MAFL/testing.txt").unlink()
    inside = root / "Img/img_align_celeba_hq"
    inside.rename(root / "moved")
    inside.mkdir()
    (root / "moved").rename(inside / inside.name)
    again = CelebA(CelebAConfig(str(root), part="partition"), "test")
    assert torch.equal(again.truth([0, 3]).points, whole["test"].truth([0, 3]).points) and numbers(
        again
    ) == list(range(24, 30))
    with pytest.raises(UserError, match=r"lacks MAFL/testing\.txt"):
        CelebA(CelebAConfig(str(root)))


def test_pictures_are_cut_and_scaled_as_published(root):
    face = Image.open(root / "Img/img_align_celeba_hq" / name(3))
    expected = np.asarray(face.crop((0, 30, 178, 208)).resize((160, 160), Image.Resampling.BILINEAR))[
        16:144, 16:144
    ]
    assert (CelebA(CelebAConfig(str(root))).pixels([3])[0] == expected.transpose(2, 0, 1)).all()
    assert CelebA(CelebAConfig(str(root), (64, 64), 1)).pixels([3]).shape == (1, 1, 64, 64)


@pytest.mark.parametrize("size", [64, 128])
def test_landmarks_lie_where_they_are_seen(root, size):
    data = CelebA(CelebAConfig(str(root), (size, size)), "test")
    points = data.truth([0, 1]).points
    assert points.shape == (2, 5, 2) and data.truth([0, 1]).present.shape == (2, 0)
    for n, number in enumerate((28, 29)):
        bright = data.pixels([n])[0, 0].astype(float) - 5 * number
        seen = np.argwhere(bright > 0.5 * bright.max()).mean(0)
        assert np.abs((points[n, 0].numpy() + 1) / 2 * (size - 1) - seen).max() < 1
    published = (POINTS[28, 2] - (0, 30)) * 160 / 178 - 16
    whole = CelebA(CelebAConfig(str(root)), "test").truth([0]).points[0, 2]
    assert torch.allclose(
        (whole + 1) / 2 * 127, torch.tensor(published[::-1].copy(), dtype=torch.float32), atol=1e-4
    )


def test_identities_where_they_are(root):
    assert CelebA(CelebAConfig(str(root))).truth([0]).scene == {}
    (root / "Anno/identity_CelebA.txt").write_text("".join(f"{name(n)} {n // 2}\n" for n in range(COUNT)))
    assert CelebA(CelebAConfig(str(root)), "test").truth([0, 1]).scene["identity"].tolist() == [14, 14]


def test_prepared_faces_keep_their_landmarks(root, tmp_path):
    prepare(Source("celeba", {"root": str(root), "image_size": (32, 32)}), tmp_path / "set")
    made, faces = (
        Prepared(PreparedConfig(str(tmp_path / "set")), "test"),
        CelebA(CelebAConfig(str(root), (32, 32)), "test"),
    )
    assert torch.equal(made.truth([1, 0]).points, faces.truth([1, 0]).points) and made.truth(
        [0]
    ).present.shape == (1, 0)
    assert (made.pixels([1, 0]) == faces.pixels([1, 0])).all()


def test_what_is_missing_is_said_with_where_it_comes_from(root):
    (root / "MAFL/testing.txt").unlink()
    (root / "Eval/list_eval_partition.txt").unlink()
    with pytest.raises(
        UserError,
        match=r"lacks Eval/list_eval_partition\.txt \(from .*CelebA.*MAFL/testing\.txt \(from MAFL\.zip",
    ):
        CelebA(CelebAConfig(str(root)))
    with pytest.raises(UserError, match=r"--data\.root"):
        CelebA(CelebAConfig())


def test_wrong_lists_are_named(root):
    landmarks = root / "Anno/list_landmarks_align_celeba.txt"
    whole = landmarks.read_text()
    landmarks.write_text("\n".join(whole.splitlines()[:-4]))
    with pytest.raises(UserError, match="says 30 pictures and has 26"):
        CelebA(CelebAConfig(str(root)))
    landmarks.write_text(whole.replace(name(4) + "  ", name(4) + "  x "))
    with pytest.raises(UserError, match="line 7 of"):
        CelebA(CelebAConfig(str(root)))
    landmarks.write_text(whole)
    partition = root / "Eval/list_eval_partition.txt"
    partition.write_text("".join(line + "\n" for line in partition.read_text().splitlines()[:-3]))
    with pytest.raises(UserError, match="lacks 3 of the 30"):
        CelebA(CelebAConfig(str(root)))
    (root / "MAFL/training.txt").write_text(name(28) + "\n")
    partition.write_text("".join(f"{name(n)} 0\n" for n in range(COUNT)))
    with pytest.raises(UserError, match="both lists of MAFL"):
        CelebA(CelebAConfig(str(root)))


def test_wrong_pictures_are_named(root):
    folder = root / "Img/img_align_celeba_hq"
    Image.new("RGB", (64, 64)).save(folder / name(2))
    with pytest.raises(UserError, match=r"000003\.jpg is 64 x 64"):
        CelebA(CelebAConfig(str(root))).pixels([2])
    (folder / name(1)).unlink()
    with pytest.raises(UserError, match=r"1 of 15 pictures are missing in .*000002\.jpg"):
        CelebA(CelebAConfig(str(root)))
