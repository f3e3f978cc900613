"""Saves one picture of a command in the format that its file name asks for. The file appears whole or not at
all.

Needs no torch.
"""

from pathlib import Path
from typing import Any

from motes.errors import UserError

FORMATS = (".png", ".jpg", ".webp")


def refuse_other_kinds(path: Path) -> None:
    if path.suffix.lower() not in FORMATS:
        raise UserError(f"{path} should end in {' or '.join(FORMATS)}")


def save_picture(picture: Any, path: Path) -> None:
    from PIL import Image

    from motes.plain.writing import whole_file

    with whole_file(path) as fresh:
        picture.save(fresh, Image.registered_extensions()[path.suffix.lower()], optimize=True)
