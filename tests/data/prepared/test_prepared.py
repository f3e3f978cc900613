"""Prepared sets: the same rows as the source, whole or not there, gone on with after an interruption."""

import dataclasses
import errno
import json

import numpy as np
import pytest
import torch
from PIL import Image

from motes.data.prepared import prepare as preparing
from motes.data.prepared import split_writer
from motes.data.prepared.prepare import prepare, verify
from motes.data.prepared.prepared import Prepared, PreparedConfig
from motes.data.source import Source
from motes.data.worlds.flat import shapes
from motes.errors import UserError


def small(**options):
    return Source("shapes", {"image_size": (16, 16), "count": 40, "held_out": 20, **options})


@pytest.fixture
def in_tens(monkeypatch):
    """Chunks of ten rows."""
    monkeypatch.setattr(split_writer, "CHUNK", 10 * 3 * 16 * 16)


def test_rows_and_truth_are_those_of_the_source(tmp_path, in_tens):
    prepare(small(), tmp_path / "set")
    verify(tmp_path / "set")
    for split, count in (("train", 40), ("validation", 20), ("test", 20)):
        made, source = Prepared(PreparedConfig(str(tmp_path / "set")), split), small().open(split)
        assert len(made) == count and made.image_shape == (3, 16, 16) and made.frames == 1
        rows = [count - 1, 0, 7, 7]
        assert (made.pixels(rows) == source.pixels(rows)).all()
        batch, expected = made.batch(rows), source.batch(rows)
        assert torch.equal(batch.image, expected.image) and torch.equal(batch.index, expected.index)
        truth, known = made.truth(rows), source.truth(rows)
        for name in ("present", "centres", "boxes", "masks"):
            assert torch.equal(getattr(truth, name), getattr(known, name)), name
        assert truth.whole is None and truth.points is None
        assert all(torch.equal(truth.factors[name], known.factors[name]) for name in known.factors)


def test_an_interrupted_call_is_gone_on_with(tmp_path, in_tens, monkeypatch):
    out = tmp_path / "set"
    drawn = []

    class Watched(shapes.Shapes):
        def pixels(self, rows):
            drawn.append((self.split, len(rows)))
            if len(drawn) == stop:
                raise KeyboardInterrupt
            return super().pixels(rows)

    monkeypatch.setattr(shapes, "Shapes", Watched)
    stop = 6  # three rows of the three splits to see how large they are, two chunks, and then
    with pytest.raises(KeyboardInterrupt):
        prepare(small(), out)
    assert not out.exists()
    with pytest.raises(UserError, match="does not exist"):
        Prepared(PreparedConfig(str(out)))
    with (tmp_path / ".set.part" / "train.npy").open("ab") as file:
        file.write(b"half a row")  # as a kill in the middle of a write leaves it
    drawn.clear()
    stop = -1
    prepare(small(), out)
    assert sum(rows for split, rows in drawn if split == "train") == 1 + 1 + 20, (
        "one row to see that the source is the same, one to see how large rows are, then the rest"
    )
    assert not list(tmp_path.glob(".*"))
    monkeypatch.undo()
    prepare(small(), tmp_path / "straight")
    files = sorted(path.name for path in out.iterdir())
    assert files == sorted(path.name for path in (tmp_path / "straight").iterdir())
    for name in files:
        assert (out / name).read_bytes() == (tmp_path / "straight" / name).read_bytes(), name


def test_other_options_or_a_changed_source_start_anew(tmp_path, in_tens, monkeypatch):
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for number in range(30):
        Image.new("RGB", (16, 16), (number, 0, 0)).save(pictures / f"{number:02d}.png")
    source = Source("folder", {"path": str(pictures), "image_size": (16, 16)})
    write = preparing.SplitWriter.write

    def die(self, *rest):
        if self.split == "test":
            raise KeyboardInterrupt
        write(self, *rest)

    monkeypatch.setattr(preparing.SplitWriter, "write", die)
    with pytest.raises(KeyboardInterrupt):
        prepare(source, tmp_path / "set")
    monkeypatch.undo()
    for picture in pictures.iterdir():
        Image.new("RGB", (16, 16), (0, 255, 0)).save(picture)
    prepare(source, tmp_path / "set")
    assert (Prepared(PreparedConfig(str(tmp_path / "set"))).pixels(range(24))[:, 1] == 255).all()


def test_a_full_disk_is_one_sentence_and_nothing_opens(tmp_path, in_tens, monkeypatch):
    class Full(preparing.SplitWriter):
        def _append(self, name, value, start):
            if start == 20:
                raise OSError(errno.ENOSPC, "No space left on device")
            super()._append(name, value, start)

    monkeypatch.setattr(preparing, "SplitWriter", Full)
    with pytest.raises(UserError, match="No space left on device") as told:
        prepare(small(), tmp_path / "set")
    assert "\n" not in str(told.value) and not (tmp_path / "set").exists()
    monkeypatch.undo()
    monkeypatch.setattr(
        preparing.shutil, "disk_usage", lambda path: dataclasses.make_dataclass("Usage", ["free"])(1000)
    )
    with pytest.raises(UserError, match="MB free"):
        prepare(small(), tmp_path / "other")
    assert not (tmp_path / "other").exists() and not (tmp_path / ".other.part").exists()


def test_clips_stay_clips_and_are_never_cut(tmp_path):
    np.save(tmp_path / "a.npy", np.random.default_rng(0).integers(0, 256, (10, 4, 8, 8, 3), dtype=np.uint8))
    source = Source("npy", {"path": str(tmp_path / "a.npy")})
    prepare(source, tmp_path / "set", limit=10)
    made = Prepared(PreparedConfig(str(tmp_path / "set")))
    assert (
        made.frames == 4
        and len(made) == 8
        and (made.pixels(range(8)) == source.open("train").pixels(range(8))).all()
    )
    assert made.truth([0]) is None


def test_what_is_there_is_kept(tmp_path):
    prepare(small(), tmp_path / "set", limit=8)
    before = (tmp_path / "set" / "train.npy").stat().st_mtime_ns
    prepare(small(), tmp_path / "set", limit=8)
    assert (tmp_path / "set" / "train.npy").stat().st_mtime_ns == before
    with pytest.raises(UserError, match="exists"):
        prepare(small(seed=1), tmp_path / "set", limit=8)
    with pytest.raises(UserError, match="exists"):
        prepare(small(), tmp_path)


def test_damage_is_named(tmp_path):
    out = tmp_path / "set"
    prepare(small(), out, ("train", "test"), limit=8)
    with pytest.raises(UserError, match="no validation split"):
        Prepared(PreparedConfig(str(out)), "validation")
    with pytest.raises(UserError, match="16 x 16, not 32 x 32"):
        Prepared(PreparedConfig(str(out), (32, 32)))
    array = out / "train.npy"
    whole = array.read_bytes()
    array.write_bytes(whole[:-1] + b"\x07")
    with pytest.raises(UserError, match=r"train\.npy"):
        verify(out)
    array.write_bytes(whole[:-100])
    with pytest.raises(UserError, match="cut short"):
        Prepared(PreparedConfig(str(out)))
    array.unlink()
    with pytest.raises(UserError, match="missing"):
        Prepared(PreparedConfig(str(out)))
    (out / "manifest.json").write_text(json.dumps({"format": "else"}))
    with pytest.raises(UserError, match="no prepared set"):
        Prepared(PreparedConfig(str(out)))


def test_two_at_once_are_refused(tmp_path):
    fcntl = pytest.importorskip("fcntl", reason="not a Unix")
    (tmp_path / ".set.part").mkdir()
    with (tmp_path / ".set.part" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(UserError, match="another process"):
            prepare(small(), tmp_path / "set")
    prepare(small(), tmp_path / "set")
    assert not (tmp_path / "set" / "lock").exists()
