"""IODINE: slots whose posteriors are refined, update by update, by what their drawing explains of the picture."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import torch
from einops import rearrange, repeat
from jaxtyping import Float
from torch import Tensor, nn

from motes.errors import UserError
from motes.models.base import Stage, device_of, refuse_other_sizes
from motes.models.carrying import Carrying
from motes.models.slots.ground import GROUNDS
from motes.models.slots.iodine_config import IodineConfig, refuse_impossible
from motes.models.slots.looking import THROUGH, Look, seen
from motes.models.slots.posterior import UNIT, Posterior
from motes.models.slots.refining import Step, common_maps, own_maps, steps_of
from motes.models.slots.schedule import settings_at
from motes.models.slots.starts import best_of, noise_of_start
from motes.nn.blocks.broadcast import BroadcastDecoder
from motes.nn.coders.slot_reader import SlotReader
from motes.ops.densities.noise import normal_like
from motes.ops.densities.spatial_mixture import PIXEL_LIKELIHOODS
from motes.types.batch import Batch, Losses
from motes.types.latents import Image
from motes.types.slots import Slots

# of a code that is certain, as one that was sampled
CERTAIN = -20.0
# of what a posterior has learnt of a frame, where it starts for the next frame
KEPT = 0.5
# seeds of the noise of one draw: more than starts
SEEDS = 1000


class Iodine(Carrying):
    """IODINE (Greff et al. 2019, https://arxiv.org/abs/1903.00450): sum_t t/T L_t, over T updates.

    L_t = -log p(x | z) + sum_k KL(q_t(z_k) || N(0, 1)), z_k ~ q_t(z_k), and q_t+1 = q_t + what the refinement network
    says of the picture, of what slot k draws, and of the gradient of L_t. All slots have the same start and the same
    networks; only noise tells them apart.

    Where the config has a ground, a component of one colour, without a code, takes part in the masks; the price of
    the pixels that the slots paint instead is added to L_t.
    """

    Config = IodineConfig
    # share of the training that is done
    progress: Tensor

    def __init__(self, config: IodineConfig):
        super().__init__()
        refuse_impossible(config)
        self.config = config
        channels = config.channels
        numbers = 2 * config.code_dim
        self.decoder = BroadcastDecoder(config.code_dim, 1 + channels, config.broadcast)
        self.reader = SlotReader(own_maps(channels), common_maps(channels), numbers, config.reading)
        self.ground = GROUNDS[config.ground](channels)
        first = torch.zeros(numbers)
        first[config.code_dim :] = UNIT
        self.first = nn.Parameter(first)
        self.likelihood = PIXEL_LIKELIHOODS[config.likelihood]
        self.register_buffer("progress", torch.zeros(()))

    def stages(self) -> tuple[Stage, ...]:
        return (Stage("main", 1.0, self.loss, tuple(self.parameters()), progressed=self._progressed),)

    def _progressed(self, share: float) -> None:
        self.progress.fill_(share)

    def loss(self, batch: Batch) -> Losses:
        config = self.config
        last = config.updates[0]
        start = self._start(len(batch), config.slots)
        noise = [normal_like(start[..., : config.code_dim]) for _ in range(last + 1)]
        look = self._look(batch.image)
        see = THROUGH[config.through]
        steps = self._steps(start, noise, lambda codes, number: see(look, codes, number > 0))
        total = torch.zeros((), device=start.device)
        terms: dict[str, Tensor] = {}
        for number, step in enumerate(steps):
            total = total + number / last * (step.seen.loss + step.kl.sum()) / len(batch)
            terms |= _terms(number, last, step)
        return Losses(total, terms)

    def validate(self, batch: Batch) -> Losses:
        """Minus the bound after the last update of a training step, from the first start; no noise but that."""
        terms: dict[str, Tensor] = {}
        last = self.config.updates[0]
        start = self._start(len(batch), self.config.slots)
        for number, step in enumerate(self._read(batch.image, start, last, seed=0)):
            terms |= _terms(number, last, step)
        return Losses((terms["reconstruction"] + terms["kl"]).mean(), terms)

    def encode(
        self,
        image: Image,
        updates: int | None = None,
        starts: Sequence[int] | None = None,
        draw: int = 0,
    ) -> Slots:
        """The slots of pictures, after so many updates, from the start with the best bound for each picture.

        `starts` says how many slots each start has, as in the config; `draw` is the number of other noise. Where
        starts differ in their number of slots, missing ones have presence 0.
        """
        refuse_other_sizes(self.config, image)
        _refuse_gaps(image)
        options = replace(
            self.config,
            updates=(self.config.updates[0], self.config.updates[1] if updates is None else updates),
            starts=self.config.starts if starts is None else tuple(starts),
        )
        refuse_impossible(options)
        readings = [
            self._encoded(image, self._start(len(image), slots), options.updates[1], draw * SEEDS + number)
            for number, slots in enumerate(options.slots_of_starts)
        ]
        return best_of(readings)

    def carried(self, image: Image, before: Slots) -> Slots:
        """The slots of frames from those of the frames before; a slot that is not present starts again.

        Posteriors go back half of the way to the first start, from which updates were learnt; without that codes drift.
        """
        refuse_other_sizes(self.config, image)
        _refuse_gaps(image)
        posterior = Posterior.of(before.codes, before.log_variance.exp())
        numbers = torch.where(before.believed[..., None], posterior.numbers, self.first)
        start = torch.lerp(self.first.expand_as(numbers), numbers, KEPT)
        return self._encoded(image, start, self.config.carry, seed=0)

    @property
    def usual_updates(self) -> int:
        return self.config.updates[0]

    def redraw(self, image: Image, updates: int | None = None, draw: int = 0) -> Slots:
        """The slots from other starts, as many as in the config."""
        return self.encode(image, updates, draw=draw)

    def decode(self, latent: Slots) -> Image:
        return self._drawn(latent).mixed()

    def shares(self, latent: Slots) -> Float[Tensor, "B A H W"]:
        """Whose each pixel is; the ground's share comes first."""
        return self._drawn(latent).shares

    def sample(self, count: int) -> Slots:
        """Slots with codes of the prior. Nothing says where slots should be beside each other: expect a mush."""
        codes = torch.randn(count, self.config.slots, self.config.code_dim, device=device_of(self))
        certain = torch.full_like(codes, CERTAIN)
        grey = torch.full((count, self.config.channels, *self.config.image_size), 0.5, device=codes.device)
        ground = self.ground.behind(grey)
        return self._drawn(Slots(codes, certain, torch.ones_like(codes[..., 0]), ground=ground))

    def _start(self, pictures: int, slots: int) -> Float[Tensor, "B K P"]:
        return repeat(self.first, "p -> b k p", b=pictures, k=slots)

    def _look(self, image: Image) -> Look:
        settings = settings_at(self.config, self.progress)
        return Look(image, self.decoder, self.ground, self.likelihood, settings)

    def _steps(self, start: Tensor, noise: Sequence[Tensor], see) -> Iterator[Step]:
        return steps_of(self.reader, start, noise, see, self.config.through == "state")

    def _read(self, image: Image, start: Float[Tensor, "B K P"], updates: int, seed: int) -> Iterator[Step]:
        """The steps of an encoding, from one start; the noise is the same for every picture."""
        look = self._look(image)
        noise = noise_of_start(seed, updates + 1, start[..., : self.config.code_dim])
        return steps_of(self.reader, start, noise, lambda codes, number: seen(look, codes), detached=True)

    @torch.no_grad()
    def _encoded(self, image: Image, start: Float[Tensor, "B K P"], updates: int, seed: int) -> Slots:
        *_, last = self._read(image, start, updates, seed)
        mean = last.posterior.mean
        look = self._look(image)
        view = look.view(look.draw(mean))
        fits = view.explained.of_components
        beside = self.ground.last_of(fits)
        bound = -(last.seen.view.surprise + last.kl)
        latent = Slots(mean, last.posterior.variance.log(), torch.ones_like(mean[..., 0]), bound=bound)
        ground = self.ground.behind(image)
        return replace(
            self._layered(latent, view.drawn), ground=ground, fits=fits[:, : mean.shape[1]] - beside
        )

    def _drawn(self, latent: Slots) -> Slots:
        """The slots with what their codes draw, if that is not known yet."""
        if latent.colours is not None:
            return latent
        drawn = self.decoder(rearrange(latent.codes, "b k z -> (b k) z"))
        return self._layered(latent, rearrange(drawn, "(b k) d h w -> b k d h w", b=len(latent)))

    def _layered(self, latent: Slots, drawn: Float[Tensor, "B K D H W"]) -> Slots:
        """The slots with what was drawn of them; the logit of a ground is 0 in the result."""
        logits = drawn[:, :, 0] - self.ground.logit(settings_at(self.config, self.progress))
        return replace(latent, mask_logits=logits, colours=drawn[:, :, 1:])


def _refuse_gaps(image: Image) -> None:
    bad = (~image.isfinite().flatten(1).all(1)).nonzero().flatten().tolist()
    if bad:
        raise UserError(
            f"pixels of pictures {bad[:8]} of this batch are not finite; leave these pictures out"
        )


def _terms(number: int, last: int, step: Step) -> dict[str, Tensor]:
    """What is logged of a step of an update: the first two show whether updates help."""
    surprise = step.seen.view.surprise.detach()
    terms = {("first", "second")[number]: surprise} if number < 2 else {}
    return terms | ({"reconstruction": surprise, "kl": step.kl.detach()} if number == last else {})
