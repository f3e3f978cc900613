"""The models that come with motes: trained with fixed seeds, stored in half precision, scored as they are shipped.

python benchmarks/shipped_models.py [--models shapes scenes] [--out runs/shipped]

Each run is `motes train ...` in one thread. A run that is there already is shipped again, not trained
again. What is measured of the shipped file goes into its entry of motes/weights/shipped/manifest.json.
"""

import hashlib
import json
import shutil
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from safetensors.torch import load_file

from benchmarks.clocks import motes, scores_in, steps_of, trained
from benchmarks.report import Table, header, parser
from motes.models.checkpoint import checkpoint_folder, save_tensors
from motes.plain.writing import whole_file
from motes.version import VERSION
from motes.weights.runs import SHIPPED

MANIFEST = SHIPPED / "manifest.json"


@dataclass(frozen=True)
class Shipped:
    """A model that comes with motes: what it is, the words behind `motes train` that make it, and what is scored."""

    about: str
    command: str
    # all else that `motes evaluate` can ask takes longer than training did
    scores: str
    # the words that make the model of stills it starts from; its run is named {still} in the command
    still: str = ""


# by steps alone where no minutes are named
MODELS = {
    "shapes": Shipped(
        "particles on coloured shapes",
        "dlp-quick --seed 0 --training.max-minutes 0",
        "objects masks pictures",
    ),
    "scenes": Shipped(
        "particles on tabletop scenes",
        "dlp-scenes --seed 1 --training.max-minutes 0",
        "objects masks pictures",
    ),
    "faces": Shipped(
        "masked particles on drawn faces",
        "dlp-faces --seed 0 --max-minutes 10",
        "landmarks pictures",
    ),
    "tetrominoes": Shipped(
        "slots on tetrominoes",
        "iodine-quick --seed 0 --steps 9000 --max-minutes 13",
        "masks pictures",
    ),
    "traffic": Shipped(
        "particles on vehicles at a junction, and where they drive next",
        "dlp-graph-balls --data traffic --data.frames 64 --data.count 7680 --data.held-out 640 "
        "--model.mirrors false --steps 3000 --seed 0 --training.max-minutes 0 --model.start-from {still}",
        "tracks prediction",
        "dlp-quick --data traffic --data.count 15360 --model.num-particles 12 --model.num-proposals 15 "
        "--model.glimpse-size 16 --seed 0 --training.max-minutes 0",
    ),
}
LEAST = 1000  # numbers: smaller tensors hold units and thresholds, and stay as they are
MOST_MEGABYTES = 6.0


def main() -> None:
    arguments_parser = parser(__doc__, threads=1, out=Path("runs/shipped"))
    arguments_parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    arguments = arguments_parser.parse_args()
    header("models that come with motes", "", threads=arguments.threads)
    table = Table(("model", "steps", "CPU minutes", "megabytes", "scores"), arguments.format)
    for name in arguments.models:
        table.row(name, *ship(name, arguments.out / name, arguments.threads))
    total = sum(file.stat().st_size for file in SHIPPED.rglob("*") if file.is_file()) / 1e6
    print(f"\n{total:.2f} MB together, of {MOST_MEGABYTES:.0f}")


def ship(name: str, run: Path, threads: int) -> list[str]:
    """Train the model if it is not there yet, put it among the shipped ones, and measure it there."""
    model = MODELS[name]
    commands = [f"motes train {model.command}"]
    minutes = 0.0
    if model.still:
        still = run.with_name(f"{name}-still")
        minutes = trained(still, *model.still.split(), threads=threads)
        commands = [f"motes train {model.still} --out {still}", commands[0].format(still=still)]
    minutes += trained(run, *commands[-1].split()[2:], threads=threads)
    folder = SHIPPED / name
    weights = write_shipped(run, folder)
    motes(
        "evaluate",
        folder,
        "--scores",
        *model.scores.split(),
        "--json",
        folder / "scores.json",
        threads=threads,
    )
    scores = scores_in(folder / "scores.json")
    as_small_as_can_be(folder / "scores.json")
    facts = {
        "about": model.about,
        "command": " && ".join(commands),
        "steps": steps_of(run),
        "motes": VERSION,
        "made": date.today().isoformat(),
        "sha256": hashlib.sha256(weights.read_bytes()).hexdigest(),
    }
    write_fact(name, facts)
    first = ", ".join(
        f"{score} {value:.3g}" for score, value in list(scores.items())[:6] if value is not None
    )
    return [f"{steps_of(run)}", f"{minutes:.1f}", f"{weights.stat().st_size / 1e6:.2f}", first]


def as_small_as_can_be(path: Path) -> None:
    """A file of JSON without blanks, its numbers with six digits."""
    short = json.loads(path.read_text(), parse_float=lambda digits: float(f"{float(digits):.6g}"))
    path.write_text(json.dumps(short, separators=(",", ":")) + "\n")


def write_shipped(run: Path, folder: Path) -> Path:
    """The config, the recipe and the weights of a run, in half precision where there are many; returns the weights."""
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint = checkpoint_folder(run)
    shutil.copy(checkpoint / "config.json", folder)
    shutil.copy(run / "run.json", folder)
    weights = load_file(checkpoint / "model.safetensors")
    halves = {name: value.half() if value.numel() >= LEAST else value for name, value in weights.items()}
    save_tensors(halves, folder / "model.safetensors")
    return folder / "model.safetensors"


def write_fact(name: str, facts: dict[str, object]) -> None:
    manifest = json.loads(MANIFEST.read_text()) if MANIFEST.exists() else {}
    manifest[name] = facts
    with whole_file(MANIFEST) as fresh:
        fresh.write_text(
            json.dumps({key: manifest[key] for key in MODELS if key in manifest}, indent=2) + "\n"
        )


if __name__ == "__main__":
    main()
