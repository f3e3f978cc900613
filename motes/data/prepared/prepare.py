"""Write any data set as a prepared one, in chunks, so that an interrupted call can be resumed.

The folder gets its final name only when it is complete.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np

from motes.data.base import SPLITS, Dataset, Split
from motes.data.prepared.prepared import FORMAT, MANIFEST, VERSION, file_name, read_manifest
from motes.data.prepared.split_writer import PROGRESS, SplitWriter, arrays_of, skip_header, write_json
from motes.data.source import Source
from motes.errors import UserError
from motes.plain.locking import locked
from motes.plain.writing import Unwritten, flush
from motes.version import VERSION as MOTES

LOCK = "lock"


def prepare(
    source: Source,
    out: Path,
    splits: Sequence[Split] = SPLITS,
    limit: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Write the data set to the folder `out` and return its manifest.

    An interrupted call is resumed if source and options are the same. `limit`: rows of each split at most, 0
    all. Until it is complete, the folder lies beside `out` as `.NAME.part`.
    """
    sets: dict[Split, Dataset] = {split: source.open(split) for split in splits}
    identity = _identity(source, sets, limit)
    if out.exists():
        return _existing(out, identity)
    # not `whole_folder`: what an interrupted call wrote must stay, under a name that the next call knows
    fresh = out.absolute().with_name(f".{out.name}.part")
    refusal = f"{out} is being prepared by another process; wait for it"
    with _disk_errors_explained(out), locked(fresh / LOCK, refusal):
        done = _resumed(fresh, identity, sets)
        _check_room(fresh, identity, done, sets)
        total = sum(identity["counts"].values())
        for split, data in sets.items():
            SplitWriter(fresh, split, data, identity["counts"][split], done).write(progress, total)
        manifest = _manifest(fresh, identity)
        write_json(fresh / MANIFEST, manifest)
        _finish(fresh, out)
        (out / LOCK).unlink()
    return manifest


def _finish(fresh: Path, out: Path) -> None:
    (fresh / PROGRESS).unlink()
    for leftover in fresh.glob(".*.part"):
        leftover.unlink()
    flush(fresh)
    fresh.rename(out)


def verify(root: Path) -> None:
    """Read every file of a prepared set and compare it with the hash in the manifest."""
    for split, about in read_manifest(root)["splits"].items():
        for name, digest in about["files"].items():
            path = root / file_name(split, name)
            if not path.is_file() or _hash(path) != digest:
                raise UserError(f"{path} is missing or not what was written; prepare {root} again")


def _existing(out: Path, identity: dict[str, Any]) -> dict[str, Any]:
    if out.is_dir() and (out / MANIFEST).is_file() and read_manifest(out)["asked"] == identity:
        return read_manifest(out)
    raise UserError(
        f"{out} exists, and is not this source with these options; remove it, or choose another --out"
    )


def _identity(source: Source, sets: dict[Split, Dataset], limit: int) -> dict[str, Any]:
    """Everything that determines the arrays, as plain JSON, so that a later call can be compared with this
    one."""
    first = next(iter(sets.values()))
    if any((data.image_shape, data.frames) != (first.image_shape, first.frames) for data in sets.values()):
        raise UserError(
            f"the splits of {source.name} have pictures of different sizes; they cannot be one set"
        )
    counts = _counts(source, sets, limit)
    identity = {
        "data": source.name,
        "config": asdict(first.config),
        "image_shape": first.image_shape,
        "frames": first.frames,
        "counts": counts,
    }
    return json.loads(json.dumps(identity))


def _counts(source: Source, sets: dict[Split, Dataset], limit: int) -> dict[Split, int]:
    counts: dict[Split, int] = {}
    for split, data in sets.items():
        counts[split] = len(data.first(limit)) if limit else len(data)
    for split, count in counts.items():
        if not count:
            raise UserError(f"the {split} split of {source.name} is empty; leave it out with --splits")
    return counts


def _resumed(fresh: Path, identity: dict[str, Any], sets: dict[Split, Dataset]) -> dict[Split, int]:
    """The number of rows of each split that an earlier call has already written.

    It is zero if that call had other options, or if its source has changed since.
    """
    try:
        before = json.loads((fresh / PROGRESS).read_text())
        rows = before["done"].items()
        if before["asked"] == identity and all(_agrees(fresh, split, sets[split], n) for split, n in rows):
            return before["done"]
    except (OSError, ValueError, KeyError):
        pass
    _begin_anew(fresh, identity)
    return {}


def _begin_anew(fresh: Path, identity: dict[str, Any]) -> None:
    for old in fresh.iterdir():
        if old.name != LOCK:
            old.unlink()
    write_json(fresh / PROGRESS, {"asked": identity, "done": {}})


def _agrees(fresh: Path, split: Split, data: Dataset, count: int) -> bool:
    """Whether the source still gives the same last row as the one that was written."""
    size = int(np.prod(data.image_shape))
    with (fresh / file_name(split, "pixels")).open("rb") as file:
        skip_header(file)
        file.seek((count - 1) * size, os.SEEK_CUR)
        return file.read(size) == data.pixels([count - 1]).tobytes()


def _check_room(
    fresh: Path, identity: dict[str, Any], done: dict[Split, int], sets: dict[Split, Dataset]
) -> None:
    """Refuse a disk that is too small, before anything is decoded."""
    left = {split: count - done.get(split, 0) for split, count in identity["counts"].items()}
    need = sum(count * _bytes_of_row(sets[split]) for split, count in left.items() if count)
    free = shutil.disk_usage(fresh).free
    if need > free:
        if not done:
            shutil.rmtree(fresh, ignore_errors=True)
        raise UserError(
            f"the disk of {fresh.parent} has {free / 1e6:,.0f} MB free, "
            f"what is left of the set needs {need / 1e6:,.0f} MB; make room, or set --limit"
        )


def _bytes_of_row(data: Dataset) -> int:
    return sum(values.nbytes for values in arrays_of(data, range(1)).values())


def _manifest(fresh: Path, identity: dict[str, Any]) -> dict[str, Any]:
    counts = identity["counts"]
    return {
        "format": FORMAT,
        "version": VERSION,
        "written_by": f"motes {MOTES}",
        "source": identity["data"],
        "options": identity["config"],
        "image_shape": identity["image_shape"],
        "frames": identity["frames"],
        "splits": {split: {"count": counts[split], "files": _hashes(fresh, split)} for split in counts},
        "asked": identity,
    }


def _hashes(fresh: Path, split: str) -> dict[str, str]:
    """The hash of each array of a split."""
    paths = sorted(fresh.glob(f"{split}.*npy"))
    return {_array_name(path, split): _hash(path) for path in paths}


def _array_name(path: Path, split: str) -> str:
    """The name of an array, given the file name that `file_name` made of it."""
    name = path.name.removeprefix(f"{split}.").removesuffix(".npy").removesuffix("npy")
    return unquote(name or "pixels")


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _disk_errors_explained(out: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, Unwritten) as problem:
        reason = problem.reason if isinstance(problem, Unwritten) else problem.strerror or problem
        raise UserError(
            f"{out} cannot be written: {reason}; what was done is kept, the same command goes on with it"
        ) from None
