"""Points read off latents: exact where they are linear in places, from maps where particles have no order, less sure where unlike."""

from dataclasses import replace

import pytest
import torch

from motes.errors import UserError
from motes.explore.landmark_reader import fit_reader
from motes.types.latents import Particles
from tests.apps.spots import Spots

COUNT = 40


def particles(places, looks=None):
    count = places.shape[1]
    zeros = torch.zeros_like(places)
    looks = torch.eye(count).expand(len(places), -1, -1) if looks is None else looks
    return Particles(
        position=places,
        log_variance=zeros - 8,
        features=looks,
        feature_log_variance=torch.zeros_like(looks) - 8,
        presence=torch.ones_like(places[..., 0]),
        background=zeros[:, 0],
    )


@pytest.fixture
def places():
    return torch.rand(COUNT, 3, 2, generator=torch.Generator().manual_seed(0)) * 1.4 - 0.7


def points_of(places):
    """A point half-way between two particles, and one beside the third."""
    between = (places[:, 0] + places[:, 1]) / 2
    return torch.stack([between, places[:, 2] + torch.tensor([0.1, -0.2])], 1)


UNITS = torch.full((COUNT, 2), 32.0, dtype=torch.float64)


def test_points_that_are_linear_in_places_are_read_exactly(places):
    fitted = fit_reader(Spots(), particles(places), points_of(places), ("between", "beside"), UNITS)
    assert fitted.error < 0.1 < fitted.mean_pose
    assert fitted.reader.reading.startswith("places")
    read, deviation = fitted.reader.read(Spots(), particles(places))
    torch.testing.assert_close(read, points_of(places).double(), atol=0.005, rtol=0)
    assert deviation.shape == read.shape and (deviation < 0.02).all()


def test_particles_without_order_are_read_from_maps(places):
    order = torch.stack(
        [torch.randperm(3, generator=torch.Generator().manual_seed(row)) for row in range(COUNT)]
    )
    looks = torch.eye(3)[order]
    mixed = particles(places.gather(1, order[..., None].expand(-1, -1, 2)), looks)
    fitted = fit_reader(Spots(), mixed, places[:, 2:], ("third",), UNITS)
    assert fitted.reader.reading == "maps of places and looks"
    assert fitted.error < 0.5 * fitted.mean_pose
    assert fitted.errors["places"] > 0.8 * fitted.mean_pose


def test_unknown_points_are_left_out_and_the_others_read(places):
    points = points_of(places)
    points[::3, 1] = torch.nan
    fitted = fit_reader(Spots(), particles(places), points, ("between", "beside"), UNITS)
    read, _ = fitted.reader.read(Spots(), particles(places))
    torch.testing.assert_close(read, points_of(places).double(), atol=0.01, rtol=0)


def test_pictures_unlike_the_annotated_ones_are_less_sure(places):
    noise = 0.05 * torch.randn(COUNT, 2, 2, generator=torch.Generator().manual_seed(1))
    fitted = fit_reader(Spots(), particles(places), points_of(places) + noise, ("between", "beside"), UNITS)
    _, usual = fitted.reader.read(Spots(), particles(places))
    _, far = fitted.reader.read(Spots(), particles(4 * places))
    assert far.mean() > 1.3 * usual.mean()
    errors = (fitted.predicted - points_of(places) - noise).square().mean().sqrt()
    assert 0.7 < usual.mean() / errors < 1.5


def test_where_particles_are_unsure_readings_are_too(places):
    log_variance = torch.linspace(-8, -4, COUNT)[
        torch.randperm(COUNT, generator=torch.Generator().manual_seed(3))
    ]
    noise = torch.randn(COUNT, 2, 2, generator=torch.Generator().manual_seed(2))
    points = points_of(places) + (log_variance / 2).exp()[:, None, None] * noise
    latent = replace(particles(places), log_variance=log_variance[:, None, None].expand(-1, 3, 2))
    fitted = fit_reader(Spots(), latent, points, ("between", "beside"), UNITS)
    assert 0.5 < fitted.reader.doubt.slope < 1.5
    _, deviation = fitted.reader.read(Spots(), latent)
    deviation = deviation.mean((1, 2))
    surest = log_variance.argsort()
    assert deviation[surest[-10:]].mean() > 2 * deviation[surest[:10]].mean()
    ratio = (fitted.predicted - points).norm(dim=2).mean(1) / deviation
    assert 0.5 < ratio[surest[:10]].mean() / ratio[surest[-10:]].mean() < 2


def test_too_few_annotations_are_refused(places):
    with pytest.raises(UserError, match="2 annotated pictures are too few"):
        fit_reader(Spots(), particles(places[:2]), points_of(places[:2]), ("between", "beside"), UNITS[:2])
    points = points_of(places)
    points[3:, 1] = torch.nan
    with pytest.raises(UserError, match="beside is annotated in fewer than 4 pictures"):
        fit_reader(Spots(), particles(places), points, ("between", "beside"), UNITS)
