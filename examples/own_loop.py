"""A model of motes is a plain torch module: train it in a loop of your own.

python examples/own_loop.py [STEPS]
"""

import sys

import torch

from motes.data import DATASETS
from motes.models import MODELS


def main(steps: int = 200) -> float:
    torch.manual_seed(0)
    shapes = DATASETS["shapes"]
    data = shapes(shapes.Config(image_size=(32, 32), count=1000), "train")
    model = MODELS["vae"](MODELS["vae"].Config(image_size=(32, 32), code_dim=8, width=8))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    total = float("nan")
    for step in range(steps):
        losses = model.loss(data.batch(torch.randint(len(data), (32,)).tolist()))
        optimizer.zero_grad()
        losses.total.backward()
        optimizer.step()
        total = losses.total.item()
        if step % 20 == 0:
            print(step, {name: round(value.mean().item(), 2) for name, value in losses.terms.items()})
    return total


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
