"""The process in which the studio decodes pictures, so that a hostile file can take no more than its limits.

It is started as `python -m motes.apps.studio.decoding SECONDS MEMORY`, imports no torch, and answers requests on
its standard input: a line of JSON, then the bytes of a file if it is not named by its path. `Decoder` is its
other end.
"""

import contextlib
import io
import json
import os
import sys
import warnings
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image as Pictures

from motes.data.files.picture_files import load_picture, read_bytes, read_picture
from motes.errors import UserError

# pixels of a picture from a client, at most
LARGEST_PICTURE = 40_000_000
# a client's picture is scaled down to about this side
LARGEST_SIDE = 512
# other formats bring interpreters with them
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")


def shrunk(raw: bytes) -> Pictures.Image:
    """The picture in bytes that a client sent.

    One that is too large is refused by the size in its header, before it is decoded.
    """
    width, height = _size_in_head(raw)
    if width * height > LARGEST_PICTURE:
        raise UserError(
            f"this picture has {width} x {height} pixels, more than {LARGEST_PICTURE:,}; scale it down first"
        )
    picture = read_bytes(io.BytesIO(raw), "this picture")
    # a long strip keeps more of its longer side
    side = LARGEST_SIDE * 2 if min(picture.size) < LARGEST_SIDE else LARGEST_SIDE
    picture.thumbnail((side, side))
    return picture


def _size_in_head(raw: bytes) -> tuple[int, int]:
    """The width and height that the header of an image file states."""
    try:
        with Pictures.open(io.BytesIO(raw), formats=FORMATS) as opened:
            return opened.size
    except Pictures.DecompressionBombError:
        raise UserError(
            f"this picture has more than {LARGEST_PICTURE:,} pixels; scale it down first"
        ) from None
    # each format's reader raises what it likes
    except Exception:
        raise UserError(f"this is no picture that the studio reads; it reads {', '.join(FORMATS)}") from None


def decoded(request: dict[str, Any], raw: bytes) -> np.ndarray:
    """The pixels that a request is for: H W or H W C, or C H W where it names a model's size."""
    if "path" not in request:
        return np.asarray(shrunk(raw))
    path = Path(request["path"])
    if "size" in request:
        return load_picture(path, tuple(request["size"]), request["channels"])
    picture = read_picture(path)
    picture.thumbnail((request["side"], request["side"]))
    return np.asarray(picture)


def answer(request: dict[str, Any], raw: bytes) -> tuple[dict[str, Any], bytes]:
    """The head of an answer and the bytes after it: pixels, or a sentence about why there are none."""
    try:
        pixels = decoded(request, raw)
    except UserError as problem:
        return {"problem": str(problem), "length": 0}, b""
    except MemoryError:
        name = request.get("path", "this picture")
        return {"problem": f"{name} takes too much memory; scale it down first", "length": 0}, b""
    return {"shape": pixels.shape, "length": pixels.nbytes}, pixels.tobytes()


def write(file: BinaryIO, head: dict[str, Any], raw: bytes | bytearray) -> None:
    file.write(json.dumps(head).encode() + b"\n")
    file.write(raw)
    file.flush()


def received(file: BinaryIO) -> tuple[dict[str, Any], bytes]:
    """What `write` wrote at the other end; an EOFError if the other end is gone."""
    line = file.readline()
    if not line.endswith(b"\n"):
        raise EOFError
    head = json.loads(line)
    raw = file.read(head["length"])
    if len(raw) < head["length"]:
        raise EOFError
    return head, raw


def _limit_seconds(seconds: int) -> None:
    """Let the system end this process if it computes for longer from now on.

    Seconds of computing, not of waiting: a busy machine refuses nobody. On Windows only `Decoder` counts.
    """
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        used = resource.getrusage(resource.RUSAGE_SELF)
        latest = int(used.ru_utime + used.ru_stime) + seconds + 1
        resource.setrlimit(resource.RLIMIT_CPU, (latest, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def _limit_memory(size: int) -> None:
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (size, size))


def main(seconds: int, memory: int) -> None:
    warnings.simplefilter("ignore")
    _limit_memory(memory)
    # models come first
    with contextlib.suppress(AttributeError, OSError):
        os.nice(5)
    with contextlib.suppress(EOFError, KeyboardInterrupt, BrokenPipeError):
        while True:
            request, raw = received(sys.stdin.buffer)
            _limit_seconds(seconds)
            write(sys.stdout.buffer, *answer(request, raw))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
