"""Read columns of parquet files row by row, decoding only the groups of rows that are needed."""

from bisect import bisect_right
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Any

from motes.errors import UserError
from motes.plain.cache import Cache
from motes.plain.packages import optional

# bytes of groups of rows in memory
BUDGET = 1 << 30


class ParquetTable:
    """Several files with the same columns, one after the other, as one table."""

    def __init__(self, files: Sequence[Path]):
        self._parquet = import_parquet()
        self.files = list(files)
        self._opened = [self._open(path) for path in self.files]
        # the file and the number there of each group of rows, and the group's first row in the table
        self._groups: list[tuple[int, int]] = []
        self._starts: list[int] = []
        self._count = 0
        for number, file in enumerate(self._opened):
            self._add_groups(number, file.metadata)
        self._columns: Cache[tuple[int, str], Any] = Cache(BUDGET)
        # one group is read at a time, and never twice
        self._lock = Lock()
        self._check_columns()

    def __len__(self) -> int:
        return self._count

    @property
    def schema(self) -> Any:
        """The names and types of the columns, as pyarrow gives them."""
        return self._opened[0].schema_arrow

    def value(self, row: int, column: str) -> Any:
        group = self._group_of(row)
        with self._lock:
            return self._column(group, column)[row - self._starts[group]].as_py()

    def column(self, column: str) -> list[Any]:
        """All rows of one column, which must be small enough for memory."""
        return [value for file in self._opened for value in file.read(columns=[column]).column(0).to_pylist()]

    def where(self, row: int) -> str:
        """The file of a row and the row's number in it, for errors."""
        number, group = self._groups[self._group_of(row)]
        first = self._starts[self._group_of(row) - group]
        return f"row {row - first} of {self.files[number]}"

    def _group_of(self, row: int) -> int:
        return bisect_right(self._starts, row) - 1

    def _column(self, group: int, column: str) -> Any:
        cached = self._columns.get((group, column))
        return self._columns.put((group, column), self._read(group, column)) if cached is None else cached

    def _read(self, group: int, column: str) -> Any:
        number, group_of_file = self._groups[group]
        try:
            return self._opened[number].read_row_group(group_of_file, columns=[column]).column(0)
        # pyarrow raises several kinds for damaged pages
        except Exception as problem:
            raise UserError(
                f"{self.files[number]} is damaged ({_first_line(problem)}); get it again"
            ) from None

    def _open(self, path: Path) -> Any:
        try:
            return self._parquet.ParquetFile(path)
        except PermissionError:
            raise UserError(f"{path} may not be read; see its permissions") from None
        # ArrowInvalid and OSError alike
        except Exception as problem:
            empty = path.is_file() and path.stat().st_size == 0
            reason = "is empty" if empty else f"is no parquet file, or cut short ({_first_line(problem)})"
            raise UserError(f"{path} {reason}") from None

    def _add_groups(self, number: int, metadata: Any) -> None:
        for group in range(metadata.num_row_groups):
            self._groups.append((number, group))
            self._starts.append(self._count)
            self._count += metadata.row_group(group).num_rows

    def _check_columns(self) -> None:
        for path, file in zip(self.files, self._opened, strict=True):
            if file.schema_arrow.names != self.schema.names:
                columns = ", ".join(file.schema_arrow.names)
                raise UserError(f"{path} has other columns than {self.files[0]}: {columns}")


def _first_line(problem: Exception) -> str:
    return str(problem).splitlines()[0]


def import_parquet() -> Any:
    return optional("pyarrow.parquet", "parquet", "parquet files need pyarrow")
