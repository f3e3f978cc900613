"""All that needs a GPU, from one command and within eleven minutes:
training steps, rendering, steps in bfloat16, one training.

    python benchmarks/gpu.py FOLDER
    python benchmarks/gpu.py FOLDER --only step_time rendering_gpu
    python benchmarks/gpu.py FOLDER --cpu        # a rehearsal of seconds, without a GPU

The parts run in this order, each with a time limit; one that fails or takes too long does not stop the next.
FOLDER gets what each part prints (NAME.txt) and summary.json, written again after every part. Exits 1 where a
part failed.
"""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.clocks import MOTES
from benchmarks.report import ROOT, Table, parser

SPEED = Path(__file__).parent / "speed"
QUICK = ("dlp-quick", "dlp-scenes", "ddlp-balls")
# published networks at 128 px
LARGE = (
    "dlp2-obj3d",
    "ddlp-obj3d",
    *("--data", "rolling", "--data.image-size", "128", "128", "--data.count", "4"),
    *("--model.reconstruction", "mse"),
)


@dataclass(frozen=True)
class Part:
    """A command and the seconds that it may take."""

    name: str
    command: list[str]
    limit: int


@dataclass(frozen=True)
class Outcome:
    """Of a part: `state` is done, failed or over time."""

    name: str
    state: str
    seconds: float
    command: str


def main() -> None:
    arguments_parser = parser(__doc__)
    arguments_parser.add_argument("folder", type=Path, help="of the output")
    arguments_parser.add_argument("--cpu", action="store_true", help="a rehearsal with tiny settings")
    arguments_parser.add_argument("--only", nargs="+", metavar="PART", help="of the parts by name")
    arguments = arguments_parser.parse_args()
    folder = arguments.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    table = Table(("part", "state", "seconds"), arguments.format)
    outcomes = []
    for part in rehearsal(folder) if arguments.cpu else parts(folder):
        if arguments.only and part.name not in arguments.only:
            continue
        outcomes.append(run_part(part, folder / f"{part.name}.txt"))
        summary = [asdict(outcome) for outcome in outcomes]
        (folder / "summary.json").write_text(json.dumps(summary, indent=1) + "\n")
        table.row(part.name, outcomes[-1].state, f"{outcomes[-1].seconds:.0f}")
    for outcome in outcomes:
        print(
            f"\n== {outcome.name}: {outcome.state}\n{last_lines(folder / f'{outcome.name}.txt')}", flush=True
        )
    sys.exit(any(outcome.state != "done" for outcome in outcomes))


def parts(folder: Path) -> list[Part]:
    """The limits add up to eleven minutes. Of a step nearly all the time is imports and kernels that compile."""
    steps = ("--device", "cuda", "--steps", "20")
    few = ("--device", "cuda", "--steps", "8")
    minutes = ("--training.max-minutes", "2")
    return [
        Part("step_time", script("step_time.py", *steps, "--rounds", "1"), 90),
        Part("rendering_gpu", script("rendering_gpu.py", "--plain"), 90),
        Part("step_bf16", script("step_time.py", *steps, "--rounds", "1", "--precision", "bf16"), 90),
        Part("presets", script("preset_step.py", *QUICK, *few, "--rounds", "1"), 100),
        Part("rolling", script("preset_step.py", *LARGE, *few, "--rounds", "1"), 100),
        Part("training", training(folder, "dlp-shapes", *minutes), 210),
    ]


def rehearsal(folder: Path) -> list[Part]:
    """The same parts on a processor. Rendering on a GPU fails and says that there is none, as it should."""
    steps = ("--steps", "1", "--rounds", "1", "--only", "dlp-shapes")
    size = ("--data.count", "64", "--data.held-out", "16", "--training.batch-size", "4")
    budget = ("--steps", "2", "--training.validation-pictures", "4")
    return [
        Part("step_time", script("step_time.py", *steps), 120),
        Part("rendering_gpu", script("rendering_gpu.py", "--plain"), 60),
        Part("step_bf16", script("step_time.py", *steps, "--precision", "bf16"), 120),
        Part("presets", script("preset_step.py", "ddlp-balls", "--steps", "1", "--rounds", "1"), 120),
        Part("rolling", script("preset_step.py", *LARGE, "--steps", "1", "--rounds", "1"), 120),
        Part("training", training(folder, "dlp-shapes", *budget, *size), 120),
    ]


def script(name: str, *options: str) -> list[str]:
    return [sys.executable, str(SPEED / name), *options]


def training(folder: Path, preset: str, *options: str) -> list[str]:
    """In a folder that does not exist yet: motes starts no run over another."""
    number = sum(1 for _ in folder.glob("run-*"))
    return [*MOTES, "train", preset, "--out", str(folder / f"run-{number}"), *options]


def run_part(part: Part, output: Path) -> Outcome:
    start = time.monotonic()
    with output.open("w") as file:
        try:
            # A session of its own, so that its children end with it.
            process = subprocess.Popen(
                part.command,
                stdout=file,
                stderr=subprocess.STDOUT,
                cwd=ROOT,
                env=environment(),
                start_new_session=True,
            )
            state = state_after(process, part.limit)
        except OSError as problem:
            file.write(f"{problem}\n")
            state = "failed"
    return Outcome(part.name, state, round(time.monotonic() - start, 1), " ".join(part.command))


def environment() -> dict[str, str]:
    """This checkout's motes, whatever is installed."""
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1"}


def state_after(process: subprocess.Popen, limit: int) -> str:
    try:
        return "done" if process.wait(limit) == 0 else "failed"
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return "over time"


def last_lines(path: Path, count: int = 25) -> str:
    return "\n".join(path.read_text(errors="replace").splitlines()[-count:])


if __name__ == "__main__":
    main()
