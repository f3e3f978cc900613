"""A field of a record whose tensor is computed when it is first read."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


class Later:
    """A tensor that is computed when it is asked for, with gradients only if they were on when it was
    promised."""

    def __init__(self, compute: Callable[[], Tensor]):
        self._compute = compute
        self._gradients = torch.is_grad_enabled()

    def tensor(self) -> Tensor:
        with torch.set_grad_enabled(self._gradients):
            return self._compute()

    def __reduce__(self) -> tuple[Any, ...]:
        # what is copied or sent to another process is the tensor
        return _itself, (self.tensor(),)


class ComesLater:
    """The descriptor of a field that holds a tensor, a `Later` or None; who reads it gets the tensor or
    None."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, record: Any, owner: type | None = None) -> Any:
        if record is None:
            # what a dataclass takes as the field's default
            return None
        value = vars(record)[self._name]
        if isinstance(value, Later):
            value = value.tensor()
            vars(record)[self._name] = value
        return value

    def __set__(self, record: Any, value: Tensor | Later | None) -> None:
        vars(record)[self._name] = value


def _itself(tensor: Tensor) -> Tensor:
    return tensor
