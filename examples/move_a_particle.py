"""Encode pictures with a trained run, move one thing to the right, and write before and after side by side.

python examples/move_a_particle.py runs/shapes runs/shapes/samples moved.png
"""

import sys
from pathlib import Path

from motes.apps.drawing import marks as draw
from motes.apps.session.session import Session


def main(run: str, pictures: str, out: str) -> None:
    session = Session.open(run)
    rows = []
    for found in session.encode_files([Path(pictures)]):
        particles = found.latent.confident()
        for n in range(len(found.paths)):
            surest = int((particles.presence[n] * (particles.confidence[n] + 100)).argmax())
            moved = particles.moved(surest, (0.0, 0.3), picture=n)
            before, after = session.decode(particles)[n], session.decode(moved)[n]
            rows.append(
                [
                    draw.with_particles(found.image[n], particles, n),
                    draw.to_picture(before, 256),
                    draw.to_picture(after, 256),
                ]
            )
    draw.sheet(rows).save(out)
    print(f"{out}: picture with particles, its reconstruction, the surest particle moved right")


if __name__ == "__main__":
    main(*sys.argv[1:])
