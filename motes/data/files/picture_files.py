"""Read picture files of any kind as arrays of one size.

Pictures may have sixteen bits, palettes, transparency or CMYK, or a mark that the camera was turned.
"""

import warnings
from collections.abc import Sequence
from io import BufferedReader, BytesIO
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageOps

from motes.errors import UserError

# no value of nearly black pictures reaches it
DARK = 32
# pixels; a file with more is taken for a decompression bomb
LARGEST = 89_000_000
# the first bytes of a TIFF
TIFF = (b"II*\0", b"MM\0*")
# rows of a picture that are laid over white at once
STRIP = 256


def load_picture(path: Path, size: tuple[int, int], channels: int = 3, fit: str = "fit") -> np.ndarray:
    """The picture in a file, fitted to this size: uint8, C H W. There are three ways to fit it:

    fit        scale until it covers the size, then cut the middle
    stretch    scale both sides
    crop       cut the middle, and scale only if the picture is too small
    """
    return to_size(read_picture(path), size, channels, fit)


def to_size(
    picture: Image.Image, size: tuple[int, int], channels: int = 3, fit: str = "fit", smooth: bool = True
) -> np.ndarray:
    """An opened picture, fitted to this size as by `load_picture`: uint8, C H W.

    If not `smooth`, each new pixel has the value of one old pixel, as maps of numbers need it.
    """
    picture = picture.convert("RGB" if channels == 3 else "L")
    resampling = Image.Resampling.BICUBIC if smooth else Image.Resampling.NEAREST
    return colours_first(np.asarray(FITS[fit](picture, size, resampling), np.uint8))


def _covering(picture: Image.Image, size: tuple[int, int], resampling: Image.Resampling) -> Image.Image:
    return ImageOps.fit(picture, (size[1], size[0]), resampling)


def _stretched(picture: Image.Image, size: tuple[int, int], resampling: Image.Resampling) -> Image.Image:
    return picture.resize((size[1], size[0]), resampling)


def _middle(picture: Image.Image, size: tuple[int, int], resampling: Image.Resampling) -> Image.Image:
    rows, columns = size
    if picture.width < columns or picture.height < rows:
        return _covering(picture, size, resampling)
    left = (picture.width - columns) // 2
    top = (picture.height - rows) // 2
    return picture.crop((left, top, left + columns, top + rows))


FITS = {"fit": _covering, "stretch": _stretched, "crop": _middle}


def colours_first(pixels: np.ndarray) -> np.ndarray:
    """Pixels H W or H W C as an array C H W, in one block of memory."""
    return np.ascontiguousarray(pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1))


def numbers_to_size(numbers: np.ndarray, size: tuple[int, int], fit: str = "fit") -> np.ndarray:
    """A map of numbers at another size, with no numbers in it that were not there before: uint16, H W.

    Low and high bytes are scaled separately: pictures have one byte per pixel, and there may be more things.
    """

    def scaled(bits: np.ndarray) -> np.ndarray:
        return to_size(Image.fromarray((bits & 255).astype(np.uint8)), size, 1, fit, smooth=False)[0]

    return scaled(numbers) + (scaled(numbers >> 8).astype(np.uint16) << 8)


def cropped(picture: Image.Image, crop: tuple[int, int, int, int], where: object) -> Image.Image:
    """A part of a picture; `crop` is first row, first column, rows, columns. If they are zeros, all of it.

    `where` is named in errors.
    """
    if not any(crop):
        return picture
    top, left, rows, columns = crop
    fits = top + rows <= picture.height and left + columns <= picture.width
    if min(top, left) < 0 or min(rows, columns) < 1 or not fits:
        raise UserError(
            f"crop {crop} (first row, first column, rows, columns) does not lie in {where}, "
            f"which has {picture.height} x {picture.width} pixels"
        )
    return picture.crop((left, top, left + columns, top + rows))


def moved(
    points: np.ndarray,
    picture_size: tuple[int, int],
    crop: tuple[int, int, int, int],
    size: tuple[int, int],
    fit: str,
) -> np.ndarray:
    """Points (row, column), in pixels of a picture, as positions in [-1, 1] of the picture after crop and
    resizing.

    The crop is that of `cropped`, the resizing that of `to_size`.
    """
    scale, corner = _scale_and_corner(picture_size, crop, size, fit)
    # 0 is the middle of the first pixel
    pixels = (points - corner + 0.5) * scale - 0.5
    return (pixels / (np.array(size, np.float64) - 1) * 2 - 1).astype(np.float32)


def moved_back(
    pixels: np.ndarray, picture_size: tuple[int, int], size: tuple[int, int], fit: str
) -> np.ndarray:
    """Pixels (row, column) of a picture that was resized as by `to_size`, as pixels of the picture before."""
    scale, corner = _scale_and_corner(picture_size, (0, 0, 0, 0), size, fit)
    return (pixels + 0.5) / scale - 0.5 + corner


def _scale_and_corner(
    picture_size: tuple[int, int], crop: tuple[int, int, int, int], size: tuple[int, int], fit: str
) -> tuple[np.ndarray, np.ndarray]:
    """By how much crop and resizing scale each side, and which pixel comes to the upper left corner."""
    corner = np.array(crop[:2], np.float64)
    part_size = np.array(crop[2:] if any(crop) else picture_size, np.float64)
    new_size = np.array(size, np.float64)
    scale = new_size / part_size
    if fit == "crop" and (part_size >= new_size).all():
        return np.ones(2), corner + (part_size - new_size).astype(int) // 2
    if fit != "stretch":
        scale = np.full(2, scale.max())
        corner = corner + (part_size - new_size / scale) / 2
    return scale, corner


def moved_edges(
    box: Sequence[float | int], picture_size: tuple[int, int], size: tuple[int, int], fit: str
) -> np.ndarray:
    """The upper left and the lower right corner of a box, (row, column) in pixels of the resized picture.

    `box` is left, top, width, height in pixels of the picture. Corners lie on the edges of pixels, where pixel
    i reaches from i to i + 1.
    """
    left, top, width, height = box
    corners = np.array([[top, left], [top + height, left + width]]) - 0.5
    places = moved(corners, picture_size, (0, 0, 0, 0), size, fit).astype(np.float64)
    return (places + 1) / 2 * (np.array(size) - 1) + 0.5


def pixels_between(first: np.ndarray, last: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The first row and column and the last row and column of the pixels whose centres lie between a box's
    edges.

    `first` and `last` are the edges (row, column) in pixels, where pixel i reaches from i to i + 1. Pixels
    outside the picture do not count.
    """
    return np.concatenate([np.maximum(np.floor(first + 0.5), 0), np.minimum(np.ceil(last - 0.5), size) - 1])


def check_looks(image_size: tuple[int, int], channels: int, fit: str = "fit") -> None:
    """Refuse options that no picture can have."""
    if fit not in FITS:
        raise UserError(f"fit {fit!r} is unknown; choose one of {', '.join(FITS)}")
    if min(image_size) < 1 or channels not in (1, 3):
        raise UserError(f"pictures of {image_size} with {channels} channels cannot be; channels is 1 or 3")


def warn_if_black(brightest: int, where: object) -> None:
    """Warn if the brightest value of a picture, in bytes, is so low that the picture looks black.

    Microscopes put twelve bits into sixteen, and masks of numbers that are taken for pictures look black too.
    """
    if 0 < brightest < DARK:
        warnings.warn(
            f"the pictures in {where} are nearly black: none of their values reaches {DARK} of 255. "
            "Those of sixteen bits should count to 65535; if yours count to 4095, save them multiplied by 16",
            stacklevel=4,
        )


def read_picture(path: Path, annotated_size: tuple[int, int] | None = None) -> Image.Image:
    """The picture in a file, RGB or grey, upright as the camera was held; transparent parts become white.

    `annotated_size`: the width and height that annotations give. A picture that has them before it is turned
    is not turned, for its annotations were made on it like that.
    """
    try:
        with path.open("rb") as file:
            return read_bytes(file, path, annotated_size)
    except FileNotFoundError:
        raise UserError(f"{path} does not exist") from None
    except IsADirectoryError:
        raise UserError(f"{path} is a folder, not a picture") from None
    except PermissionError:
        raise UserError(f"{path} may not be read; see its permissions") from None


def read_bytes(
    file: BytesIO | BufferedReader, where: object, annotated_size: tuple[int, int] | None = None
) -> Image.Image:
    """Read a picture as `read_picture` does, from an open file or from bytes; `where` is named in errors."""
    try:
        with Image.open(file) as opened:
            _check_opened(opened, where)
            opened.load()
            if annotated_size != opened.size or not _lies(opened):
                ImageOps.exif_transpose(opened, in_place=True)
    except UserError:
        raise
    except MemoryError:
        raise UserError(f"{where} takes more memory than there is; scale it down first") from None
    except Exception as problem:  # each format's decoder raises what it likes when its file is broken
        raise UserError(f"{where} {_reason(file)} ({type(problem).__name__})") from None
    try:
        return _bytes_of_colours(opened)
    except ValueError:
        raise UserError(
            f"{where} has {opened.mode} colours, which are not understood; save it as RGB"
        ) from None


def _check_opened(opened: Image.Image, where: object) -> None:
    """Check the size and the number of pages of an opened picture before any pixel is decoded."""
    if opened.width * opened.height > LARGEST:
        raise UserError(
            f"{where} has {opened.width} x {opened.height} pixels, more than {LARGEST:,}; scale it down first"
        )
    # to count the pages would be to read through them all
    if opened.format == "TIFF" and getattr(opened, "is_animated", False):
        warnings.warn(
            f"{where} has several pages, of which the first is taken; save them as files of their own",
            stacklevel=5,
        )


def _lies(opened: Image.Image) -> bool:
    """Whether the camera was held so that turning the picture upright swaps its sides."""
    return opened.getexif().get(ExifTags.Base.Orientation, 1) >= 5 and opened.width != opened.height


def _reason(file: BytesIO | BufferedReader) -> str:
    """Why a file cannot be read as a picture, in words for an error."""
    file.seek(0)
    head = file.read(4)
    if head in TIFF:
        return (
            "is a TIFF that is cut short, or of a kind that Pillow does not read "
            "(colours of sixteen bits); save it as PNG"
        )
    return "is no picture, or cut short" if head else "is empty"


def _bytes_of_colours(picture: Image.Image) -> Image.Image:
    """The picture in bytes, RGB or grey; transparent parts become white."""
    # sixteen bits and more: PIL would clip them at 255
    if picture.mode.startswith("I") or picture.mode == "F":
        return _bytes_of_numbers(picture)
    if picture.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in picture.info:
        return _over_white(picture)
    mode = "L" if picture.mode in ("1", "L") else "RGB"
    return picture if picture.mode == mode else picture.convert(mode)


def _over_white(picture: Image.Image) -> Image.Image:
    """The picture over white, strip by strip: each step on a whole picture would take its memory once more."""
    flat = Image.new("RGB", picture.size)
    for top in range(0, picture.height, STRIP):
        bottom = min(top + STRIP, picture.height)
        strip = picture.crop((0, top, picture.width, bottom)).convert("RGBA")
        white = Image.new("RGBA", strip.size, "white")
        flat.paste(Image.alpha_composite(white, strip).convert("RGB"), (0, top))
    return flat


def _bytes_of_numbers(picture: Image.Image) -> Image.Image:
    values = np.array(picture, np.float32)
    np.nan_to_num(values, copy=False)
    values /= _white(picture.mode, float(values.max()))
    values *= 255
    values += 0.5
    return Image.fromarray(values.clip(0, 255, out=values).astype(np.uint8))


def _white(mode: str, largest: float) -> float:
    """The value that stands for white: known for sixteen bits, else the one of 1 (fractions only), 255 and
    65535 that fits this largest value."""
    if mode.startswith("I;16"):
        return 65535.0
    if mode == "F" and largest <= 1:
        return 1.0
    return 255.0 if largest <= 255 else 65535.0
