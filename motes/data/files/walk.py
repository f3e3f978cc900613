"""The files below a folder: links to other folders are followed, hidden ones are left out. Imports no
torch."""

import os
from collections.abc import Iterator
from pathlib import Path


def files_below(root: Path) -> Iterator[Path]:
    """In no order. A folder that is reached twice, by links that lead back, is walked once."""
    walked: set[str] = set()
    for place, folders, files in os.walk(root, followlinks=True):
        real = os.path.realpath(place)
        if real in walked:
            folders.clear()
            continue
        walked.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (
            path for name in files if not name.startswith(".") and (path := Path(place, name)).is_file()
        )
