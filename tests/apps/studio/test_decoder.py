"""The studio's decoder: a hostile picture is refused in a sentence, and takes no more than its limits."""

import io
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

sys.path.insert(0, str(Path(__file__).parents[3]))

from benchmarks.hostile.files import png_of_many_texts, png_of_sixteen_bits, tiff_of_many_pages
from motes.apps.studio.decoder import Decoder
from motes.data.files.picture_files import load_picture, read_bytes
from motes.errors import UserError

pytest.importorskip("resource", reason="limits of processes are POSIX's")


@pytest.fixture
def decoder():
    decoder = Decoder()
    yield decoder
    decoder.close()


def png(colour="teal", size=(60, 50)):
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "PNG")
    return file.getvalue()


def test_pictures_are_decoded_as_they_are_here(decoder, tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (70, 90, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    raw = (tmp_path / "noise.png").read_bytes()
    assert np.array_equal(np.asarray(decoder.shrunk(raw)), noise)
    fitted = decoder.fitted(tmp_path / "noise.png", (32, 32), 3)
    assert np.array_equal(fitted, load_picture(tmp_path / "noise.png", (32, 32)))
    assert decoder.small(tmp_path / "noise.png", 30).size == (30, 23)
    with pytest.raises(UserError, match="does not exist"):
        decoder.small(tmp_path / "nowhere.png", 30)


def test_of_many_pages_the_first_is_read_and_none_is_counted(monkeypatch):
    monkeypatch.setattr(TiffImagePlugin.TiffImageFile, "n_frames", property(lambda _: pytest.fail("counted")))
    with pytest.warns(UserWarning, match="several pages, of which the first"):
        assert read_bytes(io.BytesIO(tiff_of_many_pages(2000)), "this picture").size == (8, 8)


def test_what_takes_too_long_is_refused_and_the_next_picture_is_decoded():
    decoder = Decoder(seconds=0)
    with pytest.raises(UserError, match="more time or memory to decode than a picture may"):
        decoder.shrunk(png_of_many_texts(1_500_000))
    assert decoder.shrunk(png()).size == (60, 50)
    decoder.close()


def test_what_takes_too_much_memory_is_refused_and_the_next_picture_is_decoded():
    decoder = Decoder(memory=200_000_000)
    with pytest.raises(UserError, match="memory"):
        decoder.shrunk(png_of_sixteen_bits(4000, 4000))
    assert decoder.shrunk(png()).size == (60, 50)
    decoder.close()


@pytest.mark.slow
def test_forty_million_pixels_of_sixteen_bits_take_half_a_gigabyte_at_most():
    decoder = Decoder(memory=550_000_000)
    assert decoder.shrunk(png_of_sixteen_bits(8000, 5000)).size == (512, 320)
    decoder.close()


def test_a_process_that_was_ended_from_outside_is_replaced(decoder):
    assert decoder.shrunk(png()).size == (60, 50)
    decoder._process.kill()
    decoder._process.wait()
    assert decoder.shrunk(png()).size == (60, 50)
