"""Pictures with annotated points, and the rival that benchmarks of landmarks share: small grey pictures."""

from collections.abc import Iterator

from torch.nn.functional import adaptive_avg_pool2d

from motes.data.base import Dataset
from motes.evaluation.question import Measured
from motes.ops.points.pixels import pixels_of_points
from motes.types.latents import Image

GREY = 24  # pixels a side
BATCH = 250


def annotated_batches(data: Dataset, count: int) -> Iterator[tuple[Image, Measured]]:
    """The first `count` pictures; their "points" in pixels, and the "picture" small and grey, in bytes."""
    count = min(count, len(data))
    for start in range(0, count, BATCH):
        rows = range(start, min(start + BATCH, count))
        image = data.batch(rows).image
        truth = data.truth(rows)
        assert truth is not None and truth.points is not None
        small = adaptive_avg_pool2d(image.mean(1, keepdim=True), (GREY, GREY))
        points = pixels_of_points(truth.points, data.image_shape[1:]).double()
        yield image, {"points": points, "picture": (255 * small).round().byte()}
