"""CPU milliseconds and memory of a training step of IODINE beside the same network by plain autograd, in fresh
processes by turns, one thread.

    python benchmarks/speed/slots_step.py [--rounds 3] [--steps 3] [--updates 5]

Plain autograd keeps the graph of every decode until the end of the step, takes the gradient of each bound by
`torch.autograd.grad`, and repeats codes over all pixels before the first convolution. `all` also lets gradients flow
through what the refinement network reads, as published. Memory is the peak above that of the process before the step.
"""

import argparse
import json
import sys
from functools import partial
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.clocks import (  # noqa: E402
    Figures,
    by_turns,
    cpu_seconds,
    in_own_process,
    median_cpu_seconds,
    peak_memory,
)
from benchmarks.report import Table, header, parser  # noqa: E402

# pictures of a step
BATCHES = {"iodine-quick": 16, "iodine-tetrominoes": 32}
COLUMNS = ("preset, pictures", "way", "ms", "of plain autograd", "MB", "of plain autograd")


def main() -> None:
    arguments_parser = parser(__doc__, steps=3, rounds=3)
    arguments_parser.add_argument("--updates", type=int, default=5, help="updates of a step")
    arguments_parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)  # the child's
    arguments = arguments_parser.parse_args()
    if arguments.measure:
        print(json.dumps(measure(*arguments.measure, arguments)))
        return
    header("CPU milliseconds and memory of a step", f"{arguments.updates} updates", threads=1)
    table = Table(COLUMNS, arguments.format)
    options = ("--steps", arguments.steps, "--updates", arguments.updates, "--measure")
    for preset, batch in BATCHES.items():
        ways = {way: partial(in_own_process, __file__, *options, preset, way) for way in WAYS}
        measured = by_turns(ways, arguments.rounds)
        plain = measured["plain autograd"]
        for way, figures in measured.items():
            table.row(f"{preset}, {batch}", way, *cells(figures, plain))


def cells(figures: Figures, plain: Figures) -> list[str]:
    parts = []
    for name, unit in (("seconds", 1000), ("memory", 1 / 1024)):
        parts += [f"{unit * figures[name]:.0f}", f"{figures[name] / plain[name]:.2f}"]
    return parts


def measure(preset: str, way: str, arguments: argparse.Namespace) -> Figures:
    """In a process of its own."""
    from dataclasses import asdict

    import torch

    from motes.models.slots.iodine import Iodine, IodineConfig
    from motes.training.newborn import fit_config
    from motes.training.presets import PRESETS

    torch.set_num_threads(1)
    recipe = PRESETS[preset].recipe
    data = recipe.data.open("train")
    config = IodineConfig(**{**asdict(IodineConfig()), **fit_config(recipe, data)})
    changed = {"updates": (arguments.updates, arguments.updates), "through": WAYS[way]}
    torch.manual_seed(0)
    model = Iodine(IodineConfig(**{**asdict(config), **changed}))
    model.progress.fill_(0.6)
    batch = data.batch(range(BATCHES[preset]), (), 1)
    loss = (
        partial(plain_loss, model, batch.image)
        if way == "plain autograd"
        else lambda: model.loss(batch).total
    )

    def step() -> None:
        loss().backward()
        model.zero_grad(set_to_none=True)

    before = peak_memory()
    cpu_seconds(step)
    seconds = median_cpu_seconds(step, arguments.steps)
    return {"seconds": seconds, "memory": peak_memory() - before}


def plain_loss(model, image):
    """The loss of a step by plain autograd, with what the refinement network reads detached."""
    import torch

    from motes.models.slots.posterior import Posterior
    from motes.models.slots.refining import change_of

    updates = model.config.updates[0]
    numbers = model._start(len(image), model.config.slots)
    memory, total = None, 0.0
    for number in range(updates + 1):
        posterior = Posterior(numbers)
        noise = torch.randn_like(posterior.mean)
        look = model._look(image)
        view = look.view(drawn_plainly(model.decoder, posterior.sample(noise)))
        loss = view.loss.sum() + posterior.kl().sum()
        total = total + number / updates * loss / len(image)
        if number < updates:
            of_numbers, of_drawn = torch.autograd.grad(loss, (numbers, view.drawn), retain_graph=True)
            with torch.no_grad():
                read = look.view(view.drawn.detach())
            assert of_drawn.shape == read.drawn.shape
            change, memory = change_of(model.reader, read, (numbers.detach(), of_numbers), memory)
            numbers = numbers + change
    return total


def drawn_plainly(decoder, codes):
    import torch
    import torch.nn.functional as F

    flat = codes.flatten(0, 1)[:, :, None, None].expand(-1, -1, *decoder.size.grid)
    places = decoder.coordinates.expand(len(flat), -1, -1, -1)
    x = F.elu(decoder.first(torch.cat([flat, places], 1)))
    for layer in decoder.inner:
        x = F.elu(layer(x))
    return decoder._cropped(decoder.last(x)).unflatten(0, codes.shape[:2])


# how a step is computed -> where its gradients flow
WAYS = {"plain autograd": "state", "one pass": "state", "all": "all"}


if __name__ == "__main__":
    main()
