"""`motes landmarks fit`: learns from annotated pictures how to read points off a model's latents."""

import argparse
import warnings
from pathlib import Path

from motes.apps.cli.arguments import Parser, add_device, add_fit, add_run, refuse_missing
from motes.errors import UserError

ABOUT = "learn from a few annotated pictures to read points off a model: motes landmarks fit RUN ANNOTATIONS --out READER"
# pictures that are named in a sentence
NAMED = 3


def add_arguments(parser: Parser) -> None:
    add_run(parser)
    parser.add_argument(
        "annotations",
        type=Path,
        help="a table or project of DeepLabCut, another table of x and y, key points of COCO, or a folder with .pts files",
    )
    parser.add_argument("--out", type=Path, required=True, help="the new folder of the reader")
    add_fit(parser)
    add_device(parser)


def run(arguments: argparse.Namespace) -> None:
    """Encode the annotated pictures, choose what is read by leaving some out, and write the reader."""
    refuse_missing(arguments.annotations)
    if arguments.out.exists():
        raise UserError(f"the reader goes to a new folder, and {arguments.out} exists")
    from motes.apps.landmarks.reading import fit_to_annotations, write_reader
    from motes.apps.session.session import Session
    from motes.data.poses.annotations import read_annotated_points
    from motes.plain.writing import whole_folder

    annotated = read_annotated_points(arguments.annotations)
    if annotated.missing:
        missing = ", ".join(annotated.missing[:NAMED])
        warnings.warn(
            f"{len(annotated.missing)} annotated pictures are not there, such as {missing}", stacklevel=1
        )
    session = Session.open(arguments.run, arguments.device)
    fitted, outside = fit_to_annotations(session, annotated, arguments.fit)
    with whole_folder(arguments.out) as folder:
        write_reader(folder, fitted.reader, arguments.run, arguments.fit)
    if outside:
        print(f"{outside} points lie outside of their pictures; they were learnt from too")
    for reading, error in sorted(fitted.errors.items(), key=lambda item: item[1]):
        chosen = "   (chosen)" if reading == fitted.reader.reading else ""
        print(f"{error:8.2f} px  read from {reading}{chosen}")
    print(f"{fitted.mean_pose:8.2f} px  the mean of the annotated pictures")
    print(
        f"{len(fitted.predicted)} pictures, {len(annotated.names)} points: {arguments.out}. Errors are of pictures that "
        "were left out by turns."
    )
