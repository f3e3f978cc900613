"""The small `motes encode` writes as it goes: what comes out is the same however the pictures are batched."""

import csv
import tracemalloc

import numpy as np
import pytest

from motes.apps.bulk.counting import counting
from motes.apps.bulk.tables import Arrays, Table
from motes.apps.cli.main import main


def encode(bulk, out, *more):
    words = ["encode", bulk.model, bulk.pictures, "--out", bulk.out.with_name(out), *more]
    with pytest.raises(SystemExit) as end:
        main([str(word) for word in words])
    return end.value.code


def test_arrays_that_grow_are_those_that_numpy_would_write(tmp_path):
    random = np.random.default_rng(0)
    whole = {"a.b": random.normal(size=(7, 2, 3)).astype(np.float32), "there": random.random((7, 2)) > 0.5}
    with Arrays(tmp_path / "x.npz") as arrays:
        for rows in (slice(0, 3), slice(3, 3), slice(3, 7)):
            for name, array in whole.items():
                arrays.add(name, array[rows])
        arrays.finish({"pictures": np.array(["one", "three"])})
    read = np.load(tmp_path / "x.npz")
    assert sorted(read) == ["a.b", "pictures", "there"] and read["pictures"].tolist() == ["one", "three"]
    for name, array in whole.items():
        np.testing.assert_array_equal(read[name], array)
        assert read[name].dtype == array.dtype
    assert [path.name for path in tmp_path.iterdir()] == ["x.npz"]


def test_arrays_that_grow_need_no_more_memory(tmp_path):
    rows = np.zeros((100, 1000), np.float32)
    tracemalloc.start()
    with Arrays(tmp_path / "x.npz") as arrays:
        for _ in range(50):
            arrays.add("a", rows)
        arrays.finish({})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10 * rows.nbytes and np.load(tmp_path / "x.npz")["a"].shape == (5000, 1000)


def test_a_table_of_nothing_is_no_file(tmp_path):
    with Table(tmp_path / "x") as table:
        table.add([])
    assert not list(tmp_path.iterdir())


def test_a_column_may_begin_with_empty_cells(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    with Table(tmp_path / "x", {"track": int}) as table:
        table.add([{"picture": "a", "size": None, "track": None}])
        table.add([{"picture": "b", "size": 1.5, "track": 2}])
    assert (tmp_path / "x.csv").read_text().splitlines() == ["picture,size,track", "a,,", "b,1.5,2"]
    assert parquet.read_table(tmp_path / "x.parquet").to_pylist()[1] == {
        "picture": "b",
        "size": 1.5,
        "track": 2,
    }


def test_the_batch_changes_nothing_and_only_some_pictures_are_drawn(bulk, capsys):
    assert encode(bulk, "one", "--batch", 3, "--overlays", 2) == 0
    assert encode(bulk, "two", "--device", "cpu") == 0
    one, two = bulk.out.with_name("one"), bulk.out.with_name("two")
    drawn = [path.name for path in sorted(one.glob("*.png"))]
    assert drawn == ["00000-00-particles.png", "00001-01-particles.png"]
    assert len(list(two.glob("*.png"))) == 10, "32 at most"
    arrays = np.load(one / "particles.npz")
    for name, array in np.load(two / "particles.npz").items():
        if array.dtype == np.float32:
            np.testing.assert_allclose(arrays[name], array, atol=1e-5)
    assert arrays["pictures"].tolist() == [str(bulk.pictures / f"{n:02d}.png") for n in range(10)]
    with (one / "particles.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 30
    assert encode(bulk, "none", "--overlays", 0) == 0
    assert {path.suffix for path in bulk.out.with_name("none").iterdir()} == {".csv", ".npz", ".parquet"}
    assert "10 pictures" in capsys.readouterr().out


def test_strict_says_by_the_exit_code_that_something_was_left_out(bulk, capsys):
    (bulk.pictures / "bad.png").touch()
    assert encode(bulk, "one") == 0 and encode(bulk, "two", "--strict") == 1
    assert capsys.readouterr().err.count("bad.png is empty") == 2
    assert bulk.out.with_name("two").exists()


@pytest.mark.parametrize("more", [["--part-size", 4], ["--boxes"], ["--parts", "--overlays", 3]])
def test_options_that_do_not_go_together_are_refused(bulk, more, capsys):
    assert encode(bulk, "one", *more) == 2 and "--parts" in capsys.readouterr().err
    assert not bulk.out.with_name("one").exists()


def test_where_no_terminal_watches_a_line_now_and_then_says_how_long_it_will_take(monkeypatch, capsys):
    now = iter([100.0, 105.0, 120.0, 120.0])
    monkeypatch.setattr("motes.apps.bulk.counting.time.monotonic", lambda: next(now))
    with counting("encode", 1000, 400) as advance:
        advance(50)
        advance(50)
    assert capsys.readouterr().err == "encode: 500 of 1,000 pictures, 0:01:40 left\n"
