"""Ways of computing the same with less memory, each a context manager that leaves the network as it was."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, cast

import torch
from torch import Tensor, nn

Core = tuple[int, int, int, int]
"""First and last rows and columns (excluded) of what counts in a part."""

_TILE = 64
_MARGIN = 16
_CROPS = 3  # in a row and in a column


@contextlib.contextmanager
def tiled_decoding(vae: nn.Module, *, tile: int = _TILE, margin: int = _MARGIN) -> Iterator[None]:
    """Let a VAE decode in tiles: memory then grows with the tile and, a little, with the picture.

    tile: side of a tile in latents, > 0. margin: how much each tile sees around itself; its convolutions see 13 latents
    far, so beyond that tiles meet without a seam. The lower levels with the attention run whole, as far as they need no
    more room than a tile, so that the parts of the picture still see each other. Group normalisations above use the
    statistics of crops from all over the picture.
    Source: own choice. Blending tiles that were normalised each by itself, as is common, shifts their colours.
    """
    whole: Any = vae
    if "decode" in vae.__dict__:  # already in tiles
        yield
        return

    def decode(latents: Tensor, return_dict: bool = True, **_: Any) -> Any:
        image = torch.cat([_decoded(whole, each, tile, margin) for each in torch.split(latents, 1)])
        if not return_dict:
            return (image,)
        from diffusers.models.autoencoders.vae import DecoderOutput

        return DecoderOutput(sample=image)

    vae.__dict__["decode"] = decode
    try:
        yield
    finally:
        del vae.__dict__["decode"]


@contextlib.contextmanager
def checkpointing(denoiser: nn.Module) -> Iterator[None]:
    """Let a network compute its blocks anew in the backward pass instead of keeping what passes through them.

    Stay inside until the gradient is taken. The network computes the same; a third more time for each update.
    """
    network: Any = denoiser
    modules = [module for module in denoiser.modules() if hasattr(module, "gradient_checkpointing")]
    before = [(module, module.training, cast("Any", module).gradient_checkpointing) for module in modules]
    functions = {module: module.__dict__.get("_gradient_checkpointing_func") for module in modules}
    try:
        if not network.is_gradient_checkpointing:
            network.enable_gradient_checkpointing()
        yield
    finally:
        for module, training, flag in before:
            cast("Any", module).gradient_checkpointing = flag
            module.training = training
            function = functions[module]
            if function is None:
                module.__dict__.pop("_gradient_checkpointing_func", None)
            else:
                module.__dict__["_gradient_checkpointing_func"] = function


@contextlib.contextmanager
def placed(network: nn.Module, device: torch.device, dtype: torch.dtype | None = None) -> Iterator[None]:
    """Have a network on another device while inside, in another precision where one is given."""
    first = next(network.parameters())
    home, own = first.device, first.dtype
    kept = dict(network.state_dict()) if dtype not in {None, own} else None
    try:
        network.to(device=device, dtype=dtype or own)
        yield
    finally:
        network.to(device=home, dtype=own)
        if kept is not None:  # the very numbers, where the other precision was narrower
            network.load_state_dict(kept, assign=True)


def _decoded(vae: Any, latents: Tensor, tile: int, margin: int) -> Tensor:
    """Latents [1, channels, height, width] as an image, -1 … 1."""
    if vae.post_quant_conv is not None:
        latents = vae.post_quant_conv(latents)
    decoder: Any = vae.decoder
    lowest: Tensor = decoder.mid_block(decoder.conv_in(latents), None)
    height, width = lowest.shape[-2:]
    upper = _Upper(decoder)
    if height <= tile and width <= tile:
        return upper(lowest)
    most = (tile + 2 * margin) ** 2 * upper.growth**2
    while (room := upper.next_room(lowest)) is not None and room <= most:
        lowest, grown = upper.climbed(lowest)
        tile *= grown
    height, width = lowest.shape[-2:]
    norms = [module for module in upper.modules() if isinstance(module, nn.GroupNorm)]
    crops, cores = _sample(lowest, tile)
    with _normalising(norms, cores) as known:
        with known.sampling(crops.shape[-2]):
            upper(crops)
        image: Tensor | None = None
        for (top, left), scale, part in _tiles(upper, lowest, tile, margin):
            if image is None:
                image = part.new_empty(1, part.shape[1], height * scale, width * scale)
            image[..., top : top + part.shape[-2], left : left + part.shape[-1]] = part
    if image is None:
        raise ValueError("latents without any extent cannot be decoded")
    return image


def _sample(lowest: Tensor, tile: int) -> tuple[Tensor, list[Core]]:
    """Crops [batch, channels, side, side] spread evenly, about as large as a tile together, and what counts in each.

    The rim of a crop sees too little around it and is left out, but where it is the picture's own.
    """
    height, width = lowest.shape[-2:]
    rim = max(1, tile // 8)
    side = min(5 * rim, height, width)
    crops, cores = [], []
    for row in range(_CROPS):
        for column in range(_CROPS):
            top, left = (height - side) * row // (_CROPS - 1), (width - side) * column // (_CROPS - 1)
            crops.append(lowest[:, :, top : top + side, left : left + side])
            bottom = side if top + side == height else side - rim
            right = side if left + side == width else side - rim
            cores.append((rim if top else 0, bottom, rim if left else 0, right))
    return torch.cat(crops), cores


def _tiles(upper: _Upper, lowest: Tensor, tile: int, margin: int) -> Iterator[tuple[tuple[int, int], int, Tensor]]:
    """Place in pixels, pixels of a latent's side, and image of each tile without its margin."""
    height, width = lowest.shape[-2:]
    for top in range(0, height, tile):
        for left in range(0, width, tile):
            bottom, right = min(height, top + tile), min(width, left + tile)
            first_row, first_column = max(0, top - margin), max(0, left - margin)
            seen = lowest[:, :, first_row : min(height, bottom + margin), first_column : min(width, right + margin)]
            core = top - first_row, bottom - first_row, left - first_column, right - first_column
            image = upper(seen)
            scale = image.shape[-2] // seen.shape[-2]
            up, down, start, end = (scale * edge for edge in core)
            yield (scale * top, scale * left), scale, image[..., up:down, start:end]


class _Norms:
    """Group normalisations that take the statistics of a sample, and keep them for the parts that follow."""

    def __init__(self, cores: Sequence[Core]) -> None:
        self._cores = cores
        self._fixed: dict[nn.GroupNorm, tuple[Tensor, Tensor]] = {}
        self._rows: int | None = None

    @contextlib.contextmanager
    def sampling(self, rows: int) -> Iterator[None]:
        """While inside, a batch of crops with so many rows of latents comes by; all are normalised as one."""
        self._rows = rows
        try:
            yield
        finally:
            self._rows = None

    def normalise(self, norm: nn.GroupNorm, x: Tensor) -> Tensor:
        """In place of a module's forward."""
        if self._rows is not None:
            scale = x.shape[-2] // self._rows
            inner = [
                each[:, scale * top : scale * bottom, scale * left : scale * right].flatten(1)
                for each, (top, bottom, left, right) in zip(x, self._cores, strict=True)
            ]
            grouped = torch.cat(inner, dim=1).float().reshape(norm.num_groups, -1)
            variance, mean = torch.var_mean(grouped, dim=1, correction=0)
            self._fixed[norm] = mean, variance
        mean, variance = self._fixed[norm]
        each = norm.num_channels // norm.num_groups
        gain = torch.rsqrt(variance + norm.eps).repeat_interleave(each)
        shift = -mean.repeat_interleave(each) * gain
        if norm.affine:
            shift = shift * norm.weight.float() + norm.bias.float()
            gain = gain * norm.weight.float()
        return torch.addcmul(shift.to(x.dtype)[:, None, None], x, gain.to(x.dtype)[:, None, None])


@contextlib.contextmanager
def _normalising(norms: Sequence[nn.GroupNorm], cores: Sequence[Core]) -> Iterator[_Norms]:
    known = _Norms(cores)
    try:
        for norm in norms:
            norm.__dict__["forward"] = partial(known.normalise, norm)
        yield known
    finally:
        for norm in norms:
            norm.__dict__.pop("forward", None)


@contextlib.contextmanager
def fixed_statistics(
    norms: Sequence[nn.GroupNorm], latents: Tensor, tile: int, run: Callable[[Tensor], Tensor]
) -> Iterator[None]:
    """While inside, group normalisations take the statistics that they had in a run over crops spread over latents."""
    crops, cores = _sample(latents, tile)
    with _normalising(norms, cores) as known:
        with known.sampling(crops.shape[-2]):
            run(crops)
        yield


class _Upper:
    """The part of a decoder above a level, from features there to the image."""

    def __init__(self, decoder: Any) -> None:
        self._decoder = decoder
        self._blocks: list[Any] = list(decoder.up_blocks)
        last = self._blocks[-1].resnets[-1].out_channels
        self.growth = math.isqrt(last * 4 ** sum(bool(block.upsamplers) for block in self._blocks)) + 1

    def __call__(self, features: Tensor) -> Tensor:
        for block in self._blocks:
            features = block(features, None)
        decoder = self._decoder
        result: Tensor = decoder.conv_out(decoder.conv_act(decoder.conv_norm_out(features)))
        return result

    def modules(self) -> Iterator[nn.Module]:
        """All modules that are still above."""
        for part in (*self._blocks, self._decoder.conv_norm_out):
            yield from part.modules()

    def next_room(self, features: Tensor) -> int | None:
        """Numbers that the next block will give; None where the last one is next."""
        if len(self._blocks) < 2:
            return None
        block = self._blocks[0]
        grown = 4 if block.upsamplers else 1
        return int(features.shape[-1] * features.shape[-2] * grown * block.resnets[-1].out_channels)

    def climbed(self, features: Tensor) -> tuple[Tensor, int]:
        """Features after the next block, which is then below, and how much it enlarged them."""
        block = self._blocks.pop(0)
        return block(features, None), 2 if block.upsamplers else 1
