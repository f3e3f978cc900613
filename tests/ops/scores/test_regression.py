"""Least squares agree with numpy and scikit-learn, on singular and on ill-scaled tables too."""

import numpy as np
import pytest
import torch

from motes.ops.scores.regression import by_known, least_squares, ridges


def table(rows=60, columns=12, singular=False, scale=1.0):
    random = torch.Generator().manual_seed(rows)
    x = (
        torch.randn(rows, columns, generator=random, dtype=torch.float64)
        * torch.logspace(0, 4, columns).double()
        * scale
    )
    if singular:
        x[:, 3], x[:, 5], x[:, 7] = 0, x[:, 1] - 2 * x[:, 2], 4.605
    return x, torch.randn(rows, 4, generator=random, dtype=torch.float64)


@pytest.mark.parametrize("singular", [False, True])
@pytest.mark.parametrize("rows", [60, 7])
def test_without_offset_agrees_with_numpy(rows, singular):
    x, y = table(rows, singular=singular)
    wanted = np.linalg.lstsq(x.numpy(), y.numpy(), rcond=None)[0]
    np.testing.assert_allclose(least_squares(x, y).weight.numpy(), wanted, rtol=1e-6, atol=1e-9)


def test_without_offset_agrees_with_scikit_learn_as_the_2022_protocol_uses_it():
    """On a table of full rank; on a singular one that solver divides by rounding errors."""
    linear = pytest.importorskip("sklearn.linear_model", reason="scikit-learn is not installed")
    x, y = table()
    wanted = (
        linear.Ridge(alpha=0, fit_intercept=False, solver="svd").fit(x.numpy(), y.numpy()).predict(x.numpy())
    )
    np.testing.assert_allclose(least_squares(x, y)(x).numpy(), wanted, atol=1e-6)


def test_with_offset_and_penalty_agrees_with_scikit_learn():
    linear = pytest.importorskip("sklearn.linear_model", reason="scikit-learn is not installed")
    scaler = pytest.importorskip(
        "sklearn.preprocessing", reason="scikit-learn is not installed"
    ).StandardScaler
    x, y = table(singular=True)
    scaled = scaler().fit(x.numpy())
    for ours, penalty in zip(ridges(x, y, (1e-3, 0.1, 10.0)), (1e-3, 0.1, 10.0), strict=True):
        theirs = linear.Ridge(alpha=penalty * len(x)).fit(scaled.transform(x.numpy()), y.numpy())
        np.testing.assert_allclose(ours(x).numpy(), theirs.predict(scaled.transform(x.numpy())), atol=1e-6)


def test_a_constant_column_is_an_offset_without_a_penalty():
    x, y = table(rows=300)
    y = y + 7 + x[:, :1] * 3
    with_constant = torch.cat([x, torch.full((300, 1), -4.605).double()], 1)
    torch.testing.assert_close(
        least_squares(with_constant, y)(with_constant), ridges(x, y, (0.0,))[0](x), atol=1e-6, rtol=0
    )
    torch.testing.assert_close(
        ridges(with_constant, y, (0.1,))[0](with_constant), ridges(x, y, (0.1,))[0](x), atol=1e-6, rtol=0
    )
    assert (least_squares(x, y)(x) - y).square().mean() > (ridges(x, y, (0.0,))[0](x) - y).square().mean() + 1


def test_columns_known_in_the_same_rows_go_together():
    known = torch.tensor([[True, True, False], [True, True, True], [False, False, True]])
    parts = by_known(known)
    assert sorted(columns.tolist() for _, columns in parts) == [[False, False, True], [True, True, False]]
    for rows, columns in parts:
        assert (known[:, columns] == rows[:, None]).all()
