"""The anchored parts: particles go where the background does not explain the picture, any number of them."""

import pytest
import torch

from motes.models.middles import middle_pixels
from motes.models.particles.dlp import DeepLatentParticles, DlpConfig
from motes.ops.points.keypoints import centroids, patch_to_image, split_patches, take
from motes.ops.points.pixels import pixels_of_positions


def model_of(count, size=(64, 64), **more):
    torch.manual_seed(0)
    return DeepLatentParticles(
        DlpConfig(
            image_size=size,
            num_particles=count,
            glimpse_size=16,
            patch_size=8,
            architecture="anchored",
            **more,
        )
    ).eval()


@pytest.fixture
def texture():
    return torch.rand(3, 64, 96, generator=torch.Generator().manual_seed(1))


def test_the_background_starts_as_what_is_the_same_in_all_pictures(texture):
    model = model_of(4, (64, 96))
    model.decoder.start_background(texture)
    with torch.no_grad():
        drawn = model.decoder.background_of_code(torch.randn(2, model.config.feature_dim))
    assert (drawn - texture).abs().mean() < 0.02


def test_anchors_ignore_static_texture_and_find_what_is_new(texture):
    model, picture = model_of(3, (64, 96)), texture[None].repeat(2, 1, 1, 1)
    model.decoder.start_background(texture)
    for number, (row, column) in enumerate([(10, 70), (40, 16)]):
        picture[number, :, row : row + 10, column : column + 10] = 0.5
    with torch.no_grad():
        first = model.encode(picture).position[:, 0]
    pixels = (first + 1) / 2 * torch.tensor([63.0, 95.0])
    wanted = torch.tensor([[14.5, 74.5], [44.5, 20.5]])
    assert (pixels - wanted).abs().max() < 8, "within a patch of the new thing"


@pytest.mark.parametrize("shift", [(0, 0), (3, -2), (-4, 1)])
def test_the_middle_that_is_read_is_that_of_what_is_drawn_wherever_its_glimpse_shows_it(monkeypatch, shift):
    model = model_of(2, (64, 96))
    model.decoder.start_background(torch.full((3, 64, 96), 0.5))
    for parameter in model.decoder.scene.colour.parameters():
        torch.nn.init.zeros_(parameter)
    # opaque all over, in the background's colour around the thing
    glimpse = torch.full((1, 2, 4, 16, 16), 0.5)
    glimpse[:, :, 0] = 1.0
    glimpse[:, :, 1:, 6 + shift[0] : 10 + shift[0], 6 + shift[1] : 10 + shift[1]] = 1.0
    monkeypatch.setattr(model.decoder, "glimpses", lambda features: glimpse[:, : features.shape[1]])
    with torch.no_grad():
        latent = model.encode(torch.rand(1, 3, 64, 96)).without(1)
        latent = latent.with_presence(0, 1.0).placed(0, (0.3, -0.4))
        drawn = (model.decode(latent) - model.decode(latent.without(0))).clamp_min(0.05).sub(0.05).sum(1)
        read = middle_pixels(model, latent, (64, 96))[:, :1]
    middle_of_drawn = centroids(drawn[:, None], floor=1e-6) + torch.tensor([63.0, 95.0]) / 2
    torch.testing.assert_close(read, middle_of_drawn, atol=0.1, rtol=0)
    at_position = pixels_of_positions(latent.position[:, :1], (64, 96))
    torch.testing.assert_close(read - at_position, torch.tensor([[shift]]).float(), atol=0.1, rtol=0)


def test_a_model_runs_with_another_number_of_particles():
    few, many = model_of(5), model_of(30)
    many.load_state_dict(few.state_dict())
    image = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        latent = many.encode(image)
        assert latent.position.shape == (2, 30, 2)
        torch.testing.assert_close(latent.position[:, :5], few.encode(image).position)
        assert many.decode(latent).shape == image.shape


def test_the_prior_learns_the_same_from_the_chosen_patches_as_from_all():
    encoder = model_of(4, num_proposals=5).encoder
    residual = torch.rand(2, 3, 64, 64) - 0.5
    points, salience = encoder._keypoints(residual)
    chosen = encoder._proposals(residual, points, salience)
    everything = patch_to_image(
        encoder.prior(split_patches(residual, 8)).unflatten(0, (2, -1)), 8, residual.shape[2:]
    )
    same = take(everything, salience.topk(5).indices)
    torch.testing.assert_close(chosen, same)
    weights = list(encoder.prior.parameters())
    gradients = torch.autograd.grad(chosen.square().sum(), weights)
    torch.testing.assert_close(gradients, torch.autograd.grad(same.square().sum(), weights))
    with torch.no_grad():
        torch.testing.assert_close(encoder._proposals(residual, points, salience), chosen)
