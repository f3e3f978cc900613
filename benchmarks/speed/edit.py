"""What an edit costs: moving one particle of a cached painting, against decoding the picture anew. One thread, CPU milliseconds.

python benchmarks/edit.py [--side 128] [--counts 10 50 200] [--edits 200]
"""

import argparse
import datetime
import platform
import time
from collections.abc import Callable

import torch

from motes.models.dlp import Config, DeepLatentParticles


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side", type=int, default=128)
    parser.add_argument("--counts", type=int, nargs="+", default=[10, 50, 200])
    parser.add_argument("--edits", type=int, default=200)
    told = parser.parse_args()
    torch.set_num_threads(1)
    print(f"{datetime.date.today()}, {platform.machine()}, {told.side} px, glimpses of 32 px, mean of {told.edits} edits\n")
    print("| K | move one, painted again ms | slowest ms | rendered anew ms | decoded anew ms |\n|" + "---|" * 5)
    for count in told.counts:
        print(f"| {count} | " + " | ".join(f"{one:.1f}" for one in costs(told.side, count, told.edits)) + " |", flush=True)


def costs(side: int, count: int, edits: int) -> tuple[float, float, float, float]:
    torch.manual_seed(0)
    config = Config(image_size=(side, side), num_particles=count, glimpse_size=32, patch_size=8, architecture="anchored")
    model = DeepLatentParticles(config).eval()
    latent = model.encode(torch.rand(1, 3, side, side))
    painting = model.painting(latent)
    places = (torch.rand(edits, 2) * 2 - 1).tolist()
    times = [milliseconds(lambda n=n, at=at: painting.moved(n % count, (at[0], at[1]))) for n, at in enumerate(places)]
    whole = (painting.glimpses, painting.position, painting.presence, painting.background)
    anew = milliseconds(lambda: [type(painting).of(*whole) for _ in range(5)]) / 5
    decoded = milliseconds(lambda: [model.decode(latent) for _ in range(5)]) / 5
    return sum(times) / edits, max(times), anew, decoded


def milliseconds(act: Callable[[], object]) -> float:
    began = time.process_time()
    act()
    return (time.process_time() - began) * 1000


if __name__ == "__main__":
    main()
