"""Any folder of pictures: every kind is read, broken ones are named, splits are stable."""

import numpy as np
import pytest
from PIL import Image

from motes.data.files.folder import Folder, FolderConfig, list_pictures
from motes.data.files.npy import Npy, NpyConfig
from motes.data.files.picture_files import load_picture, read_picture
from motes.data.files.video import list_videos
from motes.errors import UserError


def noise(shape, top=255, kind=np.uint8):
    return (np.random.default_rng(0).random(shape) * top).astype(kind)


def write_all_kinds(folder):
    Image.fromarray(noise((20, 30, 3))).save(folder / "rgb.png")
    Image.fromarray(noise((20, 30))).save(folder / "grey.jpg")
    Image.fromarray(noise((20, 30, 4))).save(folder / "rgba.png")
    Image.fromarray(noise((20, 30, 3))).convert("P").save(folder / "palette.gif")
    Image.fromarray(noise((20, 30, 4))).convert("RGBA").convert("CMYK").save(folder / "cmyk.jpg")
    Image.fromarray(noise((20, 30), 65535, np.uint16)).save(folder / "sixteen.png")
    Image.new("RGB", (1, 1), (255, 0, 0)).save(folder / "one.png")
    Image.fromarray(noise((300, 7, 3))).save(folder / "tall.bmp")


@pytest.mark.parametrize("fit", ["fit", "stretch", "crop"])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_kind_is_read(tmp_path, fit, channels):
    write_all_kinds(tmp_path)
    for path in tmp_path.iterdir():
        assert load_picture(path, (24, 16), channels, fit).shape == (channels, 24, 16), path.name


def test_sixteen_bits_keep_their_range(tmp_path):
    ramp = np.linspace(0, 65535, 256).astype(np.uint16)[None].repeat(8, 0)
    Image.fromarray(ramp).save(tmp_path / "ramp.png")
    values = np.asarray(read_picture(tmp_path / "ramp.png"))
    assert values[0, 0] == 0 and values[0, -1] == 255 and abs(int(values[0, 128]) - 128) <= 1


def test_transparent_is_white_and_the_camera_is_turned(tmp_path):
    Image.new("RGBA", (4, 4), (255, 0, 0, 0)).save(tmp_path / "clear.png")
    assert (load_picture(tmp_path / "clear.png", (4, 4)) == 255).all()
    picture = Image.new("RGB", (8, 4))
    exif = picture.getexif()
    exif[0x0112] = 6
    picture.save(tmp_path / "turned.jpg", exif=exif)
    assert read_picture(tmp_path / "turned.jpg").size == (4, 8)


@pytest.mark.filterwarnings("ignore")
def test_broken_files_are_named_and_left_out(tmp_path):
    (tmp_path / "sub").mkdir()
    for number in range(12):
        Image.fromarray(noise((20, 20, 3))).save(tmp_path / "sub" / f"{number}.png")
    whole = Folder(FolderConfig(str(tmp_path), (16, 16)))
    (tmp_path / "empty.png").touch()
    (tmp_path / "cut.png").write_bytes((tmp_path / "sub" / "0.png").read_bytes()[:60])
    (tmp_path / "text.jpg").write_text("no picture")
    (tmp_path / "notes.txt").write_text("not looked at")
    with pytest.warns(UserWarning) as told:
        parts = [
            Folder(FolderConfig(str(tmp_path), (16, 16), held_out=0.3), split)
            for split in ("train", "validation", "test")
        ]
    assert {
        name for name in ("empty.png", "cut.png", "text.jpg") if any(name in str(one.message) for one in told)
    } == {
        "empty.png",
        "cut.png",
        "text.jpg",
    }
    assert sum(len(part) for part in parts) == 12
    assert whole.batch([0, 1]).image.shape == (2, 3, 16, 16)
    assert np.array_equal(whole.pixels([1])[0], whole.pixels([0, 1])[1])


def test_nothing_readable_is_an_error(tmp_path):
    with pytest.raises(UserError, match="does not exist"):
        Folder(FolderConfig(str(tmp_path / "no")))
    with pytest.raises(UserError, match="no picture"):
        Folder(FolderConfig(str(tmp_path)))
    (tmp_path / "a.png").write_text("x")
    with pytest.warns(UserWarning), pytest.raises(UserError, match="can be read"):
        Folder(FolderConfig(str(tmp_path)))
    with pytest.raises(UserError, match="is a file"):
        Folder(FolderConfig(str(tmp_path / "a.png")))


def test_a_bomb_is_refused_before_it_is_decoded(tmp_path, monkeypatch):
    from motes.data.files import picture_files as pictures

    monkeypatch.setattr(pictures, "LARGEST", 100)
    Image.new("RGB", (20, 20)).save(tmp_path / "big.png")
    with pytest.raises(UserError, match="scale it down"):
        read_picture(tmp_path / "big.png")


KINDS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "TGA", "ICO", "PCX", "JPEG2000")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", KINDS)
def test_any_damage_is_a_sentence_or_a_picture(tmp_path, kind):
    random = np.random.default_rng(0)
    path = tmp_path / f"damaged.{kind.lower()}"
    Image.fromarray(noise((24, 20, 3))).save(path, kind)
    whole = path.read_bytes()
    for cut in range(30):
        damaged = bytearray(whole if cut % 2 else whole[: int(random.integers(len(whole)))])
        for _ in range(min(3, len(damaged))):
            damaged[int(random.integers(len(damaged)))] = int(random.integers(256))
        path.write_bytes(damaged)
        try:
            assert load_picture(path, (8, 8)).shape == (3, 8, 8)
        except UserError as problem:
            assert str(path) in str(problem)


def test_fractions_and_dim_sixteen_bits_keep_their_brightness(tmp_path):
    Image.fromarray(np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8)).save(tmp_path / "fractions.tiff")
    values = np.asarray(read_picture(tmp_path / "fractions.tiff"))
    assert values.min() == 0 and values.max() == 255
    Image.fromarray(np.full((8, 8), 255, np.uint16)).save(
        tmp_path / "dim.png"
    )  # 255 of 65535 is all but black
    assert np.asarray(read_picture(tmp_path / "dim.png")).max() == 1


def test_a_decoder_that_fails_in_its_own_way_is_still_a_broken_file(tmp_path, monkeypatch):
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png")

    def fail(*_):
        raise RuntimeError("of the decoder's own")

    monkeypatch.setattr(Image.Image, "load", fail)
    with pytest.raises(UserError, match="no picture, or cut short"):
        read_picture(tmp_path / "a.png")


def test_hidden_files_and_what_no_decoder_reads_are_not_listed(tmp_path):
    (tmp_path / ".thumbnails").mkdir()
    for place in (".thumbnails/a.png", "._a.png", "a.png"):
        Image.new("RGB", (4, 4)).save(tmp_path / place)
    (tmp_path / "paper.pdf").write_bytes(b"%PDF-1.4")
    assert list_pictures(tmp_path) == [tmp_path / "a.png"]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("broken", [1, 2])
def test_few_pictures_of_which_some_are_broken_serve_every_split(tmp_path, broken):
    for number in range(3):
        Image.fromarray(noise((8, 8, 3))).save(tmp_path / f"{number}.png")
    for first in range(3):
        contents = {n: (tmp_path / f"{(first + n) % 3}.png").read_bytes() for n in range(broken)}
        for n in contents:
            (tmp_path / f"{(first + n) % 3}.png").write_bytes(b"broken")
        for split in ("train", "validation", "test"):
            assert 1 <= len(Folder(FolderConfig(str(tmp_path), (8, 8)), split)) <= 3 - broken
        for n, content in contents.items():
            (tmp_path / f"{(first + n) % 3}.png").write_bytes(content)


def test_options_that_leave_nothing_to_learn_from_are_refused(tmp_path):
    for held_out in (0.0, 0.5, -1.0):
        with pytest.raises(UserError, match="held_out"):
            Folder(FolderConfig(str(tmp_path), held_out=held_out))
    with pytest.raises(UserError, match="path"):
        Folder(FolderConfig())


@pytest.mark.parametrize(("top", "warned"), [(4095, 1), (65535, 0)])
def test_twelve_bits_in_sixteen_are_spoken_of(tmp_path, recwarn, top, warned):
    pictures = np.linspace(0, top, 40 * 64).astype(np.uint16).reshape(40, 8, 8)
    for number in range(4):
        Image.fromarray(pictures[36 + number]).save(tmp_path / f"{number}.png")
    Folder(FolderConfig(str(tmp_path), (8, 8)))
    assert sum("nearly black" in str(one.message) for one in recwarn) == warned
    np.save(tmp_path / "all.npy", pictures)
    Npy(NpyConfig(str(tmp_path / "all.npy")))
    assert sum("nearly black" in str(one.message) for one in recwarn) == 2 * warned


def test_links_to_folders_are_followed_once(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "set").mkdir()
    Image.new("L", (4, 4)).save(tmp_path / "elsewhere" / "a.png")
    (tmp_path / "elsewhere" / "b.mp4").touch()
    (tmp_path / "set" / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "back").symlink_to(tmp_path / "set")  # leads round in a circle
    assert list_pictures(tmp_path / "set") == [tmp_path / "set" / "link" / "a.png"]
    assert list_videos(tmp_path / "set") == [tmp_path / "set" / "link" / "b.mp4"]


def test_what_is_not_read_of_a_tiff_is_said(tmp_path):
    pages = [Image.fromarray(noise((6, 8))), Image.new("L", (8, 6))]
    pages[0].save(tmp_path / "stack.tif", save_all=True, append_images=pages[1:])
    with pytest.warns(UserWarning, match="has several pages, of which the first"):
        assert (np.asarray(read_picture(tmp_path / "stack.tif")) == np.asarray(pages[0])).all()
    Image.fromarray(noise((6, 8, 3))).save(tmp_path / "deep.tif")
    eight, sixteen = b"\x08\0\x08\0\x08\0", b"\x10\0\x10\0\x10\0"
    (tmp_path / "deep.tif").write_bytes((tmp_path / "deep.tif").read_bytes().replace(eight, sixteen))
    with pytest.raises(UserError, match="colours of sixteen bits"):
        read_picture(tmp_path / "deep.tif")


def test_folders_called_train_and_test_are_the_splits(tmp_path):
    for name, count in (("train", 10), ("test", 3)):
        (tmp_path / name).mkdir()
        for number in range(count):
            Image.fromarray(noise((8, 8))).save(tmp_path / name / f"{number}.png")
    parts = {
        split: Folder(FolderConfig(str(tmp_path), (8, 8), 1), split)
        for split in ("train", "validation", "test")
    }
    assert {split: len(one) for split, one in parts.items()} == {"train": 9, "validation": 1, "test": 3}
    assert {path.parent.name for path in parts["test"]._pictures.files} == {"test"}


def test_only_a_test_folder_is_nothing_to_train_on(tmp_path):
    (tmp_path / "test").mkdir()
    Image.fromarray(noise((8, 8))).save(tmp_path / "test" / "a.png")
    assert len(Folder(FolderConfig(str(tmp_path), (8, 8), 1), "test")) == 1
    with pytest.raises(UserError, match="nothing to train on"):
        Folder(FolderConfig(str(tmp_path), (8, 8), 1), "train")
