"""The one place where apps open a model, and read, encode and decode pictures."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from motes.data.folder import list_pictures
from motes.data.pictures import load_picture
from motes.errors import UserError
from motes.models.base import Model
from motes.models.checkpoint import load
from motes.ops.types import Image


@dataclass(frozen=True)
class Encoded:
    """Pictures that were read, and what the model makes of them."""

    paths: list[Path]
    image: Image
    latent: Any


class Session:
    """A model, ready to look at pictures given by path; any readable picture is brought to the model's size."""

    def __init__(self, model: Model):
        self.model = model.eval()
        self.device = next(model.parameters()).device
        self.skipped: list[str] = []  # sentences about pictures that could not be read

    @classmethod
    def open(cls, where: str | Path, device: str | None = None) -> "Session":
        return cls(load(where, device or ("cuda" if torch.cuda.is_available() else "cpu")))

    def encode_files(self, sources: Sequence[Path], batch: int = 32, fit: str = "fit") -> Iterator[Encoded]:
        """Batches of pictures from files and folders. Unreadable ones are noted in `skipped`; none readable is an error."""
        config, seen, waiting = self.model.config, 0, []
        for path in expand(sources):
            try:
                waiting.append((path, load_picture(path, config.image_size, config.channels, fit)))
            except UserError as problem:
                self.skipped.append(str(problem))
                continue
            seen += 1
            if len(waiting) == batch:
                yield self._encode(waiting)
                waiting = []
        if waiting:
            yield self._encode(waiting)
        if not seen:
            raise UserError(f"no picture could be read; {self.skipped[0] if self.skipped else 'name picture files or folders of them'}")

    def decode(self, latent: Any) -> Image:
        with torch.no_grad():
            return self.model.decode(latent).clamp(0, 1)

    def encode(self, image: Image) -> Any:
        with torch.no_grad():
            return self.model.encode(image.to(self.device))

    def _encode(self, waiting: list[tuple[Path, np.ndarray]]) -> Encoded:
        image = torch.from_numpy(np.stack([pixels for _, pixels in waiting])).float().div_(255).to(self.device)
        return Encoded([path for path, _ in waiting], image, self.encode(image))


def expand(sources: Sequence[Path]) -> list[Path]:
    """Files as they are, folders as the pictures in them."""
    found: list[Path] = []
    for source in sources:
        if not source.exists():
            raise UserError(f"{source} does not exist")
        found += list_pictures(source) if source.is_dir() else [source]
    return found
