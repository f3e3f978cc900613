"""What goes over the wire: a line of JSON and arrays behind it, in one binary message."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import Tensor

from motes.errors import UserError

LONGEST = 2**18  # bytes of a message from a client


def pack(facts: Mapping[str, Any], arrays: Mapping[str, np.ndarray] | None = None) -> bytes:
    """Length of the JSON (4 bytes, little end first), the JSON, the arrays; each part begins at a multiple
    of four."""
    arrays = arrays or {}
    listed = [{"name": name, "type": str(one.dtype), "shape": one.shape} for name, one in arrays.items()]
    head = json.dumps({**facts, "arrays": listed}, separators=(",", ":")).encode()
    head += b" " * (-len(head) % 4)
    parts = [len(head).to_bytes(4, "little"), head]
    for one in arrays.values():
        raw = np.ascontiguousarray(one).tobytes()
        parts += [raw, b"\0" * (-len(raw) % 4)]
    return b"".join(parts)


def unpack(message: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """`pack` backwards; what the browser does, for tests and for those who talk to the studio from Python."""
    length = int.from_bytes(message[:4], "little")
    facts = json.loads(message[4 : 4 + length])
    at = 4 + length
    arrays = {}
    for one in facts.pop("arrays"):
        kind = np.dtype(one["type"])
        count = int(np.prod(one["shape"]))
        arrays[one["name"]] = np.frombuffer(message, kind, count, at).reshape(one["shape"])
        at += -(-count * kind.itemsize // 4) * 4
    return facts, arrays


def read(text: str | None) -> dict[str, Any]:
    """A client's message, which may be anything."""
    if text is None:
        raise UserError("messages should be text")
    if len(text) > LONGEST:
        raise UserError(f"a message may have {LONGEST:,} letters, not {len(text):,}")
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        raise UserError("that is no JSON") from None
    if not isinstance(told, dict):
        raise UserError("a message should be an object")
    return told


def pixels(image: Tensor) -> np.ndarray:
    """C H W in [0, 1] to bytes, H W C."""
    return (image.detach().float().clamp(0, 1) * 255 + 0.5).byte().permute(1, 2, 0).cpu().numpy()


def fine(values: Tensor) -> np.ndarray:
    """Values in [0, 1] in sixteen bits: bytes would add up to visible steps where many glimpses overlap."""
    return (values.detach().float().clamp(0, 1) * 65535 + 0.5).int().cpu().numpy().astype(np.uint16)


def plain(values: Tensor, digits: int = 5) -> Any:
    """Numbers as JSON has them."""
    return np.round(values.detach().float().nan_to_num().cpu().numpy().astype(np.float64), digits).tolist()
