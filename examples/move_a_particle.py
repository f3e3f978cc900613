"""Encode pictures with a trained run, move one thing to the right, and write before and after side by side.

python examples/move_a_particle.py runs/shapes runs/shapes/samples moved.png
"""

import sys
from pathlib import Path

from motes.apps.drawing.marks import sheet, to_picture, with_particles
from motes.apps.session.session import Session


def main(run: str, pictures: str, out: str) -> None:
    session = Session.open(run)
    rows = []
    for encoded in session.encode_files([Path(pictures)]):
        particles = encoded.latent.confident()
        middles = session.middles(particles)
        for picture in range(len(encoded.paths)):
            certainty = particles.presence[picture] * (particles.confidence[picture] + 100)
            moved = particles.moved(int(certainty.argmax()), (0.0, 0.3), picture=picture)
            before = session.decode(particles)[picture]
            after = session.decode(moved)[picture]
            marked = with_particles(encoded.image[picture], particles, picture, middles=middles)
            rows.append([marked, to_picture(before, 256), to_picture(after, 256)])
    sheet(rows).save(out)
    print(f"{out}: picture with particles, its reconstruction, the surest particle moved right")


if __name__ == "__main__":
    main(*sys.argv[1:])
