"""The map of a code: cells of equal probability, and the model's own prior."""

import pytest
import torch

from motes.errors import UserError
from motes.explore.manifold import draw_manifold, gaussian_grid, standard_normal_codes
from motes.models.codes.glo import GenerativeLatentOptimisation, GloConfig
from motes.models.codes.vae import VaeConfig, VariationalAutoencoder


def test_cells_of_the_grid_hold_equal_shares_of_the_prior():
    grid = gaussian_grid(8)
    below = torch.special.ndtr(grid[:, 0, 0])
    torch.testing.assert_close(below.diff(), torch.full((7,), 0.96 / 7))
    assert torch.equal(grid[..., 0], grid[..., 1].T) and torch.equal(
        grid[0, 3], torch.stack([grid[0, 0, 0], grid[3, 0, 0]])
    )


def test_a_map_varies_the_two_numbers_that_are_named():
    torch.manual_seed(0)
    model = VariationalAutoencoder(
        VaeConfig(image_size=(6, 6), channels=1, code_dim=4, network="linear", reconstruction="gaussian")
    ).eval()
    with torch.no_grad():
        model.draw[0].weight[:, [0, 3]] = 0  # they would change nothing
    drawn = draw_manifold(model, 5, standard_normal_codes(model), axes=(2, 1))
    assert drawn.shape == (5, 5, 1, 6, 6)
    step = drawn[1, 0] - drawn[0, 0]
    torch.testing.assert_close(step, drawn[1, 4] - drawn[0, 4])
    assert (
        step.abs().max() > 0.05
        and draw_manifold(model, 5, standard_normal_codes(model), axes=(0, 3)).std((0, 1)).max() < 1e-6
    )
    with pytest.raises(UserError, match="two different numbers of a code that has 4"):
        draw_manifold(model, 5, standard_normal_codes(model), axes=(0, 4))
    with pytest.raises(UserError, match="fit one"):
        standard_normal_codes(GenerativeLatentOptimisation(GloConfig(pictures=3, code_dim=4)))
