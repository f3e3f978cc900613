"""`locked`: keeps two processes from writing to the same place at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from motes.errors import UserError


@contextmanager
def locked(path: Path, refusal: str) -> Iterator[None]:
    """Hold a lock on a file, which is made if need be; where another process holds it, raise the `refusal`.

    The lock ends with the process, however that ends. The file stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        if not _took(file):
            raise UserError(refusal)
        yield


def _took(file: TextIO) -> bool:
    """Whether this process now has the lock; also where the system or the disk knows no locks."""
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True
