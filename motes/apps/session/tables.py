"""Files that commands write: one table row per particle, and names of drawings."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from motes.apps.session.kinds import kind_of
from motes.apps.session.session import Encoded


def rows_of(encoded: Encoded) -> Iterator[dict[str, Any]]:
    """One table row for each thing of each picture; none where the latent has no things."""
    latent = encoded.latent.to("cpu")
    kind = kind_of(latent)
    for number, path in enumerate(encoded.paths):
        for row in kind.rows(latent, number):
            yield {"picture": str(path), **row}


def write_table(place: Path, rows: Any) -> None:
    """A .csv file and, with pyarrow, a .parquet file of that name."""
    _write_csv(place.with_suffix(".csv"), rows)
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        return
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), place.with_suffix(".parquet"))


def _write_csv(path: Path, rows: Any) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


def older_pictures(out: Path, kind: str) -> Iterator[Path]:
    """Drawings of that kind that an earlier call left in the folder."""
    return out.glob(f"[0-9][0-9][0-9][0-9][0-9]-*-{kind}.*")


def picture_name(path: Path, number: int, kind: str, ending: str = ".png") -> str:
    return f"{number:05d}-{path.stem}-{kind}{ending}"
