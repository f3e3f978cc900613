"""Files that were made to hold up or to fill whoever decodes them."""

import io
import random
import struct
import zlib
from collections.abc import Iterator

import numpy as np
from PIL import Image

PNG = b"\x89PNG\r\n\x1a\n"
GREY, COLOURS, COLOURS_AND_ALPHA = 0, 2, 6


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_head(width: int, height: int, bits: int = 8, colours: int = COLOURS) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colours, 0, 0, 0))


def png_of_many_texts(count: int) -> bytes:
    texts = chunk(b"tEXt", b"key\0value") * count
    row = zlib.compress(bytes(9 * 8))
    return PNG + png_head(8, 8, colours=GREY) + texts + chunk(b"IDAT", row) + chunk(b"IEND", b"")


def png_of_sixteen_bits(width: int, height: int) -> bytes:
    """Half transparent; its file is small, for all rows are alike."""
    row = b"\0" + b"\x12\x34\x56\x78\x9a\xbc\x80\x00" * width
    squeeze = zlib.compressobj(1)
    data = squeeze.compress(row * height) + squeeze.flush()
    head = png_head(width, height, 16, COLOURS_AND_ALPHA)
    return PNG + head + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def tiff_of_many_pages(count: int) -> bytes:
    """Pages of 8 x 8 grey pixels."""
    size_of_tags = 2 + 8 * 12 + 4
    file = bytearray(b"II*\0" + struct.pack("<I", 8))
    for page in range(count):
        pixels = len(file) + size_of_tags
        tags = [(256, 8), (257, 8), (258, 8), (259, 1), (262, 1), (273, pixels), (278, 8), (279, 64)]
        file += struct.pack("<H", len(tags))
        for tag, value in tags:
            file += struct.pack("<HHII", tag, 4, 1, value)
        file += struct.pack("<I", pixels + 64 if page < count - 1 else 0) + bytes(64)
    return bytes(file)


def tiff_of_numbers(width: int, height: int) -> bytes:
    file = io.BytesIO()
    zeros = np.zeros((height, width), np.float32)
    Image.fromarray(zeros).save(file, "TIFF", compression="tiff_adobe_deflate")
    return file.getvalue()


def png_of_so_many_pixels(width: int, height: int) -> bytes:
    """Only its head is there."""
    return PNG + png_head(width, height) + chunk(b"IDAT", zlib.compress(bytes(1000)))


def plain_png(seed: int = 0) -> bytes:
    noise = np.random.default_rng(seed).integers(0, 256, (50, 60, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, "PNG")
    return file.getvalue()


def hostile_files(count: int, chance: random.Random, scale: float = 1.0) -> Iterator[bytes]:
    """Files of all kinds, by turns. `scale` makes those that take long smaller."""
    whole = plain_png()
    side = int(8000 * scale**0.5)
    costly = [
        tiff_of_many_pages(int(40_000 * scale)),
        png_of_many_texts(int(900_000 * scale)),
        png_of_sixteen_bits(side, side * 5 // 8),
        tiff_of_numbers(side, side * 5 // 8),
    ]
    for number in range(count):
        if number % 10 < len(costly):
            # another ending, so that it is another file
            yield costly[number % 10] + bytes([number % 256])
        elif number % 10 == 4:
            yield png_of_so_many_pixels(chance.randrange(9_000, 2**31), 9_000)
        elif number % 10 < 7:
            yield whole[: chance.randrange(len(whole))]
        else:
            yield _with_wrong_bytes(whole, chance)


def _with_wrong_bytes(file: bytes, chance: random.Random) -> bytes:
    wrong = bytearray(file)
    for _ in range(20):
        wrong[chance.randrange(len(wrong))] = chance.randrange(256)
    return bytes(wrong)
