"""A training step the way the 2022 research code takes it: a full canvas for each particle, several times.
step_time.py compares with it.

Written from the description of that code, with its layers and sizes; nothing is slowed down on purpose.
Glimpses are cut by masking and shifting the whole picture once per particle, and pasted by padding each
glimpse to a canvas of its own; stitching goes particle by particle; PointNet's edges are gathered one by one;
padding, convolution, normalisation and activation are four modules.
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
    inputs: int, outputs: int, kernel: int = 3, stride: int = 1, leaky: bool = False, up: bool = False
) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, outputs, kernel, stride, bias=False)
    activation = nn.LeakyReLU(0.01, inplace=True) if leaky else nn.ReLU(inplace=True)
    layers = [nn.ReplicationPad2d(kernel // 2), convolution, nn.BatchNorm2d(outputs), activation]
    if up:
        layers.append(nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False))
    return nn.Sequential(*layers)


def contracting(inputs: int, widths: tuple[int, ...], outputs: int, kernel: int = 3) -> nn.Sequential:
    layers = [block(inputs, widths[0], kernel), block(widths[0], widths[0])]
    for width, next_width in itertools.pairwise(widths):
        layers += [block(width, next_width, stride=2), block(next_width, next_width)]
    return nn.Sequential(*layers, nn.Conv2d(widths[-1], outputs, 1))


def expanding(inputs: int, widths: list[int], outputs: int) -> nn.Sequential:
    pairs = list(itertools.pairwise([inputs, *widths]))
    layers = [block(*pair, leaky=True, up=number < len(pairs) - 1) for number, pair in enumerate(pairs)]
    return nn.Sequential(*layers, nn.Conv2d(widths[-1], outputs, 1))


def mlp(*widths: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for width, next_width in itertools.pairwise(widths):
        layers += [nn.Linear(width, next_width), nn.ReLU(True)]
    return nn.Sequential(*layers[:-1])


class Edges(nn.Module):
    """Messages along a graph's edges, of which each node takes the largest."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.mlp = nn.Sequential(
            nn.Linear(inputs + 2, outputs),
            nn.BatchNorm1d(outputs),
            nn.ReLU(),
            nn.Linear(outputs, outputs),
            nn.BatchNorm1d(outputs),
        )

    def forward(self, nodes: Tensor, position: Tensor, sender: Tensor, receiver: Tensor) -> Tensor:
        messages = self.mlp(torch.cat([nodes[sender], position[sender] - position[receiver]], -1))
        largest = messages.new_full((len(nodes), messages.shape[1]), -torch.inf)
        return largest.scatter_reduce(0, receiver[:, None].expand_as(messages), messages, "amax")


class Reference(nn.Module):
    """The object model."""

    def __init__(self, sizes: Sizes):
        super().__init__()
        self.sizes = sizes
        self.grid = sizes.side // 2 ** (len(sizes.widths) - 1)
        heat = sizes.particles * self.grid**2
        self.add_encoders(heat)
        self.add_graph()
        self.add_decoders()
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.normal_(module.weight, 0, 0.01)

    def add_encoders(self, heat: int) -> None:
        sizes = self.sizes
        particles = sizes.particles
        self.image = contracting(3, sizes.widths, particles, 7)
        self.prior = contracting(3, (16, 32, 64), 1)
        self.position = mlp(heat, 256, 128, 4 * particles)
        self.presence = mlp(heat, 256, 128, particles)
        self.around = mlp(heat, 256, 128, 2 * sizes.looks)
        self.glimpse = contracting(3, (16, 16, 32), 32)
        self.look = mlp(32 * (sizes.glimpse // 4) ** 2, 256, 128, 2 * sizes.looks)

    def add_graph(self) -> None:
        particles = self.sizes.particles
        widths = (self.sizes.looks + 2, 64, 128, 256, 512)
        self.edges = nn.ModuleList(Edges(*pair) for pair in itertools.pairwise(widths))
        self.unfold = nn.Sequential(nn.Linear(512, 64 * particles), nn.ReLU(True))
        # One doubling at its own sizes; two for the 256 px that it never had.
        doublings = (self.grid // 8).bit_length() - 1
        self.grow = nn.Sequential(
            *(block(particles, particles, leaky=True, up=True) for _ in range(doublings))
        )

    def add_decoders(self) -> None:
        sizes = self.sizes
        particles = sizes.particles
        last = (particles + 1) * (sizes.widths[0] // (particles + 1) + 1)
        self.scene = expanding(2 * particles, [*reversed(sizes.widths[1:]), last], 3)
        self.code = nn.Sequential(
            nn.Linear(sizes.looks, 256), nn.ReLU(True), nn.Linear(256, 2048), nn.ReLU(True)
        )
        self.draw = expanding(32, [64] * (sizes.glimpse.bit_length() - 4) + [32], 4)

    def loss(self, x: Tensor) -> Tensor:
        proposals = self.propose(x)
        heat = self.image(x)
        flat = heat.flatten(1)
        mean, log_variance = self.position(flat).view(len(x), self.sizes.particles, 4).chunk(2, -1)
        mean = torch.tanh(mean)
        present = torch.sigmoid(self.presence(flat.detach()))
        z = self.sample_position(mean, log_variance)
        look_mean, look_log_variance = self.looks(x, mean.detach(), heat.detach())
        code = look_mean + (0.5 * look_log_variance).exp() * torch.randn_like(look_mean)
        background = self.background(z, code)
        picture = self.render(z[:, :-1], code[:, :-1], present, background)
        error = (picture - x).square().sum((1, 2, 3)).mean()
        chamfer = self.chamfer(mean, log_variance, proposals)
        divergence = look_mean.square() + look_log_variance.exp() - 1 - look_log_variance
        divergence = 0.5 * divergence.sum((1, 2)).mean()
        return error + self.sizes.beta * (chamfer + 0.001 * divergence)

    def encode(self, x: Tensor) -> tuple[Tensor, ...]:
        """Means and log-variances of positions and looks, and presence; the prior has no part in it."""
        heat = self.image(x)
        flat = heat.flatten(1)
        mean, log_variance = self.position(flat).view(len(x), self.sizes.particles, 4).chunk(2, -1)
        mean = torch.tanh(mean)
        return mean, log_variance, torch.sigmoid(self.presence(flat)), *self.looks(x, mean, heat)

    def propose(self, x: Tensor) -> Tensor:
        """The prior: points of patches, those farthest from the middle of their patch."""
        patch = self.sizes.patch
        patches = x.unfold(2, patch, patch).unfold(3, patch, patch).permute(0, 2, 3, 1, 4, 5)
        heat = self.prior(patches.reshape(-1, 3, patch, patch))[:, 0]
        axis = torch.linspace(-1, 1, heat.shape[-1])
        local = torch.stack([heat.mean(2).softmax(1) @ axis, heat.mean(1).softmax(1) @ axis], -1).view(
            len(x), -1, 2
        )
        origin = torch.cartesian_prod(*[torch.arange(0, self.sizes.side, patch).float()] * 2)
        points = ((local + 1) / 2 * (patch - 1) + origin) / (self.sizes.side - 1) * 2 - 1
        farthest = local.square().sum(-1).topk(self.sizes.proposals, 1).indices
        return points.gather(1, farthest[..., None].expand(-1, -1, 2))

    def sample_position(self, mean: Tensor, log_variance: Tensor) -> Tensor:
        """B K+1 2: the last row is the background's, which lies in the middle."""
        zero = torch.zeros_like(mean[:, :1])
        means = torch.cat([mean, zero], 1)
        log_variances = torch.cat([log_variance, zero + 2 * torch.log(torch.tensor(self.sizes.sigma))], 1)
        return means + (0.5 * log_variances).exp() * torch.randn_like(means)

    def looks(self, x: Tensor, mean: Tensor, heat: Tensor) -> tuple[Tensor, Tensor]:
        """Means and log-variances of the particles' looks
        and of the background's, which is what no box covers.
        """
        glimpses = canvas.cut_windows(x, mean, self.sizes.glimpse).flatten(0, 1)
        looks = self.look(self.glimpse(glimpses).flatten(1)).view(len(x), self.sizes.particles, -1)
        boxes = canvas.box_canvases(mean, round(0.25 * (self.grid - 1)), (self.grid, self.grid))
        bare = (1 - boxes.sum(1, keepdim=True).clamp(0, 1)) * heat
        statistics = torch.cat([looks, self.around(bare.flatten(1))[:, None]], 1)
        return statistics.chunk(2, -1)  # type: ignore[return-value]

    def background(self, z: Tensor, code: Tensor) -> Tensor:
        maps = self.gaussians(z[:, :-1], self.grid)
        # The looks of particles teach the background nothing.
        looks = torch.cat([code[:, :-1].detach(), code[:, -1:]], 1)
        nodes = torch.cat([z.detach(), looks], -1)
        return self.scene(torch.cat([maps, self.relate(z.detach(), nodes)], 1))

    def render(self, position: Tensor, code: Tensor, present: Tensor, background: Tensor) -> Tensor:
        side = self.sizes.glimpse
        drawn = torch.sigmoid(self.draw(self.code(code.flatten(0, 1)).view(-1, 32, 8, 8)))
        glimpses = drawn.view(len(position), self.sizes.particles, 4, side, side)
        layers = canvas.paste(glimpses, position, (self.sizes.side, self.sizes.side)).clamp(0, 1)
        return canvas.stitch(layers, present, background)

    def chamfer(self, mean: Tensor, log_variance: Tensor, proposals: Tensor) -> Tensor:
        """The Chamfer-KL divergence between the particles and the prior's proposals."""
        variance = torch.tensor(self.sizes.sigma**2)
        distance = (mean[:, :, None] - proposals[:, None]).square()
        ratio = (distance + log_variance.exp()[:, :, None]) / variance
        pairs = 0.5 * (ratio - 1 + variance.log() - log_variance[:, :, None])
        pairs = pairs.sum(-1)
        return (pairs.amin(2).sum(1) + pairs.amin(1).sum(1)).mean()

    def gaussians(self, z: Tensor, side: int) -> Tensor:
        axis = torch.linspace(-1, 1, side)
        rows = (axis.view(1, 1, -1, 1) - z[..., 0, None, None]).square()
        columns = (axis.view(1, 1, 1, -1) - z[..., 1, None, None]).square()
        return torch.exp(-(rows + columns) / (2 * self.sizes.sigma**2))

    def relate(self, position: Tensor, nodes: Tensor) -> Tensor:
        """The graph network over each particle's ten nearest."""
        batch, count = position.shape[:2]
        near = torch.cdist(position, position).topk(min(10, count), largest=False).indices
        first = (torch.arange(batch) * count)[:, None, None]
        sender = (near + first).flatten()
        receiver = (torch.arange(count)[None, :, None] + first).expand_as(near).flatten()
        flat = nodes.flatten(0, 1)
        flat_position = position.flatten(0, 1)
        for layer in self.edges:
            flat = F.relu(layer(flat, flat_position, sender, receiver))
        maps = self.unfold(flat.view(batch, count, -1).amax(1)).view(batch, self.sizes.particles, 8, 8)
        return self.grow(maps)
