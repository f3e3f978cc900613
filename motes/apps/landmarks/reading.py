"""Annotated points, learnt from and read: in pixels of the pictures, where models have their own size."""

import json
from dataclasses import asdict, fields
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from safetensors.torch import load_file
from torch import Tensor

from motes.apps.session.footage import sides_of
from motes.apps.session.session import Encoded, Session
from motes.data.files.picture_files import moved, moved_back
from motes.data.poses.annotations import AnnotatedPoints
from motes.errors import UserError
from motes.explore.landmark_reader import READINGS, Doubt, Fitted, LandmarkReader, PointFit, fit_reader
from motes.models.checkpoint import save_tensors
from motes.types.rows import Rows
from motes.weights.runs import name_of_run, run_folder

OPTIONS = "reader.json"
WEIGHTS = "reader.safetensors"


def fit_to_annotations(session: Session, annotated: AnnotatedPoints, fit: str) -> tuple[Fitted, int]:
    """A reader from annotated pictures, and the number of points that lie outside of theirs."""
    size = size_of(session)
    latents: list[Rows] = []
    points: list[np.ndarray] = []
    units: list[np.ndarray] = []
    outside = 0
    for encoded in session.encode_files(list(annotated.points), fit=fit):
        latents.append(encoded.latent)
        for path in encoded.paths:
            of_picture = annotated.points[path]
            sides = sides_of(path)
            outside += int(((of_picture < -0.5) | (of_picture > np.array(sides) - 0.5)).any(1).sum())
            points.append(moved(of_picture, sides, (0, 0, 0, 0), size, fit))
            units.append(_unit(sides, size, fit))
    if session.skipped:
        raise UserError(f"an annotated picture cannot be read: {session.skipped[0]}")
    latent = Rows.cat(latents)
    all_points = torch.from_numpy(np.stack(points)).to(session.device)
    all_units = torch.from_numpy(np.stack(units)).to(session.device)
    with torch.no_grad():
        return fit_reader(session.model, latent, all_points, annotated.names, all_units), outside


def read_points_of(
    session: Session, reader: LandmarkReader, encoded: Encoded
) -> tuple[Float[Tensor, "B P 2"], Float[Tensor, "B P 2"]]:
    """The points of encoded pictures and their standard deviations, in [-1, 1] of the model's picture."""
    with torch.no_grad():
        places, deviations = reader.read(session.model, encoded.latent)
    return places.cpu(), deviations.cpu()


def likelihoods(reader: LandmarkReader, deviations: Float[Tensor, "B P 2"]) -> Float[Tensor, "B P"]:
    """1 for a point that is as sure as in the annotated pictures, 1/2 where its deviation is twice as large."""
    usual = torch.full((2 * len(reader.names),), torch.nan, dtype=deviations.dtype)
    for fit in reader.fits:
        usual[list(fit.targets)] = fit.deviation.to(usual)
    return (usual.unflatten(0, (-1, 2)).norm(dim=1) / deviations.norm(dim=2)).clamp(0, 1)


def in_pixels(
    points: Float[Tensor, "P 2"],
    deviations: Float[Tensor, "P 2"],
    sides: tuple[int, int],
    size: tuple[int, int],
    fit: str,
) -> tuple[Float[np.ndarray, "P 2"], Float[np.ndarray, "P 2"]]:
    """Points of the model's picture, and their deviations, in pixels of a file with these rows and columns."""
    pixels = (points.numpy() + 1) / 2 * (np.array(size) - 1)
    return moved_back(pixels, sides, size, fit), deviations.numpy() * _unit(sides, size, fit)


def size_of(session: Session) -> tuple[int, int]:
    height, width = session.model.config.image_size
    return height, width


def _unit(sides: tuple[int, int], size: tuple[int, int], fit: str) -> Float[np.ndarray, "2"]:
    """How many pixels of a file a step of 1 in [-1, 1] of the model's picture is, along rows and along columns."""
    half = (np.array(size, np.float64) - 1) / 2
    return np.subtract(*moved_back(np.stack([half, 0 * half]), sides, size, fit))


def write_reader(folder: Path, reader: LandmarkReader, run: Path, fit: str) -> None:
    """Into an empty folder. A model that comes with motes is named, another by its whole path."""
    tensors = {
        f"{number}.{name}": value.cpu()
        for number, of_fit in enumerate(reader.fits)
        for name, value in vars(of_fit).items()
        if isinstance(value, Tensor)
    }
    options = {
        "run": name_of_run(run),
        "fit": fit,
        "names": reader.names,
        "reading": reader.reading,
        "penalty": reader.penalty,
        "doubt": asdict(reader.doubt),
        "targets": [of_fit.targets for of_fit in reader.fits],
    }
    save_tensors(tensors, folder / WEIGHTS)
    (folder / OPTIONS).write_text(json.dumps(options, indent=2) + "\n")


def open_reader(
    folder: Path, run: Path | None = None, device: str | None = None
) -> tuple[Session, LandmarkReader, str]:
    """The model, the reader and how pictures come to the model's size."""
    try:
        options = json.loads((folder / OPTIONS).read_text())
        tensors = load_file(folder / WEIGHTS)
        reader = _reader(options, tensors)
        where = run or options["run"]
        fit = options["fit"]
    except (OSError, ValueError, KeyError, TypeError):
        raise UserError(
            f"{folder} is no reader; motes landmarks fit RUN ANNOTATIONS --out READER makes one"
        ) from None
    session = Session.open(run_folder(where), device)
    return session, reader, fit


def _reader(options: dict, tensors: dict[str, Tensor]) -> LandmarkReader:
    names = [field.name for field in fields(PointFit) if field.name != "targets"]
    fits = tuple(
        PointFit(tuple(targets), **{name: tensors[f"{number}.{name}"] for name in names})
        for number, targets in enumerate(options["targets"])
    )
    if options["reading"] not in READINGS:
        raise ValueError(options["reading"])
    # readers of the first days have none
    doubt = Doubt(**options.get("doubt", {"middle": 0.0, "slope": 0.0}))
    return LandmarkReader(tuple(options["names"]), options["reading"], options["penalty"], fits, doubt)
