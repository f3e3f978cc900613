"""Slots share pixels out; edits are pure, exact, and touch one slot of one picture."""

from dataclasses import replace

import pytest
import torch

from motes.types.slots import Slots


def some(count=3):
    random = torch.Generator().manual_seed(0)
    return Slots(
        torch.randn(2, count, 4, generator=random),
        torch.randn(2, count, 4, generator=random),
        torch.ones(2, count),
        torch.randn(2, count, 5, 6, generator=random),
        torch.rand(2, count, 3, 5, 6, generator=random),
        torch.zeros(2),
    )


def test_masks_share_every_pixel_out_and_mix_the_colours():
    slots = some()
    torch.testing.assert_close(slots.masks.sum(1), torch.ones(2, 5, 6))
    torch.testing.assert_close(
        slots.mixed(), (slots.mask_logits.softmax(1)[:, :, None] * slots.colours).sum(1)
    )


def test_a_slot_left_out_is_as_if_it_had_never_been():
    without = some().without(1)
    torch.testing.assert_close(without.masks[0, [0, 2]], some().mask_logits[0, [0, 2]].softmax(0))
    assert without.masks[0, 1].max() == 0 and torch.equal(without.masks[1], some().masks[1])
    assert without.believed.tolist() == [[True, False, True], [True, True, True]]


def test_where_no_slot_is_left_nothing_is_drawn():
    empty = some().without(0).without(1).without(2)
    assert empty.masks[0].max() == 0 and empty.mixed()[0].abs().max() == 0
    assert torch.equal(empty.mixed()[1], some().mixed()[1])


def test_other_codes_have_no_layers_until_they_are_drawn():
    changed = some().traversed(2, 3, 1.5, picture=1)
    assert changed.codes[1, 2, 3] == 1.5 and changed.mask_logits is None and changed.colours is None
    difference = changed.codes != some().codes
    assert difference.nonzero().tolist() == [[1, 2, 3]]
    with pytest.raises(AssertionError, match="have not been drawn"):
        changed.mixed()


def test_swapped_slots_change_places_with_all_they_have():
    slots = some().swapped(0, 2, picture=0, other_picture=1)
    for name, value in slots.per_slot().items():
        before = getattr(some(), name)
        assert torch.equal(value[0, 0], before[1, 2]) and torch.equal(value[1, 2], before[0, 0]), name
        assert torch.equal(value[:, 1], before[:, 1]), name
    within = some().swapped(0, 1)
    assert torch.equal(within.mixed()[1], some().mixed()[1])
    torch.testing.assert_close(within.mixed(), some().mixed())


def test_a_joined_slot_takes_its_share():
    picture, other = some()[0], some()[1]
    more = picture.joined(other, 2)
    assert more.count == 4 and more.bound is None
    logits = torch.cat([picture.mask_logits, other.mask_logits[:, 2:]], 1)
    torch.testing.assert_close(more.masks, logits.softmax(1))


def test_order_changes_no_pixel():
    turned = some().restacked([2, 0, 1])
    assert torch.equal(turned.codes[:, 0], some().codes[:, 2])
    torch.testing.assert_close(turned.mixed(), some().mixed())


def test_edits_leave_the_original_as_it_is():
    before = some()
    copies = {name: value.clone() for name, value in before.tensors().items()}
    before.without(0), before.traversed(0, 0, 9.0), before.swapped(0, 1), before.with_slot_of(some(), 1, 0)
    assert all(torch.equal(value, before.tensors()[name]) for name, value in copies.items())


def on_a_ground():
    return replace(
        some(),
        ground=torch.full((2, 3, 5, 6), 0.25),
        fits=torch.linspace(-3, 3, 90).view(1, 3, 5, 6).expand(2, -1, -1, -1),
    )


def test_a_ground_takes_part_in_the_masks_with_logit_0():
    slots = on_a_ground()
    behind = torch.cat([torch.zeros(2, 1, 5, 6), slots.mask_logits], 1).softmax(1)
    torch.testing.assert_close(slots.masks, behind[:, 1:])
    picture = (slots.masks[:, :, None] * slots.colours).sum(1) + behind[:, :1] * 0.25
    torch.testing.assert_close(slots.mixed(), picture)
    empty = slots.without(0).without(1).without(2)
    assert torch.equal(empty.mixed()[0], slots.ground[0])


def test_shares_are_masks_weighed_by_how_well_each_colour_fits():
    slots = on_a_ground()
    joint = torch.cat([torch.zeros(2, 1, 5, 6), slots.mask_logits + slots.fits], 1).softmax(1)
    torch.testing.assert_close(slots.shares, joint)
    groundless = replace(slots, ground=None)
    torch.testing.assert_close(groundless.shares[:, 1:], (slots.mask_logits + slots.fits).softmax(1))
    assert groundless.shares[:, 0].max() == 0
    nobody = groundless.without(0).without(1).without(2)
    assert nobody.shares[0, 0].min() == 1


def test_fits_stay_with_their_picture():
    slots = on_a_ground()
    assert torch.equal(slots.restacked([2, 0, 1]).fits, slots.fits[:, [2, 0, 1]])
    assert slots.with_slot_of(slots, 0, 1, other_picture=1).fits is None
    assert slots[:1].joined(slots, 1, other_picture=1).fits is None
