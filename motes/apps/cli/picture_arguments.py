"""How pictures that a command reads come to the size of the model. Needs no torch."""

import argparse

FITS = ("fit", "stretch", "crop")  # as in motes.data.files.picture_files, which loads numpy


def add_fit(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--fit", choices=FITS, default="fit", help="how pictures come to the model's size")
