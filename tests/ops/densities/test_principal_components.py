"""Mean and covariance of parts are those of all rows, also where numbers are large and parts uneven."""

import pytest
import torch

from motes.errors import UserError
from motes.ops.densities.principal_components import mean_and_covariance


def test_parts_are_as_good_as_the_whole():
    torch.manual_seed(0)
    rows = torch.randn(50, 4).double() @ torch.randn(4, 4).double() + 1e6
    mean, covariance = mean_and_covariance(rows.split([1, 30, 19]))
    torch.testing.assert_close(mean, rows.mean(0))
    torch.testing.assert_close(covariance, torch.cov(rows.T, correction=0), rtol=1e-6, atol=1e-6)
    assert mean_and_covariance([rows.float()[:1]])[1].abs().max() == 0


def test_no_rows_are_refused():
    with pytest.raises(UserError, match="no pictures"):
        mean_and_covariance([])
