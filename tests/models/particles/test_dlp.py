"""The object model: what is off is not drawn, and a painting is what decoding gives."""

from dataclasses import replace

import pytest
import torch

from motes.models.particles import dlp
from motes.models.particles.dlp import DeepLatentParticles, DlpConfig
from motes.models.particles.encoding import Drawn
from motes.ops.rendering.footprints import VisibleBoxes


def small(architecture):
    torch.manual_seed(0)
    return DeepLatentParticles(
        DlpConfig(image_size=(32, 32), num_particles=6, glimpse_size=16, architecture=architecture)
    ).eval()


@pytest.fixture(params=["sized", "anchored", "published"])
def model(request):
    return small(request.param)


def encoded(model, presence):
    with torch.no_grad():
        latent = model.encode(torch.rand(2, 3, 32, 32))
    return replace(latent, presence=torch.tensor(presence))


def test_what_is_off_is_not_drawn_and_changes_no_more_than_its_presence(model, monkeypatch):
    latent = encoded(model, [[0.9, 0.0005, 0.5, 0.0, 0.0009, 1.0], [0.0, 0.7, 0.0, 0.0002, 0.0, 0.0]])
    with torch.no_grad():
        drawn = []
        render = model.decoder.render
        monkeypatch.setattr(model.decoder, "render", lambda *layers: drawn.append(layers) or render(*layers))
        found = model.decode(latent)
        particles, background = drawn[0]
        assert particles.glimpses.shape[1] == 3, "as many as the fuller picture has"
        every = Drawn(model.glimpses(latent), latent.position, latent.extent, latent.presence)
        whole = render(every, background)
    off = latent.presence.where(latent.presence <= dlp.NEGLIGIBLE, torch.zeros(())).sum(1).max()
    assert (found - whole).abs().max() <= off + 1e-6


def test_presences_near_nothing_still_have_gradients(model):
    latent = encoded(model, [[0.9, 0.0, 0.5, 0.0, 0.0, 1.0], [0.0] * 6])
    latent = replace(latent, presence=latent.presence.requires_grad_())
    model.decode(latent).square().sum().backward()
    assert (latent.presence.grad.abs().sum(0) > 0).any()


def test_a_painting_is_what_decoding_gives(model):
    latent = encoded(model, [[0.9, 0.2, 0.5, 0.3, 0.4, 1.0], [0.6, 0.7, 0.8, 0.9, 0.5, 0.2]])
    with torch.no_grad():
        painting = model.painting(latent, picture=1)
        torch.testing.assert_close(painting.picture, model.decode(latent)[1], atol=1e-6, rtol=0)
        moved = painting.moved(2, tuple((latent.position[1, 2] + 0.25).clamp(-1, 1).tolist()))
        if model.config.architecture != "published":  # its background answers to the particles
            torch.testing.assert_close(
                moved.picture, model.decode(latent.moved(2, (0.25, 0.25), picture=1))[1], atol=1e-5, rtol=0
            )


def test_a_painting_of_sizes_is_what_decoding_gives():
    model = small("sized")
    latent = encoded(model, [[0.9, 0.2, 0.5, 0.3, 0.4, 1.0], [0.6, 0.7, 0.8, 0.9, 0.5, 0.2]])
    with torch.no_grad():
        painting = model.painting(latent, picture=1)
        for factor in ((0.4, 0.6), (2.5, 1.3)):
            resized = latent.resized(2, factor, picture=1)
            scale = tuple(resized.extent.scale[1, 2].tolist())
            wanted = model.decode(resized)[1]
            torch.testing.assert_close(painting.resized(2, scale).picture, wanted, atol=1e-5, rtol=0)
            moved = painting.resized(2, scale).moved(2, (0.25, 0.25))
            wanted = model.decode(resized.placed(2, (0.25, 0.25), picture=1))[1]
            torch.testing.assert_close(moved.picture, wanted, atol=1e-5, rtol=0)


def test_boxes_read_in_windows_are_those_of_the_shares(model):
    latent = encoded(model, [[0.9, 0.2, 0.5, 0.3, 0.4, 1.0], [0.6, 0.7, 0.0, 0.9, 0.5, 0.2]])
    with torch.no_grad():
        found, wanted = model.boxes(latent), VisibleBoxes.of_shares(model.shares(latent)[:, 1:])
    assert torch.equal(found.box, wanted.box) and torch.equal(found.visible, wanted.visible)
    assert found.canvas == wanted.canvas == (32, 32)
    assert not found.visible[1, 2] and found.visible.any()


def test_boxes_grow_with_their_particles_and_move_with_them():
    model = small("sized")
    latent = encoded(model, [[0.0] * 6, [0.0] * 5 + [1.0]])[1]
    latent = latent.with_scale(5, (0.5, 0.5)).placed(5, (0.0, 0.0))
    with torch.no_grad():
        top, left, bottom, right = model.boxes(latent).box[0, 5].tolist()
        taller = model.boxes(latent.resized(5, (2.0, 1.0))).box[0, 5].tolist()
        moved = model.boxes(latent.moved(5, (0.25, -0.25))).box[0, 5].tolist()
    assert moved == [top + 4, left - 4, bottom + 4, right - 4]
    assert taller[3] - taller[1] == pytest.approx(right - left, abs=1)
    assert taller[2] - taller[0] == pytest.approx(2 * (bottom - top), abs=3)


def test_places_are_single_precision_in_half_precision_runs(model):
    image = torch.rand(2, 3, 32, 32)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        latent, proposals = model.encode(image), model.proposals(image)
        picture = model.decode(latent)
    for places in (latent.position, proposals):
        assert places.dtype == torch.float32
        assert (places != places.bfloat16()).any(), "single precision by name only"
    assert picture.dtype == torch.float32


def test_encoding_draws_nothing_until_the_certainty_is_read(model, monkeypatch):
    drawn = []
    glimpses = model.decoder.glimpses
    monkeypatch.setattr(model.decoder, "glimpses", lambda features: drawn.append(1) or glimpses(features))
    with torch.no_grad():
        latent = model.encode(torch.rand(2, 3, 32, 32))
    assert not drawn
    assert latent.certainty.shape == (2, 6) and not latent.certainty.requires_grad
    assert drawn == [1], "once"


def test_decoding_does_not_judge_the_particles(model, monkeypatch):
    judged = []
    monkeypatch.setattr(model, "_evidence", lambda latent: judged.append(1) or latent.presence)
    with torch.no_grad():
        latent = model.encode(torch.rand(2, 3, 32, 32))
        model.decode(latent)
        assert not judged
        assert latent.certainty.shape == (2, 6) and judged == [1]
