"""What this machine computes with, and which ways operations take on it: `motes info` without a run."""

import platform

import torch
from rich.table import Table

from motes.ops.rendering.composite import rendering_method
from motes.version import VERSION


def machine_table() -> Table:
    table = Table(title="this machine", show_header=False, title_justify="left")
    for name, value in rows():
        table.add_row(name, value)
    return table


def rows() -> list[tuple[str, str]]:
    """Training takes the GPU if there is one; then every GPU is named with how particles are drawn on it."""
    found = [("motes", VERSION), ("python", platform.python_version()), ("torch", torch.__version__)]
    for number in range(torch.cuda.device_count()):
        device = torch.device("cuda", number)
        memory = torch.cuda.get_device_properties(device).total_memory / 1e9
        found.append(("device", f"{device}, {torch.cuda.get_device_name(device)}, {memory:.0f} GB"))
        found.append(("rendering", rendering_method(device)))
    if not torch.cuda.is_available():
        found.append(("device", f"cpu, {platform.machine()}"))
        found.append(("rendering", rendering_method(torch.device("cpu"))))
    return [*found, ("threads", str(torch.get_num_threads()))]
