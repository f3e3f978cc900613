"""`motes reconstruct`: draws pictures and videos beside their reconstructions by a model."""

import argparse

from motes.apps.cli.arguments import (
    Parser,
    add_device,
    add_model_options,
    add_pictures_and_out,
    model_options,
    refuse_missing,
)
from motes.apps.cli.encode import print_skipped

ABOUT = "pictures through the model and back"
# pixels of the longer side of a drawing, about
SIDE = 256


def add_arguments(parser: Parser) -> None:
    add_pictures_and_out(parser)
    add_model_options(parser)
    add_device(parser)


def run(arguments: argparse.Namespace) -> None:
    """Write each picture beside its reconstruction as a PNG, and each video as a film of such pairs."""
    refuse_missing(*arguments.pictures)
    from motes.apps.drawing.film import Gallery
    from motes.apps.drawing.marks import sheet, to_picture
    from motes.apps.session.session import Session
    from motes.apps.session.tables import older_pictures
    from motes.plain.writing import whole_folder

    options = model_options(arguments.run, arguments.dotted)
    session = Session.open(arguments.run, arguments.device, options)
    with whole_folder(arguments.out, older_pictures(arguments.out, "reconstruction")) as out:
        gallery = Gallery(out, "reconstruction", session.rates)
        for encoded in session.encode_files(arguments.pictures, fit=arguments.fit):
            decoded = session.decode(encoded.latent)
            for path, image, drawn in zip(encoded.paths, encoded.image, decoded, strict=True):
                gallery.add(path, sheet([[to_picture(image, SIDE), to_picture(drawn, SIDE)]]))
        gallery.close()
    print_skipped(session)
    print(f"{gallery.count} pictures: {arguments.out}")
