"""Copies of pictures that clients sent, which exported lines of Python read; they outlive the page."""

from pathlib import Path

from PIL import Image as Pictures

from motes.errors import UserError
from motes.plain.writing import whole_file
from motes.weights.places import cache_folder

# copies that are kept, the newest ones
KEPT = 500


def saved_copy(name: str, picture: Pictures.Image) -> Path:
    """The path of a copy of the picture, pixel for pixel; `name` begins with dropped/, and tells its bytes from
    others."""
    folder = cache_folder() / "studio-pictures"
    path = folder / f"{Path(name).name}.png"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as fresh:
            picture.save(fresh, "PNG")
        for old in sorted(folder.glob("*.png"), key=lambda copy: copy.stat().st_mtime)[:-KEPT]:
            old.unlink(missing_ok=True)
    except OSError as problem:
        reason = problem.strerror or "it cannot be written"
        raise UserError(
            f"a copy of this picture, for the lines to read, has no place in {folder}: {reason}"
        ) from None
    return path
