"""Files that commands write: one table row a particle, and folders that appear when all in them is
written."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from motes.apps.session.session import Encoded

COLUMNS = ("picture", "particle", "row", "column", "row_std", "column_std", "presence", "certainty", "there")


def rows_of(found: Encoded) -> Iterator[dict[str, Any]]:
    latent = found.latent.to("cpu")
    there = latent.confident().presence > 0.5
    std = (0.5 * latent.log_variance).exp()
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


def older_pictures(out: Path, kind: str) -> Iterator[Path]:
    """Pictures of that kind that an earlier call left, whatever it was given."""
    return out.glob(f"[0-9][0-9][0-9][0-9][0-9]-*-{kind}.*")


def picture_name(path: Path, number: int, kind: str, ending: str = ".png") -> str:
    return f"{number:05d}-{path.stem}-{kind}{ending}"
