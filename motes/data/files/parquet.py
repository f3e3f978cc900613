"""Parquet files: columns by row, without reading more than the groups of rows that are asked for."""

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Any

from motes.errors import UserError
from motes.plain.packages import optional

ROOM = 1 << 30  # bytes of groups of rows kept in memory


class Table:
    """Several files, one after the other, as one table."""

    def __init__(self, files: Sequence[Path]):
        self._parquet = import_parquet()
        self.files = list(files)
        self._opened = [self._open(path) for path in self.files]
        self._groups = []
        self._starts = []
        count = 0
        for number, file in enumerate(self._opened):
            for group in range(file.metadata.num_row_groups):
                self._groups.append((number, group))
                self._starts.append(count)
                count += file.metadata.row_group(group).num_rows
        self._count = count
        self._kept: OrderedDict[tuple[int, str], Any] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()
        for path, file in zip(self.files, self._opened, strict=True):
            if file.schema_arrow.names != self.schema.names:
                raise UserError(
                    f"{path} has other columns than {self.files[0]}: {', '.join(file.schema_arrow.names)}"
                )

    def __len__(self) -> int:
        return self._count

    @property
    def schema(self) -> Any:
        """Of pyarrow."""
        return self._opened[0].schema_arrow

    def value(self, row: int, column: str) -> Any:
        place = bisect_right(self._starts, row) - 1
        with self._lock:
            return self._column(place, column)[row - self._starts[place]].as_py()

    def whole(self, column: str) -> list[Any]:
        """All rows of a column that is small."""
        return [value for file in self._opened for value in file.read(columns=[column]).column(0).to_pylist()]

    def where(self, row: int) -> str:
        """A row's place, for errors."""
        number, _ = self._groups[place := bisect_right(self._starts, row) - 1]
        first = self._starts[next(one for one in range(place + 1) if self._groups[one][0] == number)]
        return f"row {row - first} of {self.files[number]}"

    def _column(self, place: int, column: str) -> Any:
        if (place, column) in self._kept:
            self._kept.move_to_end((place, column))
            return self._kept[place, column]
        number, group = self._groups[place]
        try:
            found = self._opened[number].read_row_group(group, columns=[column]).column(0)
        except Exception as problem:  # pyarrow raises several kinds for damaged pages
            raise UserError(
                f"{self.files[number]} is damaged ({str(problem).splitlines()[0]}); get it again"
            ) from None
        self._kept[place, column] = found
        self._bytes += found.nbytes
        while self._bytes > ROOM and len(self._kept) > 1:
            self._bytes -= self._kept.popitem(last=False)[1].nbytes
        return found

    def _open(self, path: Path) -> Any:
        try:
            return self._parquet.ParquetFile(path)
        except PermissionError:
            raise UserError(f"{path} may not be read; see its permissions") from None
        except Exception as problem:  # ArrowInvalid and OSError alike
            empty = path.is_file() and path.stat().st_size == 0
            reason = (
                "is empty" if empty else f"is no parquet file, or cut short ({str(problem).splitlines()[0]})"
            )
            raise UserError(f"{path} {reason}") from None


def import_parquet() -> Any:
    return optional("pyarrow.parquet", "parquet", "parquet files need pyarrow")
