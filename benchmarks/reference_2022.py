"""A training step the way the 2022 research code takes it: a full canvas per particle, again and again. The rival of step_time.py.

Written from the description of that code, with its layers and sizes; nothing is slowed down on purpose. Glimpses are cut by masking
and shifting the whole picture once per particle, and pasted by padding each glimpse to a canvas of its own; stitching goes particle
by particle; PointNet's edges are gathered one by one; padding, convolution, normalisation and activation are four modules.
"""

import itertools
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from motes.ops.rendering import canvas


@dataclass(frozen=True)
class Sizes:
    """Of one of the published configurations."""

    side: int
    particles: int
    proposals: int
    patch: int
    glimpse: int
    looks: int
    widths: tuple[int, ...]
    beta: float
    sigma: float = 0.1


SHAPES = Sizes(64, 10, 15, 8, 16, 6, (32, 64, 128), 0.1)
CLEVRER = Sizes(128, 10, 20, 16, 32, 5, (32, 64, 128, 256), 40.0)


def block(
    a: int, b: int, kernel: int = 3, stride: int = 1, leaky: bool = False, up: bool = False
) -> nn.Sequential:
    layers = [
        nn.ReplicationPad2d(kernel // 2),
        nn.Conv2d(a, b, kernel, stride, bias=False),
        nn.BatchNorm2d(b),
    ]
    layers.append(nn.LeakyReLU(0.01, inplace=True) if leaky else nn.ReLU(inplace=True))
    return nn.Sequential(
        *layers, *([nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)] if up else [])
    )


def contracting(inputs: int, widths: tuple[int, ...], outputs: int, kernel: int = 3) -> nn.Sequential:
    layers = [block(inputs, widths[0], kernel), block(widths[0], widths[0])]
    for a, b in itertools.pairwise(widths):
        layers += [block(a, b, stride=2), block(b, b)]
    return nn.Sequential(*layers, nn.Conv2d(widths[-1], outputs, 1))


def expanding(inputs: int, widths: list[int], outputs: int) -> nn.Sequential:
    pairs = list(zip([inputs, *widths], widths, strict=False))
    layers = [block(a, b, leaky=True, up=number < len(pairs) - 1) for number, (a, b) in enumerate(pairs)]
    return nn.Sequential(*layers, nn.Conv2d(widths[-1], outputs, 1))


def mlp(*widths: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for a, b in itertools.pairwise(widths):
        layers += [nn.Linear(a, b), nn.ReLU(True)]
    return nn.Sequential(*layers[:-1])


class Edges(nn.Module):
    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.mlp = nn.Sequential(
            nn.Linear(inputs + 2, outputs),
            nn.BatchNorm1d(outputs),
            nn.ReLU(),
            nn.Linear(outputs, outputs),
            nn.BatchNorm1d(outputs),
        )

    def forward(self, nodes: Tensor, places: Tensor, sender: Tensor, receiver: Tensor) -> Tensor:
        messages = self.mlp(torch.cat([nodes[sender], places[sender] - places[receiver]], -1))
        found = messages.new_full((len(nodes), messages.shape[1]), -torch.inf)
        return found.scatter_reduce(0, receiver[:, None].expand_as(messages), messages, "amax")


class Reference(nn.Module):
    """The object model."""

    def __init__(self, sizes: Sizes):
        super().__init__()
        s, self.s = sizes, sizes
        self.grid = s.side // 2 ** (len(s.widths) - 1)
        heat, k = s.particles * self.grid**2, s.particles
        self.image = contracting(3, s.widths, k, 7)
        self.prior = contracting(3, (16, 32, 64), 1)
        self.position, self.presence, self.around = (
            mlp(heat, 256, 128, 4 * k),
            mlp(heat, 256, 128, k),
            mlp(heat, 256, 128, 2 * s.looks),
        )
        self.glimpse, self.look = (
            contracting(3, (16, 16, 32), 32),
            mlp(32 * (s.glimpse // 4) ** 2, 256, 128, 2 * s.looks),
        )
        widths = (s.looks + 2, 64, 128, 256, 512)
        self.edges = nn.ModuleList(Edges(a, b) for a, b in itertools.pairwise(widths))
        self.unfold = nn.Sequential(nn.Linear(512, 64 * k), nn.ReLU(True))
        doublings = (
            self.grid // 8
        ).bit_length() - 1  # one, at its own sizes; two for the 256 px that it never had
        self.grow = nn.Sequential(*(block(k, k, leaky=True, up=True) for _ in range(doublings)))
        last = (k + 1) * (s.widths[0] // (k + 1) + 1)
        self.scene = expanding(2 * k, [*reversed(s.widths[1:]), last], 3)
        self.code = nn.Sequential(nn.Linear(s.looks, 256), nn.ReLU(True), nn.Linear(256, 2048), nn.ReLU(True))
        self.draw = expanding(32, [64] * (s.glimpse.bit_length() - 4) + [32], 4)
        for part in self.modules():
            if isinstance(part, nn.Conv2d):
                nn.init.normal_(part.weight, 0, 0.01)

    def loss(self, x: Tensor) -> Tensor:
        s, batch = self.s, len(x)
        proposals = self.propose(x)
        heat = self.image(x)
        flat = heat.flatten(1)
        mean, log_variance = self.position(flat).view(batch, s.particles, 4).chunk(2, -1)
        mean = torch.tanh(mean)
        present = torch.sigmoid(self.presence(flat.detach()))
        zero = torch.zeros_like(mean[:, :1])
        means, log_variances = (
            torch.cat([mean, zero], 1),
            torch.cat([log_variance, zero + 2 * torch.log(torch.tensor(s.sigma))], 1),
        )
        z = means + (0.5 * log_variances).exp() * torch.randn_like(means)
        maps = self.gaussians(z[:, :-1], self.grid)
        looks = self.look(
            self.glimpse(canvas.cut_windows(x, mean.detach(), s.glimpse).flatten(0, 1)).flatten(1)
        ).view(batch, s.particles, -1)
        boxes = canvas.box_canvases(mean.detach(), round(0.25 * (self.grid - 1)), (self.grid, self.grid))
        bare = (1 - boxes.sum(1, keepdim=True).clamp(0, 1)) * heat.detach()
        statistics = torch.cat([looks, self.around(bare.flatten(1))[:, None]], 1)
        look_mean, look_log_variance = statistics.chunk(2, -1)
        code = look_mean + (0.5 * look_log_variance).exp() * torch.randn_like(look_mean)
        nodes = torch.cat([z.detach(), torch.cat([code[:, :-1].detach(), code[:, -1:]], 1)], -1)
        background = self.scene(torch.cat([maps, self.relate(z.detach(), nodes)], 1))
        drawn = torch.sigmoid(self.draw(self.code(code[:, :-1].flatten(0, 1)).view(-1, 32, 8, 8))).view(
            batch, s.particles, 4, s.glimpse, s.glimpse
        )
        picture = canvas.stitch(
            canvas.paste(drawn, z[:, :-1], (s.side, s.side)).clamp(0, 1), present, background
        )
        error = (picture - x).square().sum((1, 2, 3)).mean()
        variance = torch.tensor(s.sigma**2)
        pairs = 0.5 * (
            ((mean[:, :, None] - proposals[:, None]).square() + log_variance.exp()[:, :, None]) / variance
            - 1
            + variance.log()
            - log_variance[:, :, None]
        )
        pairs = pairs.sum(-1)
        chamfer = (pairs.amin(2).sum(1) + pairs.amin(1).sum(1)).mean()
        divergence = (
            0.5 * (look_mean.square() + look_log_variance.exp() - 1 - look_log_variance).sum((1, 2)).mean()
        )
        return error + s.beta * (chamfer + 0.001 * divergence)

    def propose(self, x: Tensor) -> Tensor:
        s, batch = self.s, len(x)
        patches = (
            x.unfold(2, s.patch, s.patch)
            .unfold(3, s.patch, s.patch)
            .permute(0, 2, 3, 1, 4, 5)
            .reshape(-1, 3, s.patch, s.patch)
        )
        heat = self.prior(patches)[:, 0]
        axis = torch.linspace(-1, 1, heat.shape[-1])
        local = torch.stack([heat.mean(2).softmax(1) @ axis, heat.mean(1).softmax(1) @ axis], -1).view(
            batch, -1, 2
        )
        origin = torch.cartesian_prod(*[torch.arange(0, s.side, s.patch).float()] * 2)
        points = ((local + 1) / 2 * (s.patch - 1) + origin) / (s.side - 1) * 2 - 1
        kept = local.square().sum(-1).topk(s.proposals, 1).indices
        return points.gather(1, kept[..., None].expand(-1, -1, 2))

    def gaussians(self, z: Tensor, side: int) -> Tensor:
        axis = torch.linspace(-1, 1, side)
        squares = (axis.view(1, 1, -1, 1) - z[..., 0, None, None]).square() + (
            axis.view(1, 1, 1, -1) - z[..., 1, None, None]
        ).square()
        return torch.exp(-squares / (2 * self.s.sigma**2))

    def relate(self, places: Tensor, nodes: Tensor) -> Tensor:
        batch, count = places.shape[:2]
        near = torch.cdist(places, places).topk(min(10, count), largest=False).indices
        first = (torch.arange(batch) * count)[:, None, None]
        sender = (near + first).flatten()
        receiver = (torch.arange(count)[None, :, None] + first).expand_as(near).flatten()
        flat, places = nodes.flatten(0, 1), places.flatten(0, 1)
        for layer in self.edges:
            flat = F.relu(layer(flat, places, sender, receiver))
        maps = self.unfold(flat.view(batch, count, -1).amax(1)).view(batch, self.s.particles, 8, 8)
        return self.grow(maps)
