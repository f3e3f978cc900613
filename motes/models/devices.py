"""Where a model computes: the device that a name stands for, and the one that is taken if none is named."""

import torch

from motes.errors import UserError

# what a machine without the device is told to say instead
HERE = "leave out --device, or say --device cpu"


def device_named(name: str | None = None) -> str:
    """The name of a device of this machine; without a name, the GPU of NVIDIA or AMD if there is one, else the CPU.

    A GPU that is not there is refused. `name` is one of torch, such as "cpu", "cuda", "cuda:1" or "mps".
    """
    if name is None:
        return "cuda" if torch.cuda.is_available() else "cpu"
    missing = MISSING.get(name.partition(":")[0])
    if missing is not None and (reason := missing()):
        raise UserError(f"{reason}; {HERE}")
    return name


def _missing_cuda() -> str:
    if torch.cuda.is_available():
        return ""
    if torch.version.cuda is None and torch.version.hip is None:
        return f"there is no device cuda: this torch ({torch.__version__}) was built for the CPU alone"
    return "there is no device cuda: torch finds no GPU on this machine"


def _missing_mps() -> str:
    if torch.backends.mps.is_available():
        return ""
    return "there is no device mps: that is the GPU of an Apple machine, with macOS 12.3 or newer"


# the kind of a device -> why it cannot be used, in words; empty where it can
MISSING = {"cuda": _missing_cuda, "mps": _missing_mps}
