"""Files that were made to hold up or to fill whoever decodes them."""

import io
import struct
import zlib

import numpy as np
from PIL import Image

PNG = b"\x89PNG\r\n\x1a\n"
GREY, COLOURS, COLOURS_AND_ALPHA = 0, 2, 6


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_head(width, height, bits=8, colours=COLOURS):
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colours, 0, 0, 0))


def png_of_many_texts(count):
    texts = b"".join(chunk(b"tEXt", b"k%d\0v" % number) for number in range(count))
    row = zlib.compress(bytes(9 * 8))
    return PNG + png_head(8, 8, colours=GREY) + texts + chunk(b"IDAT", row) + chunk(b"IEND", b"")


def png_of_sixteen_bits(width, height):
    """Half transparent; its file is small, for all rows are alike."""
    row = b"\0" + b"\x12\x34\x56\x78\x9a\xbc\x80\x00" * width
    squeeze = zlib.compressobj(1)
    data = b"".join(squeeze.compress(row) for _ in range(height)) + squeeze.flush()
    head = png_head(width, height, 16, COLOURS_AND_ALPHA)
    return PNG + head + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def tiff_of_many_pages(count):
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


def tiff_of_numbers(width, height):
    file = io.BytesIO()
    zeros = np.zeros((height, width), np.float32)
    Image.fromarray(zeros).save(file, "TIFF", compression="tiff_adobe_deflate")
    return file.getvalue()
