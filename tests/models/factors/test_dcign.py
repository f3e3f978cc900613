"""DC-IGN: the explicit invariance is the paper's substituted gradient, clamped units pass no error on, plain is a plain VAE."""

import pytest
import torch

from motes.errors import UserError
from motes.models.factors.dcign import DcIgnConfig, InverseGraphicsNetwork
from motes.ops.pictures.groups import group_means
from motes.types.batch import Batch

CONFIG = DcIgnConfig(image_size=(8, 8), channels=1, units=(1, 2, 3), width=16)


def clips(varies=(0, 1, 2), frames=4):
    torch.manual_seed(1)
    count = len(varies) * frames
    labels = {"varies": torch.tensor(varies).repeat_interleave(frames)}
    return Batch(torch.rand(count, 1, 8, 8), torch.arange(count), labels=labels, frames=frames)


class Clamp(torch.autograd.Function):
    """As the paper has it: means forward, and on the way back the deviation for the gradient, times the pull."""

    @staticmethod
    def forward(ctx, code, still, moves, pull):
        ctx.save_for_backward(code - still, moves)
        ctx.pull = pull
        return torch.where(moves, code, still)

    @staticmethod
    def backward(ctx, *gradients):
        apart, moves = ctx.saved_tensors
        return torch.where(moves, gradients[0], ctx.pull * apart / len(apart)), None, None, None


def gradient(model, loss):
    model.zero_grad()
    loss.backward()
    return torch.cat([one.grad.flatten() for one in model.parameters()])


@pytest.mark.parametrize("pull", [0.01, 1.0])
def test_the_penalty_is_the_papers_substituted_gradient(pull):
    torch.manual_seed(0)
    model, batch = InverseGraphicsNetwork(DcIgnConfig(**{**vars(CONFIG), "invariance": pull})), clips()
    torch.manual_seed(2)
    ours = gradient(model, model.loss(batch).total)
    torch.manual_seed(2)
    said = model.read(batch.image)
    moves = (batch.labels["varies"][:, None] == torch.tensor([0, 1, 1, 2, 2, 2])).repeat(1, 2)
    clamped = Clamp.apply(said, group_means(said, batch.clip).detach(), moves, pull)
    mean, log_variance = clamped.chunk(2, -1)
    code = mean + (0.5 * log_variance).exp() * torch.randn_like(mean)
    error = (torch.sigmoid(model.draw(code)) - batch.image).square().sum((1, 2, 3)) / (2 * CONFIG.noise**2)
    kl = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1)
    torch.testing.assert_close(ours, gradient(model, (error + kl).mean()), atol=1e-4, rtol=1e-4)


def test_error_and_divergence_reach_the_units_of_what_varies_alone():
    model, batch = InverseGraphicsNetwork(DcIgnConfig(**{**vars(CONFIG), "invariance": 0.0})), clips()
    said = []
    model.read.register_forward_hook(lambda _, inputs, output: (output.retain_grad(), said.append(output))[0])
    model.loss(batch).total.backward()
    moves = batch.labels["varies"][:, None] == torch.tensor([0, 1, 1, 2, 2, 2])
    assert torch.equal(said[0].grad != 0, moves.repeat(1, 2))


def test_means_over_clips():
    values = torch.arange(12.0).reshape(6, 2)
    means = group_means(values, torch.tensor([7, 3, 7, 3, 7, 9]))
    torch.testing.assert_close(means[0], values[[0, 2, 4]].mean(0))
    assert torch.equal(means[0], means[4]) and torch.equal(means[5], values[5])


def test_first_plain_then_clamped():
    plain, clamped = InverseGraphicsNetwork(CONFIG).stages()
    assert (plain.name, clamped.name) == ("plain", "clamped") and plain.share + clamped.share == 1
    assert set(plain.loss(clips()).terms) == {"reconstruction", "kl"}
    assert [
        one.name for one in InverseGraphicsNetwork(DcIgnConfig(**{**vars(CONFIG), "plain": 0.0})).stages()
    ] == ["clamped"]


def test_what_has_no_units_is_refused():
    with pytest.raises(UserError, match="give units"):
        InverseGraphicsNetwork(CONFIG).loss(clips((0, 1, 3)))
    with pytest.raises(UserError, match="units"):
        InverseGraphicsNetwork(DcIgnConfig(units=(1, 0)))
