"""`Decoder`: decodes pictures in a process of its own, which is ended and replaced when a picture takes too much."""

import os
import subprocess
import sys
import threading
import weakref
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import numpy as np
from PIL import Image as Pictures

import motes
from motes.apps.studio import decoding
from motes.errors import UserError

# seconds of computing for one picture; bytes of the process's memory, all of it
SECONDS = 6
MEMORY = 2**30
# seconds that pass on the clock until a picture is given up, however little of them it computed
PATIENCE = 60.0
TOO_MUCH = "takes more time or memory to decode than a picture may"
# where this motes lies; and its arrays are small
ENVIRONMENT = {
    "PYTHONPATH": os.pathsep.join([str(Path(motes.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]),
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}


class Decoder:
    """Decodes one picture after the other. Its process is started when the first picture comes, which takes
    a fifth of a second, and ends with this one."""

    def __init__(self, seconds: int = SECONDS, memory: int = MEMORY) -> None:
        self.limits = [str(seconds), str(memory)]
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def shrunk(self, raw: bytes | bytearray) -> Pictures.Image:
        """The picture in bytes that a client sent, scaled down if it is large."""
        return Pictures.fromarray(self._asked({"length": len(raw)}, raw, "this picture"))

    def small(self, path: Path, side: int) -> Pictures.Image:
        """The picture in a file, scaled down to this side."""
        return Pictures.fromarray(self._asked({"length": 0, "path": str(path), "side": side}, b"", path))

    def fitted(self, path: Path, size: tuple[int, int], channels: int) -> np.ndarray:
        """The picture in a file at a model's size, as `load_picture` gives it: uint8, C H W."""
        request = {"length": 0, "path": str(path), "size": size, "channels": channels}
        return self._asked(request, b"", path)

    def close(self) -> None:
        with self._lock:
            if self._process is not None:
                _end(self._process)

    def _asked(self, request: dict[str, Any], raw: bytes | bytearray, name: object) -> np.ndarray:
        with self._lock:
            process = self._started()
            watch = threading.Timer(PATIENCE, process.kill)
            watch.start()
            try:
                # the process may end while it is written to
                with suppress(BrokenPipeError):
                    decoding.write(_pipe(process.stdin), request, raw)
                head, pixels = decoding.received(_pipe(process.stdout))
            except EOFError:
                _end(process)
                raise UserError(f"{name} {TOO_MUCH}; save it anew, as a plain PNG") from None
            finally:
                watch.cancel()
        if "problem" in head:
            raise UserError(head["problem"])
        return np.frombuffer(pixels, np.uint8).reshape(head["shape"]).copy()

    def _started(self) -> "subprocess.Popen[bytes]":
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", decoding.__name__, *self.limits],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, **ENVIRONMENT},
            )
            weakref.finalize(self, _end, self._process)
        return self._process


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    # closes both pipes
    process.communicate()


def _pipe(pipe: IO[bytes] | None) -> Any:
    assert pipe is not None
    return pipe
