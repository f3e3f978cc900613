"""Which pictures of a folder are masks, and of which other picture: told by the names of files and folders.
Opens nothing, imports no torch.

images/a.tif with masks/a.png        either folder may have splits below or above it: train/images,
images/train a.png with a_mask.png                a_img.png with a_masks.png, a.png with a_cp_masks.png
ID/images/a.png with ID/masks/*.png  where an images folder holds one picture: one mask for each thing
"""

import re
from collections.abc import Iterable
from pathlib import Path

OF_PICTURES = (
    "images",
    "image",
    "imgs",
    "img",
    "pictures",
    "frames",
    "raw",
    "rgb",
    "jpegimages",
)  # folders, and last words of names
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

Key = tuple[str, ...]  # a file's place without the words that say whether it is a mask


def pair(files: Iterable[Path], root: Path) -> dict[Path, list[Path]]:
    """Every picture that is no mask, in the order given, and its masks. Empty where nothing here is the mask
    of a picture."""
    pictures: dict[Path, list[Path]] = {}
    masks: list[tuple[Path, Key]] = []
    keys: dict[Key, Path] = {}
    alone: dict[Key, list[Path]] = {}  # the pictures of each folder
    for file in files:
        key, is_mask = _key(file.relative_to(root))
        if is_mask:
            masks.append((file, key))
        else:
            pictures[file] = []
            keys.setdefault(key, file)
            alone.setdefault(key[:-1], []).append(file)
    for mask, key in masks:
        near = alone.get(key[:-1], [])
        owner = keys.get(key) or (near[0] if len(near) == 1 and near[0].parent != mask.parent else None)
        if owner is not None:
            pictures[owner].append(mask)
    return pictures if any(pictures.values()) else {}


def _key(place: Path) -> tuple[Key, bool]:
    folders = [part.lower() for part in place.parent.parts]
    word = next((part for part in reversed(folders) if part in OF_MASKS or part in OF_PICTURES), "")
    if word:
        folders.pop(len(folders) - 1 - folders[::-1].index(word))
    stem = place.stem
    found = _LAST_WORD.match(place.stem)
    if found:
        stem = found[1]
        word = word if word in OF_MASKS else found[2].lower()
    return (*folders, stem.lower()), word in OF_MASKS
