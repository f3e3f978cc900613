"""Principal components: exact where mathematics is exact."""

import pytest
import torch

from motes.errors import UserError
from motes.models.codes.pca import PcaConfig, PrincipalComponents
from motes.ops.densities.principal_components import components_of_covariance, components_of_pictures
from motes.types.batch import Batch


def fitted(pictures, size, **options):
    random = torch.Generator().manual_seed(0)
    grey = torch.rand(pictures, 1, 1, 1, generator=random)
    image = 0.5 * grey + 0.5 * torch.rand(pictures, 1, *size, generator=random)
    model = PrincipalComponents(PcaConfig(image_size=size, channels=1, pictures=pictures, **options))
    model.fit(Batch(image[rows], rows) for rows in torch.arange(pictures).split(7))
    return model, image


@pytest.mark.parametrize(("pictures", "size"), [(60, (4, 5)), (15, (6, 8))])
def test_the_error_is_what_was_left_out_and_no_other_axes_leave_less(pictures, size):
    model, image = fitted(pictures, size, code_dim=5)
    error = model.loss(Batch(image, torch.arange(pictures))).total
    torch.testing.assert_close(error, model.dropped, rtol=1e-4, atol=0)
    flat = image.flatten(1).double()
    centred = flat - flat.mean(0)
    exact = torch.linalg.svdvals(centred).square()[5:].sum() / pictures
    torch.testing.assert_close(model.dropped.double(), exact, rtol=1e-5, atol=0)
    torch.testing.assert_close(model.axes.T @ model.axes, torch.eye(5), atol=1e-5, rtol=0)


def test_both_ways_find_the_same():
    centred = torch.randn(12, 30, dtype=torch.float64)
    centred -= centred.mean(0)
    few, many = components_of_pictures(centred, 6), components_of_covariance(centred.T @ centred / 12, 6)
    torch.testing.assert_close(few.axes, many.axes)
    torch.testing.assert_close(few.variance, many.variance)
    torch.testing.assert_close(few.dropped, many.dropped)


def test_whitened_codes_are_white_and_draw_the_same():
    plain, image = fitted(40, (4, 4), code_dim=6)
    white, _ = fitted(40, (4, 4), code_dim=6, whiten=True)
    code = white.encode(image).vector
    torch.testing.assert_close(code.T @ code / 40, torch.eye(6), atol=1e-4, rtol=0)
    torch.testing.assert_close(
        white.decode(white.encode(image)), plain.decode(plain.encode(image)), atol=1e-5, rtol=0
    )


@pytest.mark.parametrize("whiten", [False, True])
def test_samples_vary_as_the_pictures_do(whiten):
    model, image = fitted(40, (4, 4), code_dim=6, whiten=whiten)
    torch.manual_seed(0)
    drawn = model.encode(model.decode(model.sample(20000))).vector.var(0)
    torch.testing.assert_close(drawn, model.encode(image).vector.var(0, correction=0), rtol=0.05, atol=0)


def test_light_far_from_zero_does_not_drown_small_differences():
    """The covariance is summed about a mean of some pictures, not about zero."""
    model, image = fitted(60, (4, 4), code_dim=3)
    shifted = PrincipalComponents(model.config)
    shifted.fit([Batch(image[:30] + 1000, torch.arange(30)), Batch(image[30:] + 1000, torch.arange(30))])
    torch.testing.assert_close(shifted.dropped, model.dropped, rtol=1e-3, atol=0)


def test_more_directions_than_there_are_is_refused():
    with pytest.raises(UserError, match=r"code_dim 9 must be from 1 to 8"):
        PrincipalComponents(PcaConfig(image_size=(4, 4), channels=1, pictures=9, code_dim=9))
