"""Files and folders appear whole or not at all, and others may read them where the umask says so."""

import os
import stat

import pytest
import torch

from motes.errors import UserError
from motes.models.codes.vae import VaeConfig, VariationalAutoencoder
from motes.plain.writing import whole_file, whole_folder


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(params=[0o022, 0o002, 0o077])
def umask(request):
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def test_a_saved_model_is_as_readable_as_the_umask_says(umask, tmp_path):
    torch.manual_seed(0)
    VariationalAutoencoder(VaeConfig(image_size=(16, 16), code_dim=2, width=4)).save(tmp_path / "model")
    assert stat.S_IMODE((tmp_path / "model").stat().st_mode) == 0o777 & ~umask
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "model").iterdir()}
    assert modes == {0o666 & ~umask}


def test_a_file_is_as_readable_as_the_umask_says_whoever_wrote_it(umask, tmp_path):
    with whole_file(tmp_path / "new" / "a.txt") as fresh:
        fresh.write_text("a")
        fresh.chmod(0o600)
    assert stat.S_IMODE((tmp_path / "new" / "a.txt").stat().st_mode) == 0o666 & ~umask


def test_a_file_takes_its_place_when_it_is_written(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with whole_file(path) as fresh:
        fresh.write_text("new")
        assert path.read_text() == "old" and fresh.parent == tmp_path
    assert path.read_text() == "new" and names(tmp_path) == ["a.txt"]
    with pytest.raises(KeyError), whole_file(path) as fresh:
        fresh.write_text("half")
        raise KeyError
    assert path.read_text() == "new" and names(tmp_path) == ["a.txt"]
    with pytest.raises(UserError, match="cannot be written"), whole_file(path / "below"):
        pass


def test_a_folder_takes_the_place_of_the_older_one(tmp_path):
    for content in ("old", "new"):
        with whole_folder(tmp_path / "out") as fresh:
            (fresh / content).mkdir()
            (fresh / content / "a.txt").write_text(content)
    assert names(tmp_path) == ["out"] and names(tmp_path / "out") == ["new"]
    with pytest.raises(UserError, match="No space"), whole_folder(tmp_path / "out") as fresh:
        (fresh / "half").touch()
        raise OSError(28, "No space left on device")
    assert names(tmp_path) == ["out"] and names(tmp_path / "out") == ["new"]


def test_files_move_into_a_folder_and_the_older_ones_that_are_named_go(tmp_path):
    out = tmp_path / "out"
    (out / "page").mkdir(parents=True)
    for name in ("notes.txt", "1.png", "2.png", "page/old.js"):
        (out / name).write_text("old")
    with whole_folder(out, older=out.glob("*.png")) as fresh:
        (fresh / "page").mkdir()
        (fresh / "page" / "new.js").touch()
        (fresh / "1.png").write_text("new")
    assert names(out) == ["1.png", "notes.txt", "page"] and names(out / "page") == ["new.js"]
    assert (out / "1.png").read_text() == "new"
