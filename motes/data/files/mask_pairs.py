"""Find out, by the names of files and folders, which pictures of a folder are masks, and of which picture.

It opens no file and imports no torch.

images/a.tif with masks/a.png
    either folder may have splits below or above it: train/images, images/train
a.png with a_mask.png, a_img.png with a_masks.png, a.png with a_cp_masks.png
ID/images/a.png with ID/masks/*.png
    if an images folder holds one picture: one mask for each thing
"""

import re
from collections.abc import Iterable
from pathlib import Path

# names of folders, and last words of names of files
OF_PICTURES = ("images", "image", "imgs", "img", "pictures", "frames", "raw", "rgb", "jpegimages")
OF_MASKS = (
    "masks",
    "mask",
    "labels",
    "label",
    "segmentations",
    "segmentation",
    "seg",
    "instances",
    "gt",
    "annotations",
    "segmentationobject",
)
_LAST_WORD = re.compile(
    r"^(.+?)(?:[_ .-]cp)?[_ .-](" + "|".join((*OF_MASKS, *OF_PICTURES)) + r")$", re.IGNORECASE
)

# a file's path without the words that say whether it is a mask
Key = tuple[str, ...]


def pair(files: Iterable[Path], root: Path) -> dict[Path, list[Path]]:
    """Every picture that is not a mask, in the given order, with its masks.

    The result is empty if no file is the mask of a picture.
    """
    pictures: dict[Path, list[Path]] = {}
    masks: list[tuple[Path, Key]] = []
    picture_of_key: dict[Key, Path] = {}
    pictures_in: dict[Key, list[Path]] = {}
    for file in files:
        key, is_mask = _key(file.relative_to(root))
        if is_mask:
            masks.append((file, key))
            continue
        pictures[file] = []
        picture_of_key.setdefault(key, file)
        pictures_in.setdefault(key[:-1], []).append(file)
    for mask, key in masks:
        picture = picture_of_key.get(key) or _only_picture(mask, pictures_in.get(key[:-1], []))
        if picture is not None:
            pictures[picture].append(mask)
    return pictures if any(pictures.values()) else {}


def has_mask(names: Iterable[str], root: Path) -> bool:
    """Whether any of these files below `root` is a mask by its name."""
    return any(_key(Path(name).relative_to(root))[1] for name in names)


def _only_picture(mask: Path, near: list[Path]) -> Path | None:
    """The picture for a mask, if the folder of images beside the mask's folder holds only one; otherwise
    None."""
    return near[0] if len(near) == 1 and near[0].parent != mask.parent else None


def _key(path: Path) -> tuple[Key, bool]:
    """The key that a picture and its masks share, made of the file's path, and whether the file is a mask."""
    folders = [part.lower() for part in path.parent.parts]
    word = next((part for part in reversed(folders) if part in OF_MASKS or part in OF_PICTURES), "")
    if word:
        folders.pop(len(folders) - 1 - folders[::-1].index(word))
    stem = path.stem
    if last_word := _LAST_WORD.match(stem):
        stem = last_word[1]
        word = word if word in OF_MASKS else last_word[2].lower()
    return (*folders, stem.lower()), word in OF_MASKS
