"""STORAGES: where the rows of a code table are kept, in memory or in a file on disk."""

import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from math import prod
from pathlib import Path

import torch
from torch import Tensor

from motes.errors import UserError
from motes.nn.blocks.code_table import CodeTable


def code_table(rows: int, numbers: int, storage: str = "memory") -> CodeTable:
    """A table of `rows` codes, all zeros; storage "file" is for more codes than fit into memory."""
    if storage not in STORAGES:
        raise UserError(f"codes are kept in {' or '.join(STORAGES)}, not {storage!r}")
    return CodeTable(rows, numbers, STORAGES[storage], stays_on_host=storage != "memory")


def zeros_in_file(shape: tuple[int, ...]) -> Tensor:
    """Zeros in a nameless file on the disk of TMPDIR; the file vanishes when nothing holds the tensor any
    more."""
    size = 4 * prod(shape)
    try:
        with tempfile.NamedTemporaryFile(delete=False) as file:
            try:
                _reserve(file.fileno(), size)
                zeros = torch.from_file(file.name, shared=True, size=prod(shape), dtype=torch.float32)
                return zeros.view(shape)
            finally:
                # where a mapped file cannot be removed it stays behind
                with suppress(OSError):
                    Path(file.name).unlink()
    except OSError as problem:
        raise UserError(
            f"{size / 2**30:.1f} GiB for codes do not fit into {tempfile.gettempdir()} "
            f"({problem.strerror}); name a folder on another disk by the variable TMPDIR"
        ) from None


def _reserve(file: int, size: int) -> None:
    """Reserve `size` bytes on disk.

    Otherwise a full disk would show only when a row is written, and kill the process.
    """
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file, 0, max(size, 1))
    else:
        os.ftruncate(file, size)


STORAGES: dict[str, Callable[[tuple[int, ...]], Tensor]] = {"memory": torch.zeros, "file": zeros_in_file}
