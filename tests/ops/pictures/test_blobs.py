"""Blobs are the connected pixels of masks, whatever their shape."""

import pytest
import torch
from scipy import ndimage

from motes.ops.pictures.blobs import find_blobs

EVERY_NEIGHBOUR = [[1, 1, 1], [1, 1, 1], [1, 1, 1]]


def by_scipy(mask):
    """Each blob as (box, area)."""
    numbers, _ = ndimage.label(mask.numpy(), structure=EVERY_NEIGHBOUR)
    for number, (rows, columns) in enumerate(ndimage.find_objects(numbers), 1):
        yield (rows.start, columns.start, rows.stop - 1, columns.stop - 1), int((numbers == number).sum())


@pytest.mark.parametrize("density", [0.1, 0.35, 0.45, 0.6, 1.0])
@pytest.mark.parametrize("size", [(17, 23), (40, 1), (1, 40)])
def test_blobs_are_those_that_scipy_labels(density, size):
    masks = torch.rand(4, *size, generator=torch.Generator().manual_seed(0)) < density
    blobs = find_blobs(masks)
    for picture, mask in enumerate(masks):
        mine = [number for number, owner in enumerate(blobs.picture.tolist()) if owner == picture]
        listed = [(tuple(blobs.box[number].tolist()), int(blobs.area[number])) for number in mine]
        assert sorted(listed) == sorted(by_scipy(mask))
    assert torch.equal(blobs.map >= 0, masks)
    assert torch.equal(torch.bincount(blobs.map[masks]), blobs.area)


def test_a_spiral_is_one_blob():
    mask = torch.zeros(1, 31, 31, dtype=torch.bool)
    for inset in range(0, 15, 2):
        ring = slice(inset, 31 - inset)
        mask[0, inset, ring] = mask[0, 30 - inset, ring] = True
        mask[0, ring, inset] = mask[0, ring, 30 - inset] = True
        mask[0, inset + 1, inset] = inset == 14
        mask[0, inset + 2, inset + 1] = True
    assert len(find_blobs(mask).area) == len(list(by_scipy(mask[0]))) == 1


def test_small_blobs_are_left_out_of_lists_and_map():
    mask = torch.zeros(1, 8, 8, dtype=torch.bool)
    mask[0, 1:4, 1:5] = True
    mask[0, 6, 6] = True
    blobs = find_blobs(mask, least_area=2.0)
    assert blobs.box.tolist() == [[1, 1, 3, 4]] and blobs.sides().tolist() == [[3, 4]]
    assert blobs.map[0, 6, 6] == -1 and blobs.map[0, 2, 2] == 0


def test_empty_masks_have_no_blob():
    blobs = find_blobs(torch.zeros(2, 5, 5, dtype=torch.bool))
    assert len(blobs.picture) == len(blobs.box) == 0 and (blobs.map == -1).all()
