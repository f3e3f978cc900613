"""Writes files and folders so that they appear complete or not at all.

Until it is complete, a file or folder has the name `.NAME.RANDOM.part` beside its final place. At the end it
gets the permissions that the umask gives new files, whatever program wrote it.
"""

import contextlib
import os
import shutil
import stat
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from motes.errors import UserError


class Unwritten(UserError):
    """A file or folder that could not be written; `reason` is what the operating system says."""

    def __init__(self, path: Path, problem: OSError):
        self.reason = problem.strerror or str(problem)
        super().__init__(f"{path} cannot be written: {self.reason}")


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A context manager that yields a new path to write to; it replaces `path` if the block ends without an
    error."""
    fresh = _beside(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.touch()
        mode = _mode(fresh)
        yield fresh
        _let_be_read(fresh, mode)
        flush(fresh)
        fresh.replace(path)
    except OSError as problem:
        raise Unwritten(path, problem) from None
    finally:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)


@contextmanager
def whole_folder(path: Path, older: Iterable[Path] | None = None) -> Iterator[Path]:
    """A context manager that yields a new, empty folder; it replaces `path` if the block ends without an
    error.

    By default a folder already at `path` is removed in one step. If `older` names files, the new files are
    instead moved into that folder, the files in `older` are removed, and all others stay.
    """
    if path.exists() and not path.is_dir():
        raise UserError(f"{path} is a file; name a folder to write to")
    folder = path.resolve()
    fresh = _beside(folder)
    try:
        _step_back(folder)
        fresh.mkdir(parents=True)
        mode = _mode(fresh)
        yield fresh
        _let_all_be_read(fresh, mode)
        if older is None:
            _swap(fresh, folder)
        else:
            _move_in(fresh, folder, list(older))
    except OSError as problem:
        raise Unwritten(path, problem) from None
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def stepped_aside(folder: Path) -> Path:
    """The path to which an existing folder is renamed while a new one takes its place.

    After a crash at that moment it holds the valid data.
    """
    return folder.with_name(f".{folder.name}.old")


def flush(path: Path) -> None:
    """Flush a file or folder to the disk, so that it survives a power cut.

    A new file also needs its folder flushed.
    """
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _beside(path: Path) -> Path:
    """A temporary path in the same folder as `path`, so that a rename from one to the other is a single step.

    No other writer has it: two threads, or two machines with the same disk, may write to `path` at once.
    """
    return path.absolute().with_name(f".{path.absolute().name}.{uuid.uuid4().hex[:12]}.part")


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _let_be_read(path: Path, mode: int) -> None:
    """Set the permissions of a file to `mode`.

    Some programs write files that only their owner may read.
    """
    if _mode(path) != mode:
        path.chmod(mode)


def _let_all_be_read(folder: Path, mode: int) -> None:
    for entry in folder.rglob("*"):
        _let_be_read(entry, mode if entry.is_dir() else mode & 0o666)


def _step_back(folder: Path) -> None:
    """Rename the older folder back, if a crash between the two renames of `_swap` left it aside."""
    if not folder.exists() and stepped_aside(folder).exists():
        stepped_aside(folder).rename(folder)


def _swap(fresh: Path, folder: Path) -> None:
    """Replace a folder by a new one.

    The older folder is renamed first, and removed only when the new one is in place.
    """
    for path in (*fresh.rglob("*"), fresh):
        flush(path)
    older = stepped_aside(folder)
    if folder.exists():
        shutil.rmtree(older, ignore_errors=True)
        folder.rename(older)
    try:
        fresh.rename(folder)
    except OSError:
        if older.exists():
            older.rename(folder)
        raise
    flush(folder.parent)
    shutil.rmtree(older, ignore_errors=True)


def _move_in(fresh: Path, folder: Path, older: Sequence[Path]) -> None:
    folder.mkdir(exist_ok=True)
    written = {entry.name for entry in fresh.iterdir()}
    for name in sorted(written):
        _replace(folder / name, fresh / name)
    for file in older:
        if file.name not in written:
            file.unlink(missing_ok=True)


def _replace(path: Path, fresh: Path) -> None:
    if fresh.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    fresh.replace(path)
