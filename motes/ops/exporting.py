"""Whether a model is being exported as a graph, whose steps cannot depend on what is in the pictures."""

import torch

# torch 2.6 does not say it
_SAYS_SO = getattr(torch.compiler, "is_exporting", None)


def is_exporting() -> bool:
    """True while `torch.export` follows the model."""
    return _SAYS_SO is not None and _SAYS_SO()
