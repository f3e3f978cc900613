"""Streets: the layout has the class of each pixel, and each class looks different from the others."""

import hashlib

import torch

from motes.data.worlds.roads.streets import CLASSES, Streets, StreetsConfig


def classes_and_pixels(count=60, **options):
    data = Streets(StreetsConfig(image_size=(32, 64), **options))
    return data.truth(range(count)).scene["layout"], data.batch(range(count)).image


def test_pictures_are_the_same_on_every_machine():
    data = Streets(StreetsConfig(), "test")
    assert hashlib.sha256(data.pixels(range(12)).tobytes()).hexdigest()[:16] == "47a8258c7086190a"
    assert (Streets(StreetsConfig(), "test").pixels([7])[0] == data.pixels([3, 7])[1]).all()
    assert torch.equal(
        Streets(StreetsConfig(), "test").truth([7]).scene["layout"][0], data.truth([7, 3]).scene["layout"][0]
    )


def test_every_class_is_somewhere_the_sky_above_and_the_road_below():
    layout, _ = classes_and_pixels()
    assert set(layout.unique().tolist()) == set(range(len(CLASSES)))
    share_of_rows = [(layout == n).float().mean((0, 2)) for n in range(len(CLASSES))]
    assert (layout[:, -1] == 0).sum() == 0 and share_of_rows[1][-1] > 0.5 and share_of_rows[1][0] == 0
    share = torch.stack(share_of_rows).mean(1)
    assert share.min() > 0.02, "cars and trees are not rare"


def test_each_class_has_its_own_look():
    layout, image = classes_and_pixels()
    mean = torch.stack([image.mT.permute(0, 2, 3, 1)[layout.mT == n].mean(0) for n in range(len(CLASSES))])
    assert torch.pdist(mean).min() > 0.05
    rough = (image.diff(dim=3).abs().mean(1), (layout[..., 1:] == layout[..., :-1]))
    inside = torch.stack([rough[0][rough[1] & (layout[..., 1:] == n)].mean() for n in range(len(CLASSES))])
    assert inside[0] < 0.5 * inside[1:].min(), "the sky is smooth, all else has texture"


def test_splits_and_seeds_differ():
    pictures = [
        Streets(StreetsConfig(seed=seed), split).pixels([0]).tobytes()
        for seed, split in ((0, "train"), (0, "test"), (1, "train"))
    ]
    assert len(set(pictures)) == 3
