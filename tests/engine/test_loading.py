"""Models in every layout come into memory as they were written: each weight, each output, each config."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from adstudio.engine.backbones import loading
from adstudio.engine.backbones.loading import load_parts
from adstudio.engine.backbones.parts import ModelParts
from adstudio.engine.backbones.text import encode_ids
from adstudio.errors import ModelError, UnavailableError
from adstudio.models.description import Layout, ModelDescription, Precision
from adstudio.models.families import FACTS, Family, Role
from adstudio.models.inspect import inspect_model
from tests.engine.tiny_models import VOCABULARY, TinyModel, tiny_model, write_folder, write_single_file

CPU = torch.device("cpu")
Writer = Callable[[TinyModel, Path], Path]
LAYOUTS: dict[str, Writer] = {
    "folder": lambda model, folder: write_folder(model, folder / "model"),
    "shards": lambda model, folder: write_folder(model, folder / "model", shards=3),
    "fp16 shards": lambda model, folder: write_folder(
        model, folder / "model", variant="fp16", dtype=torch.float16, shards=2
    ),
    "file": lambda model, folder: write_single_file(model, folder / "model.safetensors"),
}
families = pytest.mark.parametrize("family", list(Family))


def load(model: ModelDescription, **named: Any) -> ModelParts:
    return load_parts(model, device=CPU, dtype=named.pop("dtype", torch.float32), **named)


def outputs(family: Family, denoiser: Any, width: int) -> torch.Tensor:
    """What a denoiser makes of fixed inputs; width: channels of the text."""
    noise = torch.Generator().manual_seed(3)
    text = torch.randn(1, 5, width, generator=noise)
    with torch.no_grad():
        if family is Family.FLUX:
            image = torch.randn(1, 16, 64, generator=noise)
            positions = torch.zeros(16, 3)
            positions[:, 1], positions[:, 2] = torch.arange(16) // 4, torch.arange(16) % 4
            made = denoiser(
                hidden_states=image,
                timestep=torch.tensor([0.5]),
                guidance=torch.tensor([3.5]),
                pooled_projections=torch.randn(1, 16, generator=noise),
                encoder_hidden_states=text,
                txt_ids=torch.zeros(5, 3),
                img_ids=positions,
            )
        else:
            latents = torch.randn(1, 4, 8, 8, generator=noise)
            added = {"text_embeds": torch.randn(1, 16, generator=noise), "time_ids": torch.ones(1, 6)}
            made = denoiser(latents, 500, encoder_hidden_states=text, added_cond_kwargs=added)
    result: torch.Tensor = made.sample
    return result


@families
@pytest.mark.parametrize("layout", list(LAYOUTS))
def test_every_weight_and_every_output_is_as_written(family: Family, layout: str, tmp_path: Path) -> None:
    tiny = tiny_model(family)
    description = inspect_model(LAYOUTS[layout](tiny, tmp_path))
    assert description.family is family
    assert description.missing == ()
    parts = load(description)
    half = "fp16" in layout
    assert description.precision is (Precision.FP16 if half else Precision.FP32)
    assert description.layout is (Layout.SINGLE_FILE if layout == "file" else Layout.FOLDER)
    assert parts.scheduler_config["_class_name"] == tiny.scheduler["_class_name"]
    for role, loaded in ((FACTS[family].denoiser, parts.denoiser), (Role.VAE, parts.vae)):
        module: Any = loaded
        assert not module.training
        written = tiny.parts[role.value].state_dict()
        read = module.state_dict()
        assert set(read) == set(written)
        for name, tensor in written.items():
            expected = tensor.to(torch.float16).float() if half else tensor
            assert torch.equal(read[name], expected), name
            assert not read[name].requires_grad
    if not half:
        denoiser: Any = tiny.parts[FACTS[family].denoiser.value]
        width = {Family.FLUX: 12, Family.SDXL: 32}.get(family, 16)
        assert torch.equal(outputs(family, parts.denoiser, width), outputs(family, denoiser, width))


@families
def test_the_empty_prompt_is_what_the_text_encoders_make_of_its_ids(family: Family, tmp_path: Path) -> None:
    tiny = tiny_model(family)
    start, end = VOCABULARY - 2, VOCABULARY - 1
    clip = (start, *[end] * 76)
    bang = (start, end, *[0] * 75)
    ids: dict[Family, tuple[tuple[int, ...], ...]] = {
        Family.SD15: (clip,),
        Family.SD2: (bang,),
        Family.SDXL: (clip, bang),
        Family.FLUX: (clip, (1, *[0] * 511)),
    }
    encoders = [part for role, part in tiny.parts.items() if role.startswith("text_encoder")]
    expected = encode_ids(encoders, family, ids[family])
    for path in (write_folder(tiny, tmp_path / "folder"), write_single_file(tiny, tmp_path / "file.safetensors")):
        found = load(inspect_model(path)).empty_prompt
        assert torch.equal(found.tokens, expected.tokens)
        assert (found.pooled is None) == (expected.pooled is None)
        if found.pooled is not None and expected.pooled is not None:
            assert torch.equal(found.pooled, expected.pooled)


def test_a_text_encoder_is_not_read_a_second_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    description = inspect_model(write_folder(tiny_model(Family.SD15), tmp_path / "model"))
    first = load(description)
    assert first.text is None

    def fail(*_arguments: object, **_named: object) -> None:
        pytest.fail("a text encoder was read")

    monkeypatch.setattr(loading, "_encoder", fail)
    assert torch.equal(load(description).empty_prompt.tokens, first.empty_prompt.tokens)


def test_other_weights_of_a_text_encoder_have_another_embedding(tmp_path: Path) -> None:
    first = inspect_model(write_folder(tiny_model(Family.SD15), tmp_path / "one"))
    second = inspect_model(write_folder(tiny_model(Family.SD15), tmp_path / "two", dtype=torch.float16))
    assert not torch.equal(load(first).empty_prompt.tokens, load(second).empty_prompt.tokens)


def test_a_damaged_cache_is_computed_anew(tmp_path: Path, own_home: Path) -> None:
    description = inspect_model(write_folder(tiny_model(Family.SDXL), tmp_path / "model"))
    first = load(description).empty_prompt
    (kept,) = own_home.rglob("embeddings/*.safetensors")
    kept.write_bytes(kept.read_bytes()[:-8])
    again = load(description).empty_prompt
    assert torch.equal(again.tokens, first.tokens)
    assert again.pooled is not None and first.pooled is not None and torch.equal(again.pooled, first.pooled)


def test_half_precision_takes_the_small_files_and_full_the_wide_ones(tmp_path: Path) -> None:
    tiny = tiny_model(Family.SD15)
    folder = write_folder(tiny, tmp_path / "model")
    write_folder(tiny, folder, variant="fp16", dtype=torch.float16)
    description = inspect_model(folder)
    unet = description.components[Role.UNET]
    assert unet.weights_for(half=True).precision is Precision.FP16
    assert unet.weights_for(half=False).precision is Precision.FP32
    parts: Any = load(description, dtype=torch.bfloat16)
    assert {parameter.dtype for parameter in parts.denoiser.parameters()} == {torch.bfloat16}
    assert parts.empty_prompt.tokens.dtype is torch.bfloat16


def test_flux_published_as_a_transformer_alone_needs_the_other_parts(tmp_path: Path) -> None:
    path = write_single_file(tiny_model(Family.FLUX), tmp_path / "flux.safetensors", bare=True)
    description = inspect_model(path)
    assert set(description.missing) == {Role.VAE, Role.TEXT_ENCODER, Role.TEXT_ENCODER_2}
    with pytest.raises(UnavailableError, match=r"flux\.safetensors has no VAE and first text encoder"):
        load(description)


def test_old_names_of_the_vae_attention_are_known(tmp_path: Path) -> None:
    tiny = tiny_model(Family.SD15)
    folder = write_folder(tiny, tmp_path / "model")
    names = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}

    def old(name: str) -> str:
        for new, published in names.items():
            name = name.replace(f".attentions.0.{new}.", f".attentions.0.{published}.")
        return name

    from safetensors.torch import save_file

    tensors = {old(name): tensor for name, tensor in tiny.tensors("vae").items()}
    assert any("proj_attn" in name for name in tensors)
    save_file(tensors, folder / "vae" / "diffusion_pytorch_model.safetensors")
    vae: Any = load(inspect_model(folder)).vae
    assert all(torch.equal(tensor, vae.state_dict()[name]) for name, tensor in tiny.tensors("vae").items())


def test_prompts_without_a_vocabulary_say_exactly_that(tmp_path: Path) -> None:
    description = inspect_model(write_folder(tiny_model(Family.SD15), tmp_path / "model"))
    with pytest.raises(UnavailableError, match=r"words that the first text encoder .* are not on this machine"):
        load(description, prompts=True)


def test_weights_of_another_size_than_the_config_are_refused(tmp_path: Path) -> None:
    folder = write_folder(tiny_model(Family.SD15), tmp_path / "model")
    path = folder / "unet" / "config.json"
    path.write_text(path.read_text().replace('"layers_per_block": 2', '"layers_per_block": 1'))
    with pytest.raises(ModelError, match=r"diffusion_pytorch_model\.safetensors: holds .* different models"):
        load(inspect_model(folder))


def test_weights_for_further_training_are_left_aside(tmp_path: Path) -> None:
    folder = write_folder(tiny_model(Family.SD15), tmp_path / "model")
    plain = folder / "unet" / "diffusion_pytorch_model.safetensors"
    plain.with_name("diffusion_pytorch_model.non_ema.safetensors").write_bytes(plain.read_bytes())
    assert [one.files for one in inspect_model(folder).denoiser.weights] == [(plain,)]
