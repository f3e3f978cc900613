"""Files and folders that appear whole or not at all."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from motes.errors import UserError


def begin_folder(folder: Path) -> Path:
    """An empty folder beside `folder`, on the same disk."""
    fresh = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        if not folder.exists() and stepped_aside(folder).exists():
            stepped_aside(folder).rename(folder)
        fresh.mkdir(parents=True)
    except OSError as problem:
        raise UserError(f"{folder} cannot be written: {problem.strerror or problem}") from None
    return fresh


def finish_folder(fresh: Path, folder: Path) -> None:
    """Flush to disk and rename; an older folder steps aside first and goes only when the new one is in
    place."""
    for path in (*fresh.iterdir(), fresh):
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


def flush(path: Path) -> None:
    """To the disk, so that a power cut finds it there; a folder's own entries as well as files."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def stepped_aside(folder: Path) -> Path:
    """Where the older folder waits while the new one moves in; after a crash at that moment it is the one to
    read."""
    return folder.with_name(f".{folder.name}.old")


@contextmanager
def fresh_file(path: Path) -> Iterator[Path]:
    """A fresh file beside `path`, which takes its place when it is written, whole or not at all."""
    fresh = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield fresh
        fresh.replace(path)
    except OSError as problem:
        raise UserError(f"{path} cannot be written: {problem.strerror or problem}") from None


@contextmanager
def fresh_folder(path: Path, kind: str) -> Iterator[Path]:
    """A fresh folder beside `path`, whose files move in when all are written; pictures of that kind that
    were there before go."""
    if path.exists() and not path.is_dir():
        raise UserError(f"{path} is a file; name a folder to write to")
    fresh = path.absolute().with_name(f".{path.name}.{os.getpid()}.part")
    written = set()
    try:
        fresh.mkdir(parents=True)
    except OSError as problem:
        raise UserError(f"{path} cannot be written: {problem.strerror or problem}") from None
    try:
        yield fresh
        path.mkdir(exist_ok=True)
        for file in sorted(fresh.iterdir()):
            file.replace(path / file.name)
            written.add(file.name)
        for older in path.glob(
            f"[0-9][0-9][0-9][0-9][0-9]-*-{kind}.*"
        ):  # of an earlier call with other pictures
            if older.name not in written:
                older.unlink()
    except OSError as problem:
        raise UserError(f"{path} cannot be written: {problem.strerror or problem}") from None
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
