"""The format of the studio's messages: JSON, then arrays, in one binary message."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import Tensor

from motes.errors import UserError

# bytes of a message from a client, at most
LONGEST = 2**18


def pack(facts: Mapping[str, Any], arrays: Mapping[str, np.ndarray] | None = None) -> bytes:
    """One message: the length of the JSON (4 bytes, little-endian), the JSON `facts`, and the arrays.

    Each part begins at a multiple of four bytes.
    """
    arrays = arrays or {}
    listed = [
        {"name": name, "type": str(array.dtype), "shape": array.shape} for name, array in arrays.items()
    ]
    head = json.dumps({**facts, "arrays": listed}, separators=(",", ":")).encode()
    head = _padded(head, b" ")
    parts = [_padded(np.ascontiguousarray(array).tobytes(), b"\0") for array in arrays.values()]
    return b"".join([len(head).to_bytes(4, "little"), head, *parts])


def _padded(part: bytes, filler: bytes) -> bytes:
    return part + filler * (-len(part) % 4)


def unpack(message: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The facts and arrays of a message that `pack` made, read as the browser reads them.

    Tests use it, and Python programs that talk to the studio.
    """
    length = int.from_bytes(message[:4], "little")
    facts = json.loads(message[4 : 4 + length])
    start = 4 + length
    arrays = {}
    for listed in facts.pop("arrays"):
        dtype = np.dtype(listed["type"])
        count = int(np.prod(listed["shape"]))
        arrays[listed["name"]] = np.frombuffer(message, dtype, count, start).reshape(listed["shape"])
        start += -(-count * dtype.itemsize // 4) * 4
    return facts, arrays


def read(text: str | None) -> dict[str, Any]:
    """The JSON object in a message from a client; a message that is no JSON object is refused."""
    if text is None:
        raise UserError("messages should be text")
    if len(text) > LONGEST:
        raise UserError(f"a message may have {LONGEST:,} letters, not {len(text):,}")
    message = _json(text)
    if not isinstance(message, dict):
        raise UserError("a message should be an object")
    return message


def number_of(question: Mapping[str, Any]) -> int:
    """The number by which a client recognises the answer to its question; 0 if the question has none."""
    number = question.get("n")
    return number if type(number) is int and abs(number) < 2**53 else 0


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise UserError("that is no JSON") from None


def pixels(image: Tensor) -> np.ndarray:
    """A picture C H W in [0, 1] as bytes, H W C."""
    return (image.detach().float().clamp(0, 1) * 255 + 0.5).byte().permute(1, 2, 0).cpu().numpy()


def fine(values: Tensor) -> np.ndarray:
    """Values in [0, 1] as 16-bit whole numbers.

    The rounding of 8 bits would add up to visible steps where many glimpses overlap.
    """
    return (values.detach().float().clamp(0, 1) * 65535 + 0.5).int().cpu().numpy().astype(np.uint16)


def plain(values: Tensor, digits: int = 5) -> Any:
    """The tensor as lists of numbers for JSON, rounded to `digits` decimals; NaN becomes 0."""
    return np.round(values.detach().float().nan_to_num().cpu().numpy().astype(np.float64), digits).tolist()
