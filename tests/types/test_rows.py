"""Records of rows are taken, joined and moved as one."""

import pytest
import torch

from motes.errors import UserError
from motes.types.batch import Batch
from motes.types.latents import Code
from motes.types.rows import Rows
from motes.types.truth import Truth


def truth():
    return Truth(
        torch.ones(3, 2, dtype=torch.bool),
        centres=torch.arange(12.0).reshape(3, 2, 2),
        factors={"size": torch.arange(6.0).reshape(3, 2)},
        scene={"identity": torch.tensor([5, 6, 7])},
    )


def test_an_index_takes_the_same_rows_of_every_tensor_and_of_mappings():
    some = truth()[[2, 0]]
    assert len(some) == 2 and some.masks is None
    assert some.scene["identity"].tolist() == [7, 5] and some.factors["size"].tolist() == [[4, 5], [0, 1]]
    assert truth()[1].centres.tolist() == truth()[1:2].centres.tolist() == [[[4, 5], [6, 7]]]
    assert truth()[torch.tensor([True, False, True])].scene["identity"].tolist() == [5, 7]


def test_rows_taken_apart_and_joined_are_the_same():
    before = truth()
    after = Rows.cat([before[:1], before[1:]])
    assert isinstance(after, Truth)
    assert (
        before.tensors().keys()
        == after.tensors().keys()
        == {"present", "centres", "factors.size", "scene.identity"}
    )
    assert all(torch.equal(value, after.tensors()[name]) for name, value in before.tensors().items())


def test_detached_rows_carry_no_gradient_and_moved_rows_are_all_moved():
    code = Code(torch.zeros(2, 3, requires_grad=True) * 2, torch.zeros(2, 3, requires_grad=True) * 2)
    assert not any(value.requires_grad for value in code.detach().tensors().values())
    moved = truth().to("meta")
    assert all(value.is_meta for value in moved.tensors().values())


def test_tensors_are_replaced_by_their_names_and_the_others_stay():
    before = truth()
    after = before.with_tensors({"factors.size": torch.zeros(3, 2), "centres": torch.ones(3, 2, 2)})
    assert after.factors["size"].sum() == 0 and after.centres.min() == 1
    assert after.present is before.present and before.factors["size"].sum() > 0
    with pytest.raises(KeyError, match="Truth has no masks here"):
        before.with_tensors({"masks": torch.zeros(3, 2, 4, 4)})


def clips():
    return Batch(torch.rand(6, 3, 4, 4), torch.arange(6), frames=3, labels={"class": torch.arange(6)})


def test_a_batch_of_clips_is_seen_clip_by_clip():
    assert clips().clips(clips().index).tolist() == [[0, 1, 2], [3, 4, 5]]
    assert clips().clip.tolist() == [0, 0, 0, 1, 1, 1]
    assert [part.index.tolist() for part in clips().chunks(1)] == [[0, 1, 2], [3, 4, 5]]
    assert [part.labels["class"].tolist() for part in clips().chunks(5)] == [[0, 1, 2], [3, 4, 5]]
    assert [part.frames for part in clips().chunks(6)] == [3]
    assert clips().to("cpu").frames == 3


def test_pictures_taken_out_of_clips_stand_alone():
    assert clips()[[0, 5]].frames == 1 and clips()[[0, 5]].labels["class"].tolist() == [0, 5]


def test_a_batch_of_no_whole_clips_is_refused():
    with pytest.raises(UserError, match="4 pictures are no whole clips of 3 frames"):
        Batch(torch.rand(4, 3, 4, 4), torch.arange(4), frames=3)
