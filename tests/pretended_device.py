"""A pretended device: its tensors say that they are not the processor's, and hold their numbers in its memory.

Within `pretended()`, `model.to(DEVICE)` moves a model there, and an operation on tensors of both devices fails, as on
a GPU. It answers to the name "meta", the one device besides the processor that torch has everywhere and lets gradients
through. Sparse tensors cannot be there.
"""

import contextlib
from collections.abc import Iterator
from unittest import mock

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

DEVICE = torch.device("meta")
# whose arguments may be on both devices: copies, and what takes indices of the processor's too
OF_BOTH = ("_to_copy", "copy_", "index", "index_put", "index_put_", "_index_put_impl_")

tensor = torch.tensor
autocast = torch.autocast
is_autocast_enabled = torch.is_autocast_enabled


class There(torch.Tensor):
    """A tensor on the pretended device; `here` has its numbers."""

    here: torch.Tensor

    @staticmethod
    def __new__(cls, here):
        made = torch.Tensor._make_wrapper_subclass(
            cls,
            here.size(),
            strides=here.stride(),
            storage_offset=here.storage_offset(),
            dtype=here.dtype,
            layout=here.layout,
            device=DEVICE,
            requires_grad=here.requires_grad,
        )
        made.here = here
        return made

    def __bool__(self):
        return bool(self.here)

    def tolist(self):
        return self.here.tolist()

    def new_tensor(self, data, dtype=None, **_):
        return There(tensor(data, dtype=dtype or self.dtype))

    @classmethod
    def __torch_dispatch__(cls, operation, types, args=(), kwargs=None):
        return result_of(operation, args, kwargs or {})


class Pretended(TorchDispatchMode):
    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        return result_of(operation, args, kwargs or {})


def result_of(operation, args, kwargs):
    """The operation's result, computed on the processor, on the device where it belongs."""
    tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)]
    there = [one for one in tensors if isinstance(one, There)]
    # those without an axis may be the processor's, as on a GPU
    here = [one for one in tensors if not isinstance(one, There) and one.dim()]
    if there and here and operation.overloadpacket.__name__ not in OF_BOTH:
        raise RuntimeError(f"{operation} is given tensors of two devices")
    asked = kwargs.get("device")
    belongs_there = bool(there) if asked is None else is_there(asked)
    here_only = {**kwargs, "device": torch.device("cpu")} if "device" in kwargs else kwargs
    computed = operation(*tree_map(numbers_of, args), **tree_map(numbers_of, here_only))
    # what is changed in place stays the same object
    known = {id(numbers_of(one)): one for one in tensors}

    def placed(value):
        if not isinstance(value, torch.Tensor):
            return value
        return known.get(id(value)) if id(value) in known else There(value) if belongs_there else value

    return tree_map(placed, computed)


def numbers_of(value):
    return value.here if isinstance(value, There) else value


def is_there(device):
    return device is not None and torch.device(device).type == DEVICE.type


def made_tensor(data, *, dtype=None, device=None, **options):
    made = tensor(data, dtype=dtype, **options)
    return There(made) if is_there(device) else made


def as_tensor(data, dtype=None, device=None):
    if not isinstance(data, torch.Tensor):
        return made_tensor(data, dtype=dtype, device=device)
    return data.to(device or data.device, dtype or data.dtype)


@contextlib.contextmanager
def pretended() -> Iterator[None]:
    """A context in which the device is there."""
    kinds = ["cpu", "cuda", DEVICE.type]
    fused = "torch.optim.optimizer._get_fused_kernels_supported_devices"
    with contextlib.ExitStack() as stack:
        for name, replacement in {
            "tensor": made_tensor,
            "as_tensor": as_tensor,
            "autocast": lambda kind, *rest, **options: autocast(
                "cpu" if kind == DEVICE.type else kind, *rest, **options
            ),
            "is_autocast_enabled": lambda kind="cuda": kind != DEVICE.type and is_autocast_enabled(kind),
        }.items():
            stack.enter_context(mock.patch.object(torch, name, replacement))
        stack.enter_context(mock.patch(fused, lambda: kinds))
        stack.enter_context(Pretended())
        yield
