"""Directions: the gaze of generated eyes by a VAE's code, and the place of one thing by one particle.

What an edited picture shows is read by a network that learnt from other pictures of the same world; what it misreads of true pairs, in
which nothing but the gaze differs, is printed beside the leakage as its floor.
"""

from dataclasses import replace
from pathlib import Path

import torch
from bar import Bar
from restoration import particles_run
from runs import finished
from torch import Tensor

from motes import load
from motes.apps.drawing.marks import sheet, to_picture
from motes.data import DATASETS
from motes.explore.direction import bending, of_labels, of_pairs, of_unpaired
from motes.explore.edit_scores import follows, leakage
from motes.explore.latents import rows
from motes.nn.coders.networks import PictureShape, network
from motes.ops.points.matching import nearest
from motes.training.presets import PRESETS

FACTORS = ("column", "row", "lids", "size", "skin")
LEARNT, TESTED, READING = (
    4000,
    300,
    1500,
)  # pictures that directions are learnt from; edited; steps of the reading network
WAYS = {
    "bending": "pairs, bending",
    "pairs": "pairs, straight",
    "ridge": "labels, ridge",
    "means": "class means",
    "unpaired": "unpaired means",
}
BARS = [
    Bar("bending_follows", "gaze as asked, R2: pairs, bending", ">=", 0.9),
    Bar("bending_leak", "largest leakage to another factor, % of its spread: pairs, bending", "<=", 10.0),
    Bar("particle_follows", "one thing moved as asked, R2: pairs of particles", ">=", 0.9),
    Bar("particle_leak", "largest leakage of that, % of the spread", "<=", 10.0),
    *[
        Bar(f"{way}_{what}", f"{said}: {name}")
        for way, name in WAYS.items()
        for what, said in (("follows", "R2"), ("leak", "leakage"))
    ][2:],
    *[Bar(f"bending_{name}", f"leakage to {name}: pairs, bending") for name in FACTORS[1:]],
    *[Bar(f"model_{name}", f"how {name} differs in reconstructions of true pairs") for name in FACTORS[1:]],
    *[Bar(f"floor_{name}", f"what the reader misreads of {name} in true pairs") for name in FACTORS[1:]],
    Bar("edited_error", "mean squared error against the picture as it would be: edited"),
    Bar("unedited_error", "the same: not edited"),
    Bar("pixels_error", "the same: mean difference of the pairs' pixels added (ghosts)"),
]
PICTURE = Path(__file__).parents[2] / "docs" / "family" / "directions.png"
GROUND = torch.tensor([0.0, 1.0, 1.0])[:, None, None]  # of the shapes
# things move by 4 to 9 pixels: what is moved stays, with its blurred rim, within the band in which it is looked at


def measure(seed: int, folder: Path) -> dict[str, float]:
    found, lines = gaze(seed, folder / "vae")
    more, others = one_thing(seed, particles_run(seed, folder.parent))
    if seed == 0:
        PICTURE.parent.mkdir(parents=True, exist_ok=True)
        sheet(lines + others).quantize(192).save(PICTURE, optimize=True)
    return {**found, **more}


def gaze(seed: int, run: Path) -> tuple[dict[str, float], list]:
    recipe, eyes = PRESETS["eyes-vae"].recipe, DATASETS["eyes"]
    run = finished(replace(recipe, training=replace(recipe.training, seed=seed)), run)
    model, config = load(run).eval(), eyes.Config(**recipe.data_config)
    learnt, test = eyes(config, "train"), eyes(config, "test")
    image, factor = learnt.batch(range(LEARNT)).image, known(learnt, range(LEARNT))
    held, truth = test.batch(range(TESTED)).image, known(test, range(TESTED))
    read = reader(learnt.batch(range(len(learnt))).image, known(learnt, range(len(learnt))), seed)
    with torch.no_grad():
        latent, begun = model.encode(image), model.encode(held)
    before, after = rows(latent, slice(0, None, 2)), rows(latent, slice(1, None, 2))
    column = factor["column"]
    amount, high = column[1::2] - column[::2], column > 0
    apart = column[high].mean() - column[~high].mean()
    mean = of_unpaired(rows(latent, ~high), rows(latent, high))
    directions = {
        "bending": bending(before, after, amount),
        "pairs": of_pairs(before, after, amount),
        "ridge": of_labels(latent, column, "ridge", torch.stack([factor[name] for name in FACTORS[1:]], 1)),
        "means": of_labels(latent, column, "means"),
        "unpaired": replace(mean, step={name: step / apart for name, step in mean.step.items()}),
    }
    asked = 2 * torch.rand(TESTED, generator=torch.Generator().manual_seed(seed)) - 1 - truth["column"]
    drawn, found = draw(model, begun), {}
    for way, direction in directions.items():
        seen = [read(drawn), read(draw(model, direction.moved(begun, asked)))]
        leaks = leakage(*seen, "column", truth)
        found[f"{way}_follows"] = follows(asked, seen[1]["column"] - seen[0]["column"])
        found[f"{way}_leak"] = max(leaks.values())
        found |= {f"{way}_{name}": leak for name, leak in leaks.items()}
    found |= {
        f"floor_{name}": leak
        for name, leak in leakage(read(held[::2]), read(held[1::2]), "column", truth).items()
    }
    twice = [{name: value[start::2] for name, value in read(drawn).items()} for start in (0, 1)]
    found |= {f"model_{name}": leak for name, leak in leakage(*twice, "column", truth).items()}
    turn = truth["column"][1::2] - truth["column"][::2]
    edit = draw(model, directions["bending"].moved(rows(begun, slice(0, None, 2)), turn)) - drawn[::2]
    shift = (amount[:, None, None, None] * (image[1::2] - image[::2])).sum(0) / amount.square().sum()
    pictures = {
        "edited": held[::2] + edit,
        "unedited": held[::2],
        "pixels": held[::2] + turn[:, None, None, None] * shift,
    }
    found |= {
        f"{name}_error": float((one.clamp(0, 1) - held[1::2]).square().mean())
        for name, one in pictures.items()
    }
    return found, [
        strip(model, directions["bending"], rows(begun, slice(n, n + 1)), held[n], truth["column"][n])
        for n in (0, 4, 8, 12)
    ]


def strip(model, direction, latent, image: Tensor, column: Tensor) -> list:
    """The picture, and as it is drawn looking to five sides."""
    sides = [
        draw(model, direction.moved(latent, float(side - column)))[0]
        for side in (-0.9, -0.45, 0.0, 0.45, 0.9)
    ]
    return [to_picture(one, 96) for one in (image, *sides)]


def known(data, index: range) -> dict[str, Tensor]:
    scene = data.truth(index).scene
    return {
        "column": scene["gaze"][:, 1],
        "row": scene["gaze"][:, 0],
        **{name: scene[name] for name in ("lids", "size", "skin")},
    }


def reader(image: Tensor, factor: dict[str, Tensor], seed: int):
    """A network that reads all factors from a picture."""
    torch.manual_seed(seed)
    wanted = torch.stack([factor[name] for name in FACTORS], 1)
    middle, spread = wanted.mean(0), wanted.std(0)
    read = network("convolutional").reader(PictureShape(*image.shape[1:]), 24, len(FACTORS))
    optimizer = torch.optim.Adam(read.parameters(), lr=3e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, READING)
    for _ in range(READING):
        some = torch.randint(0, len(image), (48,))
        loss = (read(image[some]) - (wanted[some] - middle) / spread).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    read.eval()

    def answer(pictures: Tensor) -> dict[str, Tensor]:
        with torch.no_grad():
            numbers = read(pictures) * spread + middle
        return {name: numbers[:, place] for place, name in enumerate(FACTORS)}

    return answer


def one_thing(seed: int, run: Path) -> tuple[dict[str, float], list]:
    """The thing of each picture that has most room is moved along its row; in pairs to learn from, and by edits."""
    model, shapes = load(run).eval(), DATASETS["shapes"]
    config = shapes.Config(count=10000, held_out=1000)
    generator = torch.Generator().manual_seed(seed)
    image, after, amount, _, _ = moves(shapes(config, "train"), 150, generator)
    with torch.no_grad():
        direction = of_pairs(model.encode(image), model.encode(after), amount)
        held, _, asked, things, truth = moves(shapes(config, "test"), 100, generator)
        latent = model.encode(held)
    there = latent.confident().presence > 0.5
    place = truth.centres[torch.arange(len(held)), things][:, None]
    particle = nearest(place, latent.position, there)[:, 0]
    drawn, edited = draw(model, latent), draw(model, direction.moved(latent, asked, particle.clamp_min(0)))
    seen = [look(one, truth, things) for one in (drawn, edited)]
    leaks = leakage(*seen, "column", look(held, truth, things))
    found = {
        "particle_follows": follows(asked, seen[1]["column"] - seen[0]["column"]),
        "particle_leak": max(leaks.values()),
    }
    found |= {f"particle_{name}": leak for name, leak in leaks.items()}
    return found, [[to_picture(one) for one in pictures[:9]] for pictures in (held, edited)]


def moves(data, count: int, generator: torch.Generator):
    """Pictures, and the same with one thing moved along its row to where there is room; how far, which thing, the truth."""
    chosen, after, amount, things = [], [], [], []
    for row in range(len(data)):
        if len(chosen) == count:
            break
        image, truth = data.batch([row]).image[0], data.truth([row])
        shift = int(torch.randint(4, 10, (), generator=generator)) * (
            1 if torch.rand((), generator=generator) < 0.5 else -1
        )
        for thing in truth.present[0].nonzero()[:, 0].tolist():
            mask, box = truth.masks[0, thing], truth.boxes[0, thing].int().tolist()
            others = truth.masks[0].any(0) & ~mask
            band = others[max(box[0] - 3, 0) : box[2] + 4, max(box[1] - 14, 0) : box[3] + 15]
            if box[1] - 12 < 0 or box[3] + 12 > 63 or band.any():
                continue
            moved = torch.where(mask, GROUND, image)
            moved = torch.where(mask.roll(shift, 1), image.roll(shift, 2), moved)
            chosen.append(row)
            after.append(moved)
            amount.append(2 * shift / 63)
            things.append(thing)
            break
    return (
        data.batch(chosen).image,
        torch.stack(after),
        torch.tensor(amount),
        torch.tensor(things),
        data.truth(chosen),
    )


def look(drawn: Tensor, truth, things: Tensor) -> dict[str, Tensor]:
    """What a drawn picture shows of the thing in a band along its row, and of another thing in its box: places, size, colour."""
    found: dict[str, list[Tensor]] = {}
    for image, masks, present, boxes, thing in zip(
        drawn, truth.masks, truth.present, truth.boxes, things.tolist(), strict=True
    ):
        others = [one for one in present.nonzero()[:, 0].tolist() if one != thing]
        for name, which, reach in (("", thing, 13), ("another's ", others[0] if others else None, 2)):
            if which is None:
                for what in ("column", "row", "size", "red"):
                    found.setdefault(name + what, []).append(torch.tensor(0.0))
                continue
            box = boxes[which].int().tolist()
            window = torch.zeros_like(masks[0], dtype=torch.float32)
            window[max(box[0] - 2, 0) : box[2] + 3, max(box[1] - reach, 0) : box[3] + reach + 1] = 1
            weight = window * ((image - GROUND).abs().mean(0) - 0.05).clamp_min(0)
            total, line = weight.sum().clamp_min(1e-6), torch.linspace(-1, 1, 64)
            found.setdefault(name + "column", []).append((weight.sum(0) * line).sum() / total)
            found.setdefault(name + "row", []).append((weight.sum(1) * line).sum() / total)
            found.setdefault(name + "size", []).append(total.sqrt())
            found.setdefault(name + "red", []).append((weight * image[0]).sum() / total)
    return {name: torch.stack(values) for name, values in found.items()}


def draw(model, latent) -> Tensor:
    with torch.no_grad():
        return model.decode(latent).clamp(0, 1)
