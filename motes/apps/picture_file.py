"""One picture that a command writes: of which kind, and whole or not at all; and how those that it reads come to size. Needs no torch."""

import argparse
from pathlib import Path
from typing import Any

from motes.errors import UserError

FORMATS = (".png", ".jpg", ".webp")
FITS = ("fit", "stretch", "crop")  # as in motes.data.pictures, which loads numpy


def refuse_other_kinds(path: Path) -> None:
    if path.suffix.lower() not in FORMATS:
        raise UserError(f"{path} should end in {' or '.join(FORMATS)}")


def save_picture(picture: Any, path: Path) -> None:
    from PIL import Image

    from motes.apps.files import fresh_file

    with fresh_file(path) as fresh:
        picture.save(fresh, Image.registered_extensions()[path.suffix.lower()], optimize=True)


def add_fit(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--fit", choices=FITS, default="fit", help="how pictures come to the model's size")
