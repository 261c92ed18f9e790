"""What a single .safetensors file is, told by the names and shapes of its tensors."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from adstudio.errors import ModelError
from adstudio.models.families import FACTS, Family, Role
from adstudio.models.header import Header

DENOISER_PREFIX = "model.diffusion_model."
_KNOWN = "models of Stable Diffusion 1.5, 2.x, XL and FLUX.1 can be used"
_LORA_ENDS = (
    ".lora_down.weight",
    ".lora_up.weight",
    ".lora_A.weight",
    ".lora_B.weight",
    ".lora.down.weight",
    ".lora.up.weight",
    ".lora_linear_layer.down.weight",
    "_lora.down.weight",
    ".hada_w1_a",
    ".lokr_w1",
)
_QUANTISED_ENDS = (".absmax", ".quant_map", ".scale_weight", ".weight_scale", "scaled_fp8", ".qweight")
# Where the parts lie in a file of the first publishers' layout.
_VAE_PREFIXES = ("first_stage_model.", "vae.")
_TEXT_PREFIXES = {
    Family.SD15: {Role.TEXT_ENCODER: "cond_stage_model.transformer."},
    Family.SD2: {Role.TEXT_ENCODER: "cond_stage_model.model."},
    Family.SDXL: {
        Role.TEXT_ENCODER: "conditioner.embedders.0.transformer.",
        Role.TEXT_ENCODER_2: "conditioner.embedders.1.model.",
    },
    Family.FLUX: {
        Role.TEXT_ENCODER: "text_encoders.clip_l.transformer.",
        Role.TEXT_ENCODER_2: "text_encoders.t5xxl.transformer.",
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    """The family of a single file and where each part begins. guidance: FLUX.1 with the guidance scale as an input."""

    family: Family
    prefixes: dict[Role, str]
    guidance: bool


def is_lora(header: Header) -> bool:
    """Whether a file holds changes to a model rather than a model."""
    return any(name.endswith(_LORA_ENDS) for name in header.tensors)


def recognise(header: Header) -> Recognised:
    """The family of a file. Raises ModelError that says what the file is instead."""
    if is_lora(header):
        raise ModelError(f"{header.path}: is a LoRA, changes to a model and not a model; add it to one with a weight")
    if any(name.endswith(_QUANTISED_ENDS) for name in header.tensors):
        raise ModelError(
            f"{header.path}: its weights are quantised, which is not read here; get it with 16- or 32-bit weights"
        )
    prefix = DENOISER_PREFIX if _any_starts(header.tensors, DENOISER_PREFIX) else ""
    if f"{prefix}input_blocks.0.0.weight" in header.tensors:
        family, guidance = _unet_family(header, prefix), False
    elif f"{prefix}double_blocks.0.img_attn.qkv.weight" in header.tensors:
        _check_flux(header, prefix)
        family, guidance = Family.FLUX, f"{prefix}guidance_in.in_layer.weight" in header.tensors
    else:
        raise ModelError(f"{header.path}: {_what_else(header, prefix)}")
    prefixes = {FACTS[family].denoiser: prefix}
    for candidate in _VAE_PREFIXES:
        if _any_starts(header.tensors, candidate):
            prefixes[Role.VAE] = candidate
            break
    texts = _TEXT_PREFIXES[family].items()
    prefixes |= {role: candidate for role, candidate in texts if _any_starts(header.tensors, candidate)}
    return Recognised(family=family, prefixes=prefixes, guidance=guidance)


def _any_starts(names: Iterable[str], *prefixes: str) -> bool:
    return any(name.startswith(prefixes) for name in names)


def _shape(header: Header, name: str) -> tuple[int, ...]:
    info = header.tensors.get(name)
    return info.shape if info is not None else ()


def _unet_family(header: Header, prefix: str) -> Family:
    path, tensors = header.path, header.tensors
    if _any_starts(tensors, "control_model.", "input_hint_block.", f"{prefix}input_hint_block."):
        raise ModelError(f"{path}: is a ControlNet, which goes with a model and is none itself ({_KNOWN})")
    if any("time_stack" in name or "temporal" in name or "motion_modules" in name for name in tensors):
        raise ModelError(f"{path}: is a video model; {_KNOWN}")
    shape = _shape(header, f"{prefix}input_blocks.0.0.weight")
    channels = shape[1] if len(shape) == 4 else 0
    if channels != 4:
        kinds = {
            9: "an inpainting model",
            5: "a depth model",
            7: "an upscaler",
            8: "made to edit a picture it is given",
        }
        what = kinds.get(channels, "of another kind")
        raise ModelError(f"{path}: is {what} (its UNet takes {channels} channels, not 4); use the base model instead")
    levels = len({name.split(".")[1] for name in _below(header, prefix) if name.startswith("input_blocks.")})
    if _any_starts(tensors, f"{prefix}label_emb."):
        if levels > 9:
            raise ModelError(f"{path}: is the SDXL refiner, which only finishes pictures; use the SDXL base model")
        return Family.SDXL
    projection = _shape(header, f"{prefix}input_blocks.1.1.proj_in.weight")
    if not projection:
        raise ModelError(f"{path}: has a UNet without attention where it is needed; {_KNOWN}")
    return Family.SD15 if len(projection) == 4 else Family.SD2


def _below(header: Header, prefix: str) -> Iterable[str]:
    return (name[len(prefix) :] for name in header.tensors if name.startswith(prefix))


def _check_flux(header: Header, prefix: str) -> None:
    path, tensors = header.path, header.tensors
    if _any_starts(tensors, f"{prefix}distilled_guidance_layer."):
        raise ModelError(f"{path}: is a Chroma model, whose parts differ from FLUX.1; {_KNOWN}")
    patches = _shape(header, f"{prefix}img_in.weight")
    if len(patches) != 2 or f"{prefix}single_blocks.0.linear1.weight" not in tensors:
        raise ModelError(f"{path}: is related to FLUX but no FLUX.1 model; {_KNOWN}")
    if (
        f"{prefix}double_blocks.0.img_mod.lin.weight" not in tensors
        or f"{prefix}vector_in.in_layer.weight" not in tensors
    ):
        raise ModelError(f"{path}: is a model of a later FLUX, whose parts differ from FLUX.1; {_KNOWN}")
    if patches[1] == 384:
        raise ModelError(f"{path}: is FLUX.1 Fill, an inpainting model; use FLUX.1 dev or schnell instead")
    if patches[1] != 64:
        raise ModelError(
            f"{path}: takes {patches[1]} channels, not 64: a FLUX.1 tool that follows another picture; use FLUX.1 dev"
        )


def _what_else(header: Header, prefix: str) -> str:
    names = header.tensors
    if not names:
        return "holds no tensors at all; download it again"
    part = "is one part of a diffusers folder; give the whole folder, the one with model_index.json"
    kinds = (
        (("joint_blocks.0.", f"{prefix}joint_blocks.0."), f"is a Stable Diffusion 3 model; {_KNOWN}"),
        (("controlnet_cond_embedding.", "controlnet_", "control_model."), "is a ControlNet, which goes with a model"),
        (("image_proj.", "ip_adapter."), "is an IP-Adapter, which goes with a model and is none itself"),
        (("down_blocks.0.", "single_transformer_blocks.0."), part),
        (("text_model.", "encoder.block.0.", "encoder.layers.0."), "is a text encoder alone, one part of a model"),
        (
            ("first_stage_model.", "encoder.conv_in.", "decoder.conv_in."),
            "is a VAE alone, one part of a model; it is found when it lies in a diffusers folder of its family",
        ),
        (("emb_params", "string_to_param", "clip_g", "clip_l"), "is a textual inversion, a word and not a model"),
    )
    for prefixes, what in kinds:
        if _any_starts(names, *prefixes):
            return what
    if any(len(tensor.shape) == 5 for tensor in names.values()):
        return f"is a video model; {_KNOWN}"
    if _any_starts(names, *_VAE_PREFIXES, "cond_stage_model.", "conditioner.", "text_encoders."):
        return f"holds no denoiser that is known here; {_KNOWN}"
    return f"is no model that is known here; {_KNOWN}"
