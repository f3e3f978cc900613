"""`train` begins a run and `resume` continues one, for any model, in one process or in several.

There is no hidden state. Torch is seeded from (seed, step) before every step, and the rows of a step follow
from (seed, epoch). So a checkpoint holds only the weights, the optimiser's state and the step, and the rest
of a resumed run is the same, bit for bit.
"""

import dataclasses
from pathlib import Path

from accelerate import PartialState
from torch import Tensor

from motes.data.base import Dataset
from motes.errors import UserError
from motes.models.base import Model
from motes.models.checkpoint import build, check_weights, read_config
from motes.models.devices import device_named
from motes.training.interruption import Stopped
from motes.training.length import Length, with_length
from motes.training.newborn import newborn
from motes.training.precision import in_settled_precision
from motes.training.recipe import Recipe, check, read_recipe, refuse_used
from motes.training.run import Run, part_of
from motes.training.running import Loop, Watcher
from motes.training.validation import validate

__all__ = ["Stopped", "Watcher", "resume", "train", "validate"]


def train(
    recipe: Recipe,
    folder: Path,
    watcher: Watcher | None = None,
    data: Dataset | None = None,
    device: str | None = None,
) -> Path:
    """Train a recipe's model from its first step to its last, and write a run folder.

    Arguments:
        recipe: model, data and training. Options left out have their defaults or follow from the data.
        folder: is made if need be. It then holds `run.json` (the recipe), `metrics.jsonl`, `pictures/` and
            `checkpoints/` with `best` and `last`. Returns it; `motes.load` and `Session.open` open it.
        watcher: is given every record of a loss and of a validation.
        data: the recipe's training split, if it is open already.
        device: a name of torch, see `device_named`; of several GPUs, accelerate gives each process its own.

    Raises:
        UserError: the folder holds a run or cannot be written; an option is unknown or out of range; the data
            lack a label that the model needs; the loss is not finite.
        Stopped: Ctrl-C. The step is saved, and `resume(folder)` goes on to the same weights, bit for bit.

    >>> import tempfile
    >>> from motes.data.source import Source
    >>> from motes.training.recipe import Recipe, Training
    >>> data = Source("shapes", {"image_size": [16, 16], "count": 8, "held_out": 4})
    >>> recipe = Recipe("autoencoder", data, {"code_dim": 4, "width": 8}, Training(steps=2, batch_size=4))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     sorted(path.name for path in train(recipe, Path(folder) / "run").iterdir())
    ['checkpoints', 'metrics.jsonl', 'pictures', 'run.json']
    """
    run = Run(folder)
    device = device_named(device)
    processes = PartialState(cpu=device == "cpu")
    if processes.is_main_process:
        refuse_used(folder)
    check(recipe.training)
    loop = _first_loop(in_settled_precision(recipe, device), data, run, watcher, device)
    if processes.is_main_process:
        _write_first(loop.recipe, run)
    return loop.go()


def _first_loop(recipe: Recipe, data: Dataset | None, run: Run, watcher: Watcher | None, device: str) -> Loop:
    """The loop before its first step, with the recipe's options all filled in."""
    data = recipe.data.open("train") if data is None else data
    model = newborn(recipe, data)
    recipe = dataclasses.replace(recipe, model_config=dataclasses.asdict(model.config))
    return Loop(model, data, recipe, run, watcher, device)


def resume(
    folder: Path, watcher: Watcher | None = None, length: Length | None = None, device: str | None = None
) -> Path:
    """Continue a stopped run; the result is the same as if it had never stopped.

    A run that was killed before its first checkpoint begins again from its first step.

    With another `length`, the run and its schedule become longer or shorter: from here on, every step has the
    learning rate, the rows and the noise that it would have in a run of this length. What was learnt before
    stays. A stage that the run has left is not entered again. The change is written to run.json first, so
    that the run keeps its new length when it is resumed again.
    """
    read_recipe(folder)
    run = Run(folder)
    device = device_named(device)
    processes = PartialState(cpu=device == "cpu")
    # it tidies up after a crash; the others read what it leaves
    with processes.main_process_first():
        checkpoint = run.restore(tidy=processes.is_main_process)
        facts = {"step": 0, "elapsed": 0.0} if checkpoint is None else checkpoint[2]
        before = read_recipe(folder)
        recipe = with_length(before, length or Length(), folder, facts["step"], facts["elapsed"])
        if recipe != before:
            recipe.save(folder)
    data = recipe.data.open("train")
    if checkpoint is None:
        return Loop(newborn(recipe, data), data, recipe, run, watcher, device).go()
    folder_of_weights, tensors, facts = checkpoint
    model = _model_of(folder_of_weights, part_of(tensors, "model"))
    loop = Loop(model, data, recipe, run, watcher, device)
    loop.restore(tensors, facts)
    return loop.go()


def _model_of(folder: Path, weights: dict[str, Tensor]) -> Model:
    """The model with the last trained weights of a checkpoint (not with their moving average, which is saved
    for use)."""
    model = build(*read_config(folder))
    check_weights(model, weights, folder / "training.safetensors")
    model.load_state_dict(weights)
    return model


def _write_first(recipe: Recipe, run: Run) -> None:
    """Write the run folder as it is before the first step."""
    try:
        recipe.save(run.folder)
        run.checkpoints.mkdir(parents=True, exist_ok=True)
        run.pictures.mkdir(exist_ok=True)
    except OSError as problem:
        raise UserError(f"{run.folder} cannot be written: {problem.strerror or problem}") from None
