"""Less memory, the same numbers, and the networks as they were."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from adstudio.engine.backbones.base import Backbone
from adstudio.engine.distillation import Distillation, Distiller, Evaluation
from adstudio.engine.memory import checkpointing, placed, tiled_decoding
from adstudio.engine.schedules import Level
from adstudio.models.families import Family
from tests.engine.tiny_parts import backbone, picture, traces

FAMILIES = [Family.SD15, Family.SDXL, Family.FLUX]
CPU = torch.device("cpu")


def evaluated(model: Backbone, layers: tuple[int, ...]) -> Evaluation:
    content, reference = model.encode(picture(32, 48, 1)), model.encode(picture(32, 32))
    distiller = Distiller(model, Distillation(layers=layers, content_weight=0.3))
    size = content.shape[-2], content.shape[-1]
    objective = distiller.objective(Level(timestep=401, signal=1, noise=0), [reference], content, size)
    return distiller.evaluate(objective, content + 0.1)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("which", ["default", "all", "first"])
def test_checkpointing_is_exact_with_captured_attention(family: Family, which: str) -> None:
    model = backbone(family)
    count = len(model.layer_names)
    layers = {"default": model.default_layers, "all": tuple(range(count)), "first": (0, 1)}[which]
    before = traces(model)
    plain = evaluated(model, layers)
    calls = []
    blocks: Any = model.networks[0]
    with checkpointing(model.networks[0]):
        hook = blocks.get_submodule(model.layer_names[layers[0]]).register_forward_hook(lambda *_: calls.append(1))
        saving = evaluated(model, layers)
        hook.remove()
    assert torch.equal(plain.loss, saving.loss)
    torch.testing.assert_close(plain.gradient, saving.gradient, rtol=1e-5, atol=1e-9)
    assert traces(model) == before
    assert not blocks.is_gradient_checkpointing


def test_checkpointing_ends_with_an_exception_and_leaves_its_earlier_state() -> None:
    model = backbone(Family.SD15)
    network: Any = model.networks[0]
    with pytest.raises(KeyError), checkpointing(network):
        raise KeyError
    assert not network.is_gradient_checkpointing
    network.enable_gradient_checkpointing()
    with checkpointing(network):
        pass
    assert network.is_gradient_checkpointing


def smooth(*shape: int) -> Tensor:
    generator = torch.Generator().manual_seed(3)
    coarse = torch.randn(*shape[:2], shape[2] // 8, shape[3] // 8, generator=generator)
    fine = torch.randn(*shape, generator=generator)
    return nn.functional.interpolate(coarse, shape[2:], mode="bicubic") + 0.2 * fine


def decoded(vae: Any, latents: Tensor) -> Tensor:
    with torch.no_grad():
        image: Tensor = vae.decode(latents, return_dict=False)[0]
    return image


@pytest.mark.parametrize("size", [(96, 128), (128, 64)])
def test_decoding_in_tiles_stays_near_the_whole_and_nearer_than_the_librarys(size: tuple[int, int]) -> None:
    vae: Any = backbone(Family.SD15).networks[1]
    latents = smooth(1, 4, *size)
    whole = decoded(vae, latents)
    with tiled_decoding(vae):
        mine = decoded(vae, latents)
    vae.enable_tiling()
    vae.tile_latent_min_size, vae.tile_sample_min_size = 64, 512
    theirs = decoded(vae, latents)
    vae.disable_tiling()
    assert mine.shape == whole.shape
    error = float((mine - whole).abs().mean() / whole.std())
    assert error < 0.1
    assert error < 0.4 * float((theirs - whole).abs().mean() / whole.std())


def test_tiles_meet_without_a_seam() -> None:
    vae: Any = backbone(Family.SD15).networks[1]
    latents = smooth(1, 4, 96, 128)
    error = (decoded(vae, latents) - tiled(vae, latents)).mean(1)[0]
    across = (error[:, 1:] - error[:, :-1]).abs().mean(0)
    assert float(across[511]) < 3 * float(across.median())  # 511|512 is where two tiles meet


def tiled(vae: Any, latents: Tensor) -> Tensor:
    with tiled_decoding(vae):
        return decoded(vae, latents)


def test_small_pictures_are_decoded_whole_and_batches_one_by_one() -> None:
    vae: Any = backbone(Family.SD15).networks[1]
    latents = smooth(2, 4, 16, 24)
    torch.testing.assert_close(tiled(vae, latents), decoded(vae, latents), rtol=1e-3, atol=1e-4)


def test_the_decoder_is_as_it_was_afterwards() -> None:
    model = backbone(Family.SD15)
    before = traces(model)
    vae: Any = model.networks[1]
    tiled(vae, smooth(1, 4, 72, 80))
    with pytest.raises(RuntimeError), tiled_decoding(vae):
        decoded(vae, torch.zeros(1, 3, 80, 80))
    assert traces(model) == before
    assert "decode" not in vae.__dict__


def test_a_network_placed_in_another_precision_comes_back_with_its_own_numbers() -> None:
    network = nn.Linear(5, 3)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    with placed(network, CPU, torch.float16):
        assert network.weight.dtype is torch.float16
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, before[name])
    with pytest.raises(KeyError), placed(network, CPU, torch.bfloat16):
        raise KeyError
    assert torch.equal(network.weight, before["weight"])
