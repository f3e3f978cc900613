"""Corruptions: as often and as much as asked, and nowhere else."""

import pytest
import torch

from motes.errors import UserError
from motes.ops.pictures.corruption import corruption

VALUES = torch.linspace(0.2, 0.8, 40000).view(100, 4, 10, 10)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.4])
@pytest.mark.parametrize("name", ["masking", "salt-and-pepper"])
def test_a_share_is_hit_and_the_rest_is_spared(name, share):
    torch.manual_seed(0)
    found = corruption(name, share)(VALUES)
    assert found.touched.float().mean().item() == pytest.approx(share, abs=0.01)
    assert torch.equal(found.values[~found.touched], VALUES[~found.touched])
    hit = found.values[found.touched]
    assert set(hit.unique().tolist()) <= ({0.0} if name == "masking" else {0.0, 1.0})
    if share and name == "salt-and-pepper":
        assert hit.mean().item() == pytest.approx(0.5, abs=0.05), "a fair coin"


def test_gaussian_noise_has_its_deviation_and_is_another_each_time():
    torch.manual_seed(0)
    hurt = corruption("gaussian", 0.3)
    first, second = hurt(VALUES), hurt(VALUES)
    assert (first.values - VALUES).std().item() == pytest.approx(0.3, rel=0.02) and first.touched.all()
    assert not torch.equal(first.values, second.values)


def test_warps_move_pictures_and_refuse_codes():
    torch.manual_seed(0)
    weak, strong = (corruption("warp", amount)(VALUES[:8]).values for amount in (0.1, 1.0))
    assert 0 < (weak - VALUES[:8]).abs().mean() < (strong - VALUES[:8]).abs().mean()
    torch.testing.assert_close(corruption("warp", 0.0)(VALUES[:8]).values, VALUES[:8], atol=1e-4, rtol=0)
    with pytest.raises(UserError, match="only pictures can be warped"):
        corruption("warp", 1.0)(torch.rand(4, 7))


def test_what_cannot_be_is_refused():
    with pytest.raises(UserError, match="choose one of masking, salt-and-pepper, gaussian, warp"):
        corruption("blur", 0.1)
    with pytest.raises(UserError, match="amount of 1"):
        corruption("masking", 1.0)
