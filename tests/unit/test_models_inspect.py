"""Files are recognised by their tensors alone; what cannot be used is called by its name."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from adstudio.errors import ModelError
from adstudio.jobs.choices import Task
from adstudio.models.families import FACTS, TASKS, Family, Prediction, Role
from adstudio.models.header import DTYPE_BYTES
from adstudio.models.inspect import inspect_model
from adstudio.models.licences import licence_of
from adstudio.models.lora import inspect_lora

Shapes = dict[str, tuple[int, ...]]
LDM = "model.diffusion_model."


def write_shapes(path: Path, shapes: Shapes, *, dtype: str = "F16", metadata: dict[str, str] | None = None) -> Path:
    """A safetensors file with tensors of these shapes; their bytes are a hole in the file."""
    header: dict[str, Any] = {"__metadata__": metadata} if metadata else {}
    place = 0
    for name, shape in shapes.items():
        size = DTYPE_BYTES[dtype]
        for side in shape:
            size *= side
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [place, place + size]}
        place += size
    text = json.dumps(header).encode()
    with path.open("wb") as stream:
        stream.write(len(text).to_bytes(8, "little") + text)
        stream.truncate(8 + len(text) + place)
    return path


def unet(family: Family, *, channels: int = 4, prefix: str = LDM) -> Shapes:
    context = {Family.SD15: 768, Family.SD2: 1024, Family.SDXL: 2048}[family]
    shapes: Shapes = {f"{prefix}input_blocks.0.0.weight": (320, channels, 3, 3)}
    shapes[f"{prefix}middle_block.1.transformer_blocks.0.attn2.to_k.weight"] = (1280, context)
    if family is Family.SDXL:
        return {**shapes, f"{prefix}label_emb.0.0.weight": (1280, 2816)}
    projection = (320, 320, 1, 1) if family is Family.SD15 else (320, 320)
    return {**shapes, f"{prefix}input_blocks.1.1.proj_in.weight": projection}


def flux(*, channels: int = 64, guidance: bool = True, prefix: str = "", doubles: int = 19) -> Shapes:
    shapes: Shapes = {f"{prefix}img_in.weight": (3072, channels), f"{prefix}txt_in.weight": (3072, 4096)}
    shapes[f"{prefix}vector_in.in_layer.weight"] = (3072, 768)
    for block in range(doubles):
        shapes[f"{prefix}double_blocks.{block}.img_attn.qkv.weight"] = (9216, 3072)
        shapes[f"{prefix}double_blocks.{block}.img_mod.lin.weight"] = (18432, 3072)
    for block in range(38):
        shapes[f"{prefix}single_blocks.{block}.linear1.weight"] = (21504, 3072)
    if guidance:
        shapes[f"{prefix}guidance_in.in_layer.weight"] = (3072, 256)
    return shapes


@pytest.mark.parametrize("family", [Family.SD15, Family.SD2, Family.SDXL])
def test_stable_diffusion_is_told_by_its_unet(tmp_path: Path, family: Family) -> None:
    path = write_shapes(tmp_path / "some model.safetensors", {**unet(family), "first_stage_model.x": (1,)})
    model = inspect_model(path)
    assert (model.name, model.family) == ("some model", family)
    assert model.denoiser.config["cross_attention_dim"] == FACTS[family].cross_attention_dim
    assert Role.VAE in model.components
    assert Role.TEXT_ENCODER in model.missing
    assert model.native_side_px == FACTS[family].native_side_px
    assert licence_of(model).name


@pytest.mark.parametrize("prefix", ["", LDM])
@pytest.mark.parametrize("guidance", [True, False])
def test_flux_is_known_with_and_without_prefix_dev_and_schnell(tmp_path: Path, prefix: str, *, guidance: bool) -> None:
    model = inspect_model(write_shapes(tmp_path / "flux.safetensors", flux(prefix=prefix, guidance=guidance)))
    assert model.family is Family.FLUX
    assert model.prediction is Prediction.FLOW
    assert model.is_guidance_distilled is guidance
    assert (licence_of(model).name == "Apache 2.0") is not guidance
    assert model.missing == (Role.VAE, Role.TEXT_ENCODER, Role.TEXT_ENCODER_2)


def test_flux_with_blocks_taken_out_is_built_with_those_it_has(tmp_path: Path) -> None:
    model = inspect_model(write_shapes(tmp_path / "lite.safetensors", flux(doubles=8)))
    assert (model.denoiser.config["num_layers"], model.denoiser.config["num_single_layers"]) == (8, 38)


@pytest.mark.parametrize(
    ("name", "metadata", "extra", "prediction", "noted"),
    [
        ("v2-1_768-ema-pruned", {}, {}, Prediction.V, True),
        ("v2-base", {}, {}, Prediction.EPSILON, True),
        ("512-base-ema", {}, {}, Prediction.EPSILON, True),
        ("tuned", {"modelspec.prediction_type": "epsilon"}, {}, Prediction.EPSILON, False),
        ("tuned", {"modelspec.predict_key": "v"}, {}, Prediction.V, False),
        ("tuned", {}, {"v_pred": (0,)}, Prediction.V, False),
    ],
)
def test_what_sd2_predicts(
    tmp_path: Path, name: str, metadata: dict[str, str], extra: Shapes, prediction: Prediction, *, noted: bool
) -> None:
    path = write_shapes(tmp_path / f"{name}.safetensors", {**unet(Family.SD2), **extra}, metadata=metadata)
    model = inspect_model(path)
    assert model.prediction is prediction
    assert model.scheduler["prediction_type"] == prediction.value
    assert any("cannot be told" in note for note in model.notes) is noted


def test_an_sdxl_trained_to_pure_noise_gets_the_schedule_for_it(tmp_path: Path) -> None:
    extra: Shapes = {"v_pred": (0,), "ztsnr": (0,)}
    model = inspect_model(write_shapes(tmp_path / "x.safetensors", {**unet(Family.SDXL), **extra}))
    assert model.prediction is Prediction.V
    assert model.scheduler["rescale_betas_zero_snr"] is True


REFUSED: dict[str, tuple[Shapes, str]] = {
    "refiner": (
        {**unet(Family.SDXL), **{f"{LDM}input_blocks.{level}.0.x": (1,) for level in range(12)}},
        "SDXL refiner",
    ),
    "inpainting": (unet(Family.SD15, channels=9), "an inpainting model .* takes 9 channels"),
    "depth": (unet(Family.SD2, channels=5), "a depth model"),
    "edit": (unet(Family.SD15, channels=8), "made to edit a picture"),
    "video": ({**unet(Family.SD15), f"{LDM}input_blocks.1.0.time_stack.x": (1,)}, "a video model"),
    "another video": ({"patch_embedding.weight": (8, 8, 1, 2, 2)}, "a video model"),
    "controlnet": ({**unet(Family.SD15), "control_model.x": (1,)}, "a ControlNet"),
    "controlnet of diffusers": ({"controlnet_cond_embedding.conv_in.weight": (1,)}, "a ControlNet"),
    "sd3": ({f"{LDM}joint_blocks.0.x": (1,)}, "a Stable Diffusion 3 model"),
    "lora": ({"lora_unet_down_blocks_0.lora_down.weight": (4, 320)}, "a LoRA"),
    "vae": ({"decoder.conv_in.weight": (1,), "encoder.conv_in.weight": (1,)}, "a VAE alone"),
    "text": ({"text_model.embeddings.x": (1,)}, "a text encoder alone"),
    "embedding": ({"clip_l": (1, 768), "clip_g": (1, 1280)}, "a textual inversion"),
    "adapter": ({"image_proj.proj.weight": (1,)}, "an IP-Adapter"),
    "part": ({"down_blocks.0.x": (1,)}, "one part of a diffusers folder"),
    "fill": (flux(channels=384), "FLUX.1 Fill"),
    "depth tool": (flux(channels=128), "takes 128 channels"),
    "chroma": ({**flux(), "distilled_guidance_layer.x": (1,)}, "a Chroma model"),
    "quantised": ({**flux(), "double_blocks.0.img_attn.qkv.scale_weight": (1,)}, "quantised"),
    "other sizes": ({**unet(Family.SD15), f"{LDM}input_blocks.0.0.weight": (64, 4, 3, 3)}, r"other sizes .*\.config"),
    "nothing": ({}, "holds no tensors"),
    "unknown": ({"weights": (3,)}, "no model that is known here"),
}


@pytest.mark.parametrize("kind", list(REFUSED))
def test_what_cannot_be_used_is_called_by_its_name(tmp_path: Path, kind: str) -> None:
    shapes, words = REFUSED[kind]
    path = write_shapes(tmp_path / "file.safetensors", shapes)
    with pytest.raises(ModelError, match=words) as refused:
        inspect_model(path)
    assert str(refused.value).startswith(str(path))


def test_other_suffixes_and_places_are_refused(tmp_path: Path) -> None:
    for name, words in (("a.ckpt", "pickle"), ("a.gguf", "GGUF"), ("a.txt", "neither a diffusers folder nor")):
        (tmp_path / name).write_bytes(b"x")
        with pytest.raises(ModelError, match=words):
            inspect_model(tmp_path / name)
    with pytest.raises(ModelError, match="no such file or folder"):
        inspect_model(tmp_path / "none.safetensors")
    (tmp_path / "folder").mkdir()
    with pytest.raises(ModelError, match=r"has no model_index\.json"):
        inspect_model(tmp_path / "folder")


@pytest.mark.parametrize(
    ("shapes", "family"),
    [
        ({"lora_unet_x_attn2_to_k.lora_down.weight": (4, 768)}, Family.SD15),
        ({"lora_unet_x_attn2_to_k.lora_down.weight": (4, 1024)}, Family.SD2),
        ({"unet.x.attn2.to_k.lora_A.weight": (4, 2048)}, Family.SDXL),
        ({"lora_unet_single_blocks_0_linear1.lora_down.weight": (4, 3072)}, Family.FLUX),
        ({"transformer.single_transformer_blocks.0.attn.to_q.lora_A.weight": (4, 3072)}, Family.FLUX),
        ({"lora_unet_x_attn2_to_k.lora_down.weight": (4, 16)}, None),
    ],
)
def test_the_family_of_a_lora(tmp_path: Path, shapes: Shapes, family: Family | None) -> None:
    assert inspect_lora(write_shapes(tmp_path / "l.safetensors", shapes)).family is family


def test_kinds_of_lora_that_are_not_read_are_refused(tmp_path: Path) -> None:
    path = write_shapes(tmp_path / "l.safetensors", {"x.hada_w1_a": (4, 4), "x.hada_w1_b": (4, 4)})
    with pytest.raises(ModelError, match="kind of LoRA that is not read"):
        inspect_lora(path)
    with pytest.raises(ModelError, match="is not a LoRA"):
        inspect_lora(write_shapes(tmp_path / "m.safetensors", unet(Family.SD15)))


def test_the_tasks_are_those_of_a_job() -> None:
    assert set(TASKS) == {task.value for task in Task}


def test_looking_at_models_needs_no_torch() -> None:
    code = (
        "import sys, adstudio.models.find, adstudio.commands.models;"
        "sys.exit(bool({'torch', 'diffusers', 'transformers'} & set(sys.modules)))"
    )
    root = Path(__file__).resolve().parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0
