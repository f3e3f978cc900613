"""Read picture files of any kind into arrays of one size: sixteen bits, palettes, transparency, CMYK, camera
orientation."""

import warnings
from io import BufferedReader, BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from motes.errors import UserError

FITS = ("fit", "stretch", "crop")
DARK = 32
LARGEST = 89_000_000  # pixels; more is taken for a decompression bomb


def load_picture(path: Path, size: tuple[int, int], channels: int = 3, fit: str = "fit") -> np.ndarray:
    """uint8, C H W. `fit`: scale until it covers, cut the middle; `stretch`: scale both sides; `crop`: cut
    the middle, scale only if too small."""
    return to_size(read_picture(path), size, channels, fit)


def to_size(
    picture: Image.Image, size: tuple[int, int], channels: int = 3, fit: str = "fit", smooth: bool = True
) -> np.ndarray:
    """uint8, C H W, as `load_picture` does it. Not smooth: each pixel is one of the picture's own, for maps
    of numbers."""
    picture = picture.convert("RGB" if channels == 3 else "L")
    rows, columns = size
    way = Image.Resampling.BICUBIC if smooth else Image.Resampling.NEAREST
    if fit == "stretch":
        picture = picture.resize((columns, rows), way)
    elif fit == "crop" and picture.width >= columns and picture.height >= rows:
        left = (picture.width - columns) // 2
        top = (picture.height - rows) // 2
        picture = picture.crop((left, top, left + columns, top + rows))
    else:
        picture = ImageOps.fit(picture, (columns, rows), way)
    return colours_first(np.asarray(picture, np.uint8))


def colours_first(pixels: np.ndarray) -> np.ndarray:
    """H W or H W C to C H W, one block of memory."""
    return np.ascontiguousarray(pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1))


def numbers_to_size(numbers: np.ndarray, size: tuple[int, int], fit: str = "fit") -> np.ndarray:
    """uint16, H W: a map of numbers, each pixel of it one of the map's own. Pictures have one byte a pixel,
    there may be more things."""
    low, high = (
        to_size(Image.fromarray((numbers >> shift & 255).astype(np.uint8)), size, 1, fit, smooth=False)[0]
        for shift in (0, 8)
    )
    return low + (high.astype(np.uint16) << 8)


def cut(picture: Image.Image, crop: tuple[int, int, int, int], where: object) -> Image.Image:
    """A part of a picture: first row, first column, rows, columns; zeros: all of it."""
    if not any(crop):
        return picture
    top, left, rows, columns = crop
    if (
        min(top, left) < 0
        or min(rows, columns) < 1
        or top + rows > picture.height
        or left + columns > picture.width
    ):
        raise UserError(
            f"crop {crop} (first row, first column, rows, columns) does not lie in {where}, which has {picture.height} x {picture.width} pixels"
        )
    return picture.crop((left, top, left + columns, top + rows))


def moved(
    points: np.ndarray,
    whole: tuple[int, int],
    crop: tuple[int, int, int, int],
    size: tuple[int, int],
    fit: str,
) -> np.ndarray:
    """Points (row, column) in pixels of a whole picture to [-1, 1] of what `cut` and then `to_size` make of
    it."""
    corner = np.array(crop[:2], np.float64)
    cut_size = np.array(crop[2:] if any(crop) else whole, np.float64)
    wanted = np.array(size, np.float64)
    scale = wanted / cut_size
    if fit == "crop" and (cut_size >= wanted).all():
        scale = np.ones(2)
        corner = corner + (cut_size - wanted).astype(int) // 2
    elif fit != "stretch":
        scale = np.full(2, scale.max())
        corner = corner + (cut_size - wanted / scale) / 2
    inside = (points - corner + 0.5) * scale - 0.5  # 0 is the middle of the first pixel
    return (inside / (wanted - 1) * 2 - 1).astype(np.float32)


def check_looks(image_size: tuple[int, int], channels: int, fit: str = "fit") -> None:
    """Refuse options that no picture can have."""
    if fit not in FITS:
        raise UserError(f"fit {fit!r} is unknown; choose one of {', '.join(FITS)}")
    if min(image_size) < 1 or channels not in (1, 3):
        raise UserError(f"pictures of {image_size} with {channels} channels cannot be; channels is 1 or 3")


def warn_if_black(brightest: int, where: object) -> None:
    """Of bytes. Microscopes put twelve bits into sixteen; and masks of numbers, taken for pictures, show
    nothing either."""
    if 0 < brightest < DARK:
        warnings.warn(
            f"the pictures in {where} are nearly black: none of their values reaches {DARK} of 255. "
            "Those of sixteen bits should count to 65535; if yours count to 4095, save them multiplied by 16",
            stacklevel=4,
        )


def read_picture(path: Path, told: tuple[int, int] | None = None) -> Image.Image:
    """RGB or grey, turned as the camera was held; what is transparent becomes white.

    Not turned where its width and height are `told` to be those before turning: annotations were made on it
    like that.
    """
    try:
        with path.open("rb") as file:
            return read_bytes(file, path, told)
    except FileNotFoundError:
        raise UserError(f"{path} does not exist") from None
    except IsADirectoryError:
        raise UserError(f"{path} is a folder, not a picture") from None
    except PermissionError:
        raise UserError(f"{path} may not be read; see its permissions") from None


def read_bytes(
    file: BytesIO | BufferedReader, where: object, told: tuple[int, int] | None = None
) -> Image.Image:
    """As `read_picture`, of an open file or of bytes in memory; `where` is named in errors."""
    try:
        with Image.open(file) as opened:
            if opened.width * opened.height > LARGEST:
                raise UserError(
                    f"{where} has {opened.width} x {opened.height} pixels, more than {LARGEST:,}; scale it down first"
                )
            if opened.format == "TIFF" and (pages := getattr(opened, "n_frames", 1)) > 1:
                warnings.warn(
                    f"{where} has {pages} pages, of which the first is taken; save them as files of their own",
                    stacklevel=4,
                )
            opened.load()
            upright = ImageOps.exif_transpose(opened)
            upright = opened.copy() if told == opened.size != upright.size else upright
    except UserError:
        raise
    except Exception as problem:  # each format's decoder raises what it likes when its file is broken
        reason = _reason(file)
        raise UserError(f"{where} {reason} ({type(problem).__name__})") from None
    try:
        return _plain(upright)
    except ValueError:
        raise UserError(
            f"{where} has {upright.mode} colours, which are not understood; save it as RGB"
        ) from None


def _reason(file: BytesIO | BufferedReader) -> str:
    """Why it cannot be read."""
    empty = not file.seek(0, 2)
    file.seek(0)
    if file.read(4) in (b"II*\0", b"MM\0*"):
        return "is a TIFF that is cut short, or of a kind that Pillow does not read (colours of sixteen bits); save it as PNG"
    return "is empty" if empty else "is no picture, or cut short"


def _plain(picture: Image.Image) -> Image.Image:
    if (
        picture.mode.startswith("I") or picture.mode == "F"
    ):  # sixteen bits and more: PIL would clip them at 255
        values = np.nan_to_num(np.asarray(picture, np.float32))
        return Image.fromarray(
            np.clip(values / _white(picture.mode, float(values.max())) * 255 + 0.5, 0, 255).astype(np.uint8)
        )
    if picture.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in picture.info:
        layered = picture.convert("RGBA")
        white = Image.new("RGBA", layered.size, "white")
        return Image.alpha_composite(white, layered).convert("RGB")
    return picture.convert("L" if picture.mode in ("1", "L") else "RGB")


def _white(mode: str, largest: float) -> float:
    """The value of white: known for sixteen bits, for wider kinds the one of 1 (fractions only), 255 and
    65535 that fits."""
    if mode.startswith("I;16"):
        return 65535.0
    if mode == "F" and largest <= 1:
        return 1.0
    return 255.0 if largest <= 255 else 65535.0
