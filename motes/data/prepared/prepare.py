"""Write any data set as a prepared one: in chunks that survive an interruption, and under its name only once
it is whole."""

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
from motes.data.source import Source
from motes.errors import UserError
from motes.plain.writing import Unwritten, flush, whole_file
from motes.types.truth import Truth
from motes.version import VERSION as MOTES

CHUNK = 1 << 26  # bytes of pixels between two marks in progress.json: what an interruption may cost
PROGRESS = "progress.json"
LOCK = "lock"


def prepare(
    source: Source,
    out: Path,
    splits: Sequence[Split] = SPLITS,
    limit: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """The manifest of the set at `out`. What an interrupted call wrote is gone on with, if source and
    options are the same.

    `limit`: rows of each split at most, 0 all. Until it is whole the set lies beside its place, as
    `.NAME.part`.
    """
    sets: dict[Split, Dataset] = {split: source.open(split) for split in splits}
    asked = _identity(source, sets, limit)
    if out.exists():
        if out.is_dir() and (out / MANIFEST).is_file() and read_manifest(out)["asked"] == asked:
            return read_manifest(out)
        raise UserError(
            f"{out} exists, and is not this source with these options; remove it, or choose another --out"
        )
    # not `whole_folder`: what an interrupted call wrote must stay, under a name that the next call knows
    fresh = out.absolute().with_name(f".{out.name}.part")
    with _clear_of_disk_errors(out), _alone(fresh, out):
        done = _resumed(fresh, asked, sets)
        _check_room(fresh, asked, done, sets)
        for split, data in sets.items():
            _Writer(fresh, split, data, asked["counts"][split], done).write(
                progress, sum(asked["counts"].values())
            )
        manifest = _manifest(fresh, asked)
        _write_json(fresh / MANIFEST, manifest)
        (fresh / PROGRESS).unlink()
        for leftover in fresh.glob(".*.part"):
            leftover.unlink()
        flush(fresh)
        fresh.rename(out)
    return manifest


def verify(root: Path) -> None:
    """Read every file and compare it with the hash in the manifest."""
    for split, about in read_manifest(root)["splits"].items():
        for name, digest in about["files"].items():
            path = root / file_name(split, name)
            if not path.is_file() or _hash(path) != digest:
                raise UserError(f"{path} is missing or not what was written; prepare {root} again")


class _Writer:
    """One split: its arrays grow chunk by chunk, plain writes and not memory maps, which would crash on a
    full disk."""

    def __init__(self, folder: Path, split: Split, data: Dataset, count: int, done: dict[Split, int]):
        self.folder = folder
        self.data = data
        self.count = count
        self.done = done
        self.split: Split = split
        self.kinds: dict[str, tuple[np.dtype, tuple[int, ...]]] = {}

    def write(self, progress: Callable[[int, int], None] | None, total: int) -> None:
        step = max(CHUNK // int(np.prod(self.data.image_shape)), 1)
        for start in range(self.done.get(self.split, 0), self.count, step):
            rows = range(start, min(start + step, self.count))
            chunk = _arrays(self.data, rows)
            kinds = {name: (value.dtype, value.shape[1:]) for name, value in chunk.items()}
            if self.kinds and kinds != self.kinds:
                raise UserError(
                    f"rows {rows.start} to {rows.stop} of the {self.split} split have other truth than those before; they cannot be one set"
                )
            self.kinds = kinds
            for name, value in chunk.items():
                self._append(name, value, start)
            self.done[self.split] = rows.stop
            _write_json(
                self.folder / PROGRESS,
                {**json.loads((self.folder / PROGRESS).read_text()), "done": self.done},
            )
            if progress:
                progress(sum(self.done.values()), total)

    def _append(self, name: str, value: np.ndarray, start: int) -> None:
        path = self.folder / file_name(self.split, name)
        with path.open("r+b" if start else "wb") as file:
            if not start:
                header = {
                    "descr": np.lib.format.dtype_to_descr(value.dtype),
                    "fortran_order": False,
                    "shape": (self.count, *value.shape[1:]),
                }
                np.lib.format.write_array_header_1_0(file, header)
            else:
                np.lib.format.read_magic(file)
                np.lib.format.read_array_header_1_0(file)
                file.seek(start * value[0].nbytes, os.SEEK_CUR)
            file.write(np.ascontiguousarray(value).data)
            file.truncate()  # what an interrupted write left behind this chunk goes
            file.flush()
            os.fsync(file.fileno())


def _arrays(data: Dataset, rows: range) -> dict[str, np.ndarray]:
    pixels = data.pixels(rows)
    truth = data.truth(rows)
    return {"pixels": pixels} if truth is None else {"pixels": pixels, **_cheap(truth)}


def _cheap(truth: Truth) -> dict[str, np.ndarray]:
    """What is small beside the pixels: not the whole shapes, and the visible masks as a number a pixel."""
    kept = {name: getattr(truth, name) for name in ("present", "centres", "boxes", "points")}
    kept |= {
        f"{group}.{name}": value
        for group in ("factors", "scene")
        for name, value in getattr(truth, group).items()
    }
    arrays = {name: value.numpy() for name, value in kept.items() if value is not None}
    if truth.masks is not None:
        masks = truth.masks.numpy()
        kind = np.uint8 if truth.masks.shape[1] < 256 else np.uint16
        arrays["masks"] = np.zeros((len(masks), *masks.shape[2:]), kind)
        for n in range(masks.shape[1]):  # no pixel belongs to two
            arrays["masks"][masks[:, n]] = n + 1
    return arrays


def _identity(source: Source, sets: dict[Split, Dataset], limit: int) -> dict[str, Any]:
    """Everything that decides the arrays, as plain JSON: what a later call is compared with."""
    first = next(iter(sets.values()))
    if any((one.image_shape, one.frames) != (first.image_shape, first.frames) for one in sets.values()):
        raise UserError(
            f"the splits of {source.name} have pictures of different sizes; they cannot be one set"
        )
    counts = {split: len(data.first(limit)) if limit else len(data) for split, data in sets.items()}
    for split, count in counts.items():
        if not count:
            raise UserError(f"the {split} split of {source.name} is empty; leave it out with --splits")
    plain = {
        "data": source.name,
        "config": asdict(first.config),
        "image_shape": first.image_shape,
        "frames": first.frames,
        "counts": counts,
    }
    return json.loads(json.dumps(plain))


def _resumed(fresh: Path, asked: dict[str, Any], sets: dict[Split, Dataset]) -> dict[Split, int]:
    """Rows on disk already, by split; none where the earlier call was another one or its source has changed
    since."""
    try:
        before = json.loads((fresh / PROGRESS).read_text())
        if before["asked"] == asked and all(
            _agrees(fresh, split, sets[split], count) for split, count in before["done"].items()
        ):
            return before["done"]
    except (OSError, ValueError, KeyError):
        pass
    for old in fresh.iterdir():
        if old.name != LOCK:
            old.unlink()
    _write_json(fresh / PROGRESS, {"asked": asked, "done": {}})
    return {}


def _agrees(fresh: Path, split: Split, data: Dataset, count: int) -> bool:
    """Whether the last row that was written is still what the source says."""
    each = int(np.prod(data.image_shape))
    with (fresh / file_name(split, "pixels")).open("rb") as file:
        np.lib.format.read_magic(file)
        np.lib.format.read_array_header_1_0(file)
        file.seek((count - 1) * each, os.SEEK_CUR)
        return file.read(each) == data.pixels([count - 1]).tobytes()


def _check_room(
    fresh: Path, asked: dict[str, Any], done: dict[Split, int], sets: dict[Split, Dataset]
) -> None:
    """Before hours of decoding, not after them."""
    left = {split: count - done.get(split, 0) for split, count in asked["counts"].items()}
    each = {
        split: sum(value.nbytes for value in _arrays(sets[split], range(1)).values())
        for split in left
        if left[split]
    }
    need = sum(left[split] * size for split, size in each.items())
    free = shutil.disk_usage(fresh).free
    if need > free:
        if not done:
            shutil.rmtree(fresh, ignore_errors=True)
        raise UserError(
            f"the disk of {fresh.parent} has {free / 1e6:,.0f} MB free, what is left of the set needs {need / 1e6:,.0f} MB; make room, or set --limit"
        )


def _manifest(fresh: Path, asked: dict[str, Any]) -> dict[str, Any]:
    splits = {}
    for split, count in asked["counts"].items():
        found = sorted(fresh.glob(f"{split}.*npy"))
        names = {
            path.name.removeprefix(f"{split}.").removesuffix(".npy").removesuffix("npy") or "pixels": path
            for path in found
        }
        splits[split] = {
            "count": count,
            "files": {unquote(name): _hash(path) for name, path in names.items()},
        }
    head = {
        "format": FORMAT,
        "version": VERSION,
        "written_by": f"motes {MOTES}",
        "source": asked["data"],
        "options": asked["config"],
    }
    return {
        **head,
        "image_shape": asked["image_shape"],
        "frames": asked["frames"],
        "splits": splits,
        "asked": asked,
    }


@contextmanager
def _alone(fresh: Path, out: Path) -> Iterator[None]:
    """One process at a time; the lock goes with the process, however it ends."""
    try:
        import fcntl
    except ImportError:  # not a Unix: nothing guards against two at once
        fcntl = None
    fresh.mkdir(parents=True, exist_ok=True)
    with (fresh / LOCK).open("w") as lock:
        if fcntl:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise UserError(f"{out} is being prepared by another process; wait for it") from None
        yield
    (out / LOCK).unlink(missing_ok=True)


@contextmanager
def _clear_of_disk_errors(out: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, Unwritten) as problem:
        reason = problem.reason if isinstance(problem, Unwritten) else problem.strerror or problem
        raise UserError(
            f"{out} cannot be written: {reason}; what was done is kept, the same command goes on with it"
        ) from None


def _write_json(path: Path, what: Any) -> None:
    with whole_file(path) as fresh:
        fresh.write_text(json.dumps(what, indent=2) + "\n")


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
