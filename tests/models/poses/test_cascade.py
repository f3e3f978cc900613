"""The cascade: layouts survive as latents, one hypothesis costs what it misses, and several cost at most the best of them."""

import pytest
import torch

from motes.errors import UserError
from motes.models.poses.cascade import CascadeConfig, CascadedRefinement, Layout, one_hot
from motes.nn.coders.refinement import pyramid_sizes
from motes.types.batch import Batch
from motes.weights.reconstruction import error_map_loss


def made(**options):
    torch.manual_seed(0)
    small = {
        "image_size": (16, 24),
        "widths": (8,),
        "reader_width": 4,
        "reconstruction": "random-features",
        "window": 1,
    }
    return CascadedRefinement(CascadeConfig(**{**small, **options})).eval()


def streets(count=3):
    random = torch.Generator().manual_seed(1)
    layout = torch.randint(5, (count, 4, 6), generator=random).repeat_interleave(4, 1).repeat_interleave(4, 2)
    return Batch(
        torch.rand(count, 3, 16, 24, generator=random), torch.arange(count), labels={"layout": layout}
    )


def test_a_told_layout_is_what_the_latent_says():
    told = streets().labels["layout"]
    latent = Layout.of_classes(told, 5)
    assert torch.equal(latent.classes, told) and latent.shares.amax(1).min() > 0.999
    assert latent.relief.mean((2, 3)).abs().max() < 1e-4
    more = latent.with_code(latent.code + 30 * torch.eye(5)[3])
    assert (more.classes == 3).all(), "enough of a class is that class everywhere"


def test_one_hypothesis_costs_the_sum_of_what_is_wrong_at_every_level():
    model, batch = made(pixels=0.5), streets()
    drawn = model.draw(one_hot(batch.labels["layout"], 5))
    maps = error_map_loss("random-features")(drawn[:, 0], batch.image)
    expected = sum((0.5, 1, 0.5, 0.25, 0.125)[n] * one.mean((1, 2)) for n, one in enumerate(maps))
    terms = model.loss(batch).terms
    torch.testing.assert_close(terms["best of each class"], expected)
    torch.testing.assert_close(terms["one for all classes"], expected)


def test_each_class_takes_the_picture_that_has_it_best():
    model, batch = made(hypotheses=2, reconstruction="mse", pixels=1.0), streets()
    layout = one_hot(batch.labels["layout"], 5)
    left, right = layout[:, :2].sum(1, keepdim=True), layout[:, 2:].sum(1, keepdim=True)
    drawn = torch.stack(
        [batch.image + 0.3 * right, batch.image - 0.2 * left], 1
    )  # each is right in some classes
    costs = model.costs(drawn, batch.image, layout)
    assert costs[:, 0, :2].abs().max() < 1e-6 and costs[:, 1, 2:].abs().max() < 1e-6
    torch.testing.assert_close(costs[:, 0].sum(1), 0.3 * right.mean((1, 2, 3)))
    terms = model.loss(batch).terms
    assert (terms["best of each class"] <= terms["one for all classes"] + 1e-6).all()


def test_hypotheses_differ_and_the_first_is_decoded():
    model = made(hypotheses=3)
    latent = Layout.of_classes(streets().labels["layout"], 5)
    with torch.no_grad():
        several = model.hypotheses(latent)
        assert several.shape == (3, 3, 3, 16, 24) and torch.equal(several[:, 0], model.decode(latent))
    assert (several[:, 0] - several[:, 1]).abs().mean() > 0.01


def test_sizes_double_from_coarse_to_fine():
    assert pyramid_sizes((48, 80), 4) == [(6, 10), (12, 20), (24, 40), (48, 80)]
    assert pyramid_sizes((33, 9), 4) == [(17, 5), (33, 9)]


def test_layouts_that_do_not_fit_get_a_sentence():
    batch = streets()
    with pytest.raises(UserError, match=r"knows 4 classes.*set model\.classes"):
        made(classes=4).loss(batch)
    with pytest.raises(UserError, match="one for each pixel"):
        made().loss(Batch(batch.image, batch.index, labels={"layout": batch.labels["layout"][:, :8]}))


def test_windows_forgive_where_a_texture_lies_and_not_what_it_is():
    stripes = (torch.arange(24) % 2).float().expand(1, 3, 16, 24)
    placed, averaged = error_map_loss("random-features", 1), error_map_loss("random-features", 8)
    shifted, plain = stripes.roll(1, 3), torch.full_like(stripes, 0.5)

    def finest(loss, drawn):
        return loss(drawn, stripes)[1].mean()

    assert finest(averaged, stripes + 0.2) < 1e-5 < finest(placed, stripes + 0.2), (
        "another colour under them: for the pixels to tell"
    )
    assert finest(averaged, shifted) < 0.3 * finest(averaged, plain), "the same stripes, a pixel on"
    assert finest(placed, shifted) > 0.7 * finest(placed, plain), (
        "place by place, no stripes are better than shifted ones"
    )


def test_windows_tell_hues_and_strength():
    stripes = (torch.arange(24) % 2).float().expand(1, 3, 16, 24)
    shifted, loss = stripes.roll(1, 3), error_map_loss("random-features", 8)

    def wrong(drawn):
        return loss(drawn, stripes)[1].mean()

    assert wrong(stripes) == 0
    coloured = torch.cat([shifted[:, :1], stripes[:, 1:]], 1)
    assert wrong(shifted) < 0.3 * wrong(coloured), (
        "every channel is as wanted; which colours go together is not"
    )
    assert wrong(shifted) < 0.3 * wrong(0.5 + 0.5 * (stripes - 0.5)), "fainter"
