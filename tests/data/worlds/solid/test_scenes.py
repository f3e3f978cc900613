"""Scenes: nothing stands in another, the camera explains the centres, windows cost no pixel, shadows fall where the lamp does not reach."""

import pytest
import torch

from motes.data.worlds.solid import camera_view
from motes.data.worlds.solid.raycast import trace
from motes.data.worlds.solid.scenes import GAP, SIZES, Scenes, ScenesConfig, _solids
from motes.data.worlds.solid.shading import shaded_picture
from motes.data.worlds.solid.shadows import shadows
from motes.data.worlds.solid.solids import BOX, NEVER
from motes.data.worlds.solid.tabletop import COLOURS, make_view
from motes.errors import UserError


def made(rows, **more):
    data = Scenes(ScenesConfig(**more))
    scene, camera = data._scene(data._dice(rows))
    return _solids(scene), make_view(camera, data.config)


@pytest.mark.parametrize("objects", [(3, 6), (7, 10)])
def test_counts_and_no_interpenetration(objects):
    solids, _ = made(range(150), objects=objects)
    assert solids.present.sum(1).unique().tolist() == list(range(objects[0], objects[1] + 1))
    apart = torch.cdist(solids.centre[..., :2], solids.centre[..., :2])
    room = solids.radius[:, :, None] + solids.radius[:, None] + GAP
    pairs = solids.present[:, :, None] & solids.present[:, None] & ~torch.eye(objects[1], dtype=torch.bool)
    assert (apart - room)[pairs].min() > -1e-4
    low = solids.centre[..., 2] - solids.half_height()
    assert low.abs().max() < 1e-6, "all stand on the floor"


def test_everything_is_in_view_and_seen():
    truth = Scenes(ScenesConfig()).truth(range(150))
    there = truth.whole.flatten(2).any(2)
    assert (there.sum(1) >= 3).all() and truth.centres[there].abs().max() < 0.9
    assert (truth.masks[there].sum((1, 2)) >= 10).float().mean() > 0.99, (
        "hardly anything is hidden but for a sliver"
    )


def test_the_camera_explains_the_centres():
    data = Scenes(ScenesConfig(image_size=(48, 80)))
    truth = data.truth(range(20))
    point = torch.cat([truth.factors["position"], torch.ones(20, 6, 1)], -1)
    row, column, depth = torch.einsum("bij,bnj->ibn", truth.scene["camera"], point)
    there = truth.present
    wanted = (truth.centres + 1) / 2 * torch.tensor([47, 79])
    torch.testing.assert_close(
        torch.stack([row / depth, column / depth], -1)[there], wanted[there], atol=1e-3, rtol=0
    )
    torch.testing.assert_close(depth[there], truth.factors["depth"][there])


def test_windows_cost_no_pixel(monkeypatch):
    solids, view = made(range(12), objects=(3, 10), image_size=(32, 40))
    few = trace(solids, view)
    light = shaded_picture(solids, view, few)
    whole = torch.tensor([0, 0, 64, 80]).expand(solids.kind.numel(), 4)
    monkeypatch.setattr(
        camera_view, "_windows", lambda corners, present, view: whole * present.flatten()[:, None]
    )
    everything = trace(solids, view)
    assert torch.equal(few.distances, everything.distances)
    assert torch.equal(light, shaded_picture(solids, view, everything))


def test_shadows_are_where_the_way_to_the_lamp_is_blocked():
    """Against marching from points of the floor to the lamp through signed distances, one thing at a time."""
    solids, view = made(range(4), image_size=(24, 24), fine=1)
    hits = trace(solids, view)
    floor = -view.eye[:, 2, None] / hits.direction[:, 2]
    point = view.eye[:, :, None] + floor[:, None] * hits.direction
    lit, _ = shadows(solids, view, hits, point)
    steps = torch.linspace(0.001, 0.5, 1500)[:, None]
    agree = []
    for n in range(4):
        for ray in (hits.nearest[n] == NEVER).nonzero()[::3, 0].tolist():
            way = view.lamp[n] - point[n, :, ray]
            march = point[n, :, ray] + steps * way
            inside = torch.zeros(len(steps), dtype=torch.bool)
            for k in solids.present[n].nonzero()[:, 0].tolist():
                own = march - solids.centre[n, k]
                radius, half, (c, s) = solids.radius[n, k], solids.half_height()[n, k], solids.turn[n, k]
                if solids.kind[n, k] == BOX:
                    inside |= (
                        torch.stack([c * own[:, 0] + s * own[:, 1], c * own[:, 1] - s * own[:, 0], own[:, 2]])
                        .abs()
                        .amax(0)
                        < half
                    )
                elif solids.kind[n, k] == 0:
                    inside |= own.norm(dim=1) < radius
                else:
                    inside |= (own[:, :2].norm(dim=1) < radius) & (own[:, 2].abs() < half)
            agree.append(bool(inside.any()) != bool(lit[n, ray]))
    assert sum(agree) / len(agree) > 0.995 and not lit.all()


def test_factors_are_the_recipes():
    truth = Scenes(ScenesConfig()).truth(range(100))
    there = truth.present
    assert set(truth.factors["size"][there].unique().tolist()) == set(torch.tensor(SIZES).float().tolist())
    assert {tuple(one) for one in (truth.factors["colour"][there] * 255).round().int().tolist()} == {
        tuple(one) for one in COLOURS.tolist()
    }
    for name, values in (("shape", 3), ("material", 2)):
        assert truth.factors[name][there].unique().tolist() == list(range(values))
    assert all((value[~truth.whole.flatten(2).any(2)] == 0).all() for value in truth.factors.values())


def test_things_have_their_colours():
    data = Scenes(ScenesConfig())
    image, truth = data.batch(range(60)).image, data.truth(range(60))
    right = []
    for n, k in truth.present.nonzero().tolist():
        seen, wanted = image[n][:, truth.masks[n, k]].mean(1), truth.factors["colour"][n, k]
        known = torch.tensor(COLOURS / 255).float()
        likeness = torch.nn.functional.cosine_similarity(
            (seen - seen.mean())[None], known - known.mean(1, True), dim=1
        )
        if wanted.std() > 0.1:
            right.append(likeness[(known - wanted).abs().sum(1).argmin()] > 0.9)
    assert sum(right) / len(right) > 0.95


def test_words_that_cannot_be():
    with pytest.raises(UserError, match="objects"):
        Scenes(ScenesConfig(objects=(6, 3)))
    with pytest.raises(UserError, match="rays"):
        Scenes(ScenesConfig(fine=0))
