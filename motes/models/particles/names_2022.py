"""Maps names of parameters and buffers of our particle models to their names in the 2022 research code."""

import itertools
from collections.abc import Iterable, Mapping, Sequence

from motes.models.particles.parts import HeatMapSizes
from motes.models.particles.published import GLIMPSE_WIDTHS

Names = dict[str, str]  # ours -> theirs

IMAGE_STACK = "enc"
PRIOR_STACK = "prior.enc"
GLIMPSE_STACK = "object_enc_sep.cnn"
OBJECT_STACKS = {
    "encoder.image": IMAGE_STACK,
    "encoder.prior.network": PRIOR_STACK,
    "encoder.glimpse": GLIMPSE_STACK,
}
MASKED_STACKS = {"networks.image": IMAGE_STACK, "prior.network": PRIOR_STACK}
OBJECT_MLPS = {
    "encoder.position": "to_normal_stats",
    "encoder.presence": "aux_enc",
    "encoder.around": "object_enc",
    "encoder.look": "object_enc_sep.fc",
}
MASKED_MLPS = {
    "networks.position": "to_normal_stats",
    "networks.around": "object_enc",
    "networks.look": "object_enc_sep.fc",
}
PARAMETERS = ("weight", "bias")
STATISTICS = ("running_mean", "running_var", "num_batches_tracked")


def object_names(config: HeatMapSizes) -> Names:
    """The map of names for the object model."""
    return {
        **_contracting_stacks(OBJECT_STACKS, config),
        **_mlps(OBJECT_MLPS, (0, 2, 4)),
        **_mlps({"decoder.unfold": "object_dec.fc"}, (0, 2)),
        **_pointnet("decoder.pointnet", config),
        **_scene("decoder.scene", config, 2 * config.num_particles),
        **_glimpse_decoder("decoder.draw", config),
    }


def masked_names(config: HeatMapSizes) -> Names:
    """The map of names for the masked model."""
    return {
        **_contracting_stacks(MASKED_STACKS, config),
        **_mlps(MASKED_MLPS, (0, 2, 4)),
        **_pointnet("networks.pointnet", config),
        **_scene("networks.scene", config, 3 * config.num_particles),
    }


def _contracting_stacks(stacks: Mapping[str, str], config: HeatMapSizes) -> Names:
    """The names of contracting stacks, whose blocks the 2022 code numbers by the side of the picture they
    read."""
    sides = {
        IMAGE_STACK: config.image_size[0],
        PRIOR_STACK: config.patch_size,
        GLIMPSE_STACK: config.glimpse_size,
    }
    widths = {
        IMAGE_STACK: config.encoder_channels,
        PRIOR_STACK: config.prior_channels,
        GLIMPSE_STACK: GLIMPSE_WIDTHS,
    }
    names: Names = {}
    for ours, theirs in stacks.items():
        names |= _contracting(ours, theirs, widths[theirs], config.channels, sides[theirs])
    return names


def _contracting(ours: str, theirs: str, widths: Sequence[int], inputs: int, side: int) -> Names:
    blocks = [("in_block_1", inputs, widths[0]), ("in_block_2", widths[0], widths[0])]
    for narrow, wide in itertools.pairwise(widths):
        blocks += [(f"conv_in_{side}_0", narrow, wide), (f"conv_in_{wide}_1", wide, wide)]
        side //= 2
    names = _same(f"{ours}.top", f"{theirs}.keymap")
    for number, (label, narrow, wide) in enumerate(blocks):
        names |= _block(f"{ours}.blocks.{number}", f"{theirs}.main.{label}", narrow, wide)
    return names


def _mlps(networks: Mapping[str, str], layers: Iterable[int]) -> Names:
    names: Names = {}
    for (ours, theirs), layer in itertools.product(networks.items(), layers):
        names |= _same(f"{ours}.{layer}", f"{theirs}.{layer}")
    return names


def _scene(ours: str, config: HeatMapSizes, maps: int) -> Names:
    """The names of the background's decoder, whose last width is a multiple of the number of nodes."""
    nodes = config.num_particles + 1
    last = nodes * (config.encoder_channels[0] // nodes + 1)
    widths = (maps, *reversed(config.encoder_channels[1:]), last)
    names = _expanding(ours, "dec.main", widths, first_label=8)
    return names | _same(f"{ours}.top", f"dec.final_conv.main.conv_{last}_to_{config.channels}")


def _glimpse_decoder(ours: str, config: HeatMapSizes) -> Names:
    doublings = max((-(-config.glimpse_size // 8) - 1).bit_length(), 0)
    names = _expanding(ours, "object_dec.main", (32, *[64] * doublings, 32), first_label=16)
    top = f"object_dec.main.final_conv.main.conv_32_to_{config.channels + 1}"
    return names | _same(f"{ours}.top", top)


def _expanding(ours: str, theirs: str, widths: Sequence[int], first_label: int) -> Names:
    names: Names = {}
    for number, (narrow, wide) in enumerate(itertools.pairwise(widths)):
        label = f"conv_to_{first_label * 2 ** (number - 1)}" if number else "depth_up"
        names |= _block(f"{ours}.blocks.{number}", f"{theirs}.{label}", narrow, wide)
    return names


def _pointnet(ours: str, config: HeatMapSizes) -> Names:
    names = _same(f"{ours}.unfold", "pointnet.fc.0")
    for number in range(4):
        layer = f"{ours}.layers.{number}"
        mlp = f"pointnet.conv{number + 1}.mlp"
        for part, position in (("first", 0), ("second", 3)):
            names |= _same(f"{layer}.{part}", f"{mlp}.{position}")
            names |= _norm(f"{layer}.{part}_norm", f"{mlp}.{position + 1}")
    grid = config.image_size[0] // 2 ** (len(config.encoder_channels) - 1)
    count = config.num_particles
    for number in range(max((grid // 8).bit_length() - 1, 0)):
        names |= _block(f"{ours}.grow.{number}", f"pointnet.cnn.depth_up_{number}", count, count)
    return names


def _block(ours: str, theirs: str, inputs: int, outputs: int) -> Names:
    convolution = {f"{ours}.conv.weight": f"{theirs}.main.conv_{inputs}_to_{outputs}.weight"}
    # so it is spelt there
    return convolution | _norm(f"{ours}.norm", f"{theirs}.main.bathcnorm_{outputs}")


def _norm(ours: str, theirs: str) -> Names:
    return _same(ours, theirs, (*PARAMETERS, *STATISTICS))


def _same(ours: str, theirs: str, tensors: Iterable[str] = PARAMETERS) -> Names:
    """The names of tensors, such as weight and bias, that both codes call the same within a layer."""
    return {f"{ours}.{tensor}": f"{theirs}.{tensor}" for tensor in tensors}
