"""A table and arrays that are written while pictures are encoded, so that many need no more memory than few."""

import csv
import shutil
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

Values = Mapping[str, Any]


class Table:
    """Writes rows as a .csv file and, if pyarrow is installed, as a .parquet file; without a row, neither.

    The columns are those of the first row, and of the kinds of its cells, or of `kinds` where a column is named
    there. `place` is the path of the files without their ending.
    """

    def __init__(self, place: Path, kinds: Mapping[str, type] | None = None):
        self._place = place
        self._kinds = kinds or {}
        self._files = ExitStack()
        self._writers: list[Any] = []

    def add(self, rows: Sequence[Values]) -> None:
        if rows and not self._writers:
            self._open(rows[0])
        for writer in self._writers:
            writer.writerows(rows)

    def _open(self, row: Values) -> None:
        file = self._files.enter_context(self._place.with_suffix(".csv").open("w", newline=""))
        writer = csv.DictWriter(file, row.keys())
        writer.writeheader()
        self._writers.append(writer)
        if find_spec("pyarrow"):
            path = self._place.with_suffix(".parquet")
            self._writers.append(self._files.enter_context(_parquet(path, row, self._kinds)))

    def __enter__(self) -> "Table":
        return self

    def __exit__(self, *problem: Any) -> None:
        self._files.close()


class _Parquet:
    """Writes rows to an open parquet file, with the methods of a writer of `csv`."""

    def __init__(self, arrow: Any, file: Any):
        self._arrow = arrow
        self._file = file

    def writerows(self, rows: Sequence[Values]) -> None:
        self._file.write_table(self._arrow.Table.from_pylist(list(rows), self._file.schema))


@contextmanager
def _parquet(path: Path, row: Values, kinds: Mapping[str, type]) -> Iterator[_Parquet]:
    import pyarrow
    from pyarrow.parquet import ParquetWriter

    of_kind = {str: pyarrow.string(), bool: pyarrow.bool_(), int: pyarrow.int64(), float: pyarrow.float64()}
    schema = pyarrow.schema([(name, of_kind[kinds.get(name, _kind(cell))]) for name, cell in row.items()])
    with ParquetWriter(path, schema) as file:
        yield _Parquet(pyarrow, file)


def _kind(cell: Any) -> type:
    """The kind of a column; one whose first cell is empty has numbers elsewhere."""
    return float if cell is None else type(cell)


class Arrays:
    """Writes an .npz file of arrays that grow along their first axis; until the end each lies in a file beside it."""

    def __init__(self, path: Path):
        self._path = path
        self._files = ExitStack()
        self._parts: dict[str, Any] = {}
        self._forms: dict[str, tuple[np.dtype[Any], tuple[int, ...]]] = {}
        self._rows: dict[str, int] = {}

    def add(self, name: str, rows: np.ndarray) -> None:
        if name not in self._parts:
            self._parts[name] = self._files.enter_context(self._part(name).open("wb"))
            self._forms[name] = (rows.dtype, rows.shape[1:])
            self._rows[name] = 0
        self._parts[name].write(np.ascontiguousarray(rows).tobytes())
        self._rows[name] += len(rows)

    def finish(self, more: Mapping[str, np.ndarray]) -> None:
        """Write the file, with some whole arrays too."""
        self._files.close()
        with zipfile.ZipFile(self._path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in self._parts:
                self._put(archive, name)
            for name, array in more.items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
                    np.lib.format.write_array(entry, array)

    def _put(self, archive: zipfile.ZipFile, name: str) -> None:
        dtype, shape = self._forms[name]
        header = {
            "descr": np.lib.format.dtype_to_descr(dtype),
            "fortran_order": False,
            "shape": (self._rows[name], *shape),
        }
        with archive.open(f"{name}.npy", "w", force_zip64=True) as entry, self._part(name).open("rb") as part:
            np.lib.format.write_array_header_1_0(entry, header)
            shutil.copyfileobj(part, entry)
        self._part(name).unlink()

    def _part(self, name: str) -> Path:
        return self._path.with_name(f".{self._path.stem}.{name}")

    def __enter__(self) -> "Arrays":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._files.close()
