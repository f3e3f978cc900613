"""Files that commands write: one table row a particle, and folders that appear when all in them is written."""

import csv
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from motes.apps.session import Encoded
from motes.errors import UserError

COLUMNS = ("picture", "particle", "row", "column", "row_std", "column_std", "presence", "certainty", "there")


def rows_of(found: Encoded) -> Iterator[dict[str, Any]]:
    latent = found.latent.to("cpu")
    there, std = latent.confident().presence > 0.5, (0.5 * latent.log_variance).exp()
    certainty = latent.certainty if latent.certainty is not None else torch.ones_like(latent.presence)
    for n, path in enumerate(found.paths):
        for k in range(len(latent)):
            place = latent.position[n, k].tolist()
            looks = {f"feature_{f}": value for f, value in enumerate(latent.features[n, k].tolist())}
            numbers = (
                str(path),
                k,
                *place,
                *std[n, k].tolist(),
                latent.presence[n, k].item(),
                certainty[n, k].item(),
                bool(there[n, k]),
            )
            yield {**dict(zip(COLUMNS, numbers, strict=True)), **looks}


def write_table(out: Path, rows: Any) -> None:
    with (out / "particles.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        return
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), out / "particles.parquet")


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
    """A fresh folder beside `path`, whose files move in when all are written; pictures of that kind that were there before go."""
    if path.exists() and not path.is_dir():
        raise UserError(f"{path} is a file; name a folder to write to")
    fresh, written = path.absolute().with_name(f".{path.name}.{os.getpid()}.part"), set()
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
        for older in path.glob(f"[0-9][0-9][0-9][0-9][0-9]-*-{kind}.*"):  # of an earlier call with other pictures
            if older.name not in written:
                older.unlink()
    except OSError as problem:
        raise UserError(f"{path} cannot be written: {problem.strerror or problem}") from None
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def picture_name(path: Path, number: int, kind: str, ending: str = ".png") -> str:
    return f"{number:05d}-{path.stem}-{kind}{ending}"
