"""A diffusers folder: model_index.json with a folder for each part."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from adstudio.errors import ModelError, StorageError
from adstudio.models.config_check import checked_config, checked_scheduler, file_inside, read_json
from adstudio.models.description import Component, Layout, ModelDescription, Precision, Weights
from adstudio.models.families import FACTS, Family, Prediction, Role
from adstudio.models.header import Header, read_header
from adstudio.models.shipped import shipped_name, token_ids

INDEX_NAME = "model_index.json"
_SAFE = ".safetensors"
# A variant of Stable Diffusion 1.5 that is only for going on with its training.
_FOR_TRAINING = ".non_ema"
_PICKLES = (".bin", ".ckpt", ".pt", ".pth", ".msgpack", ".h5", ".onnx")
_PIPELINES: Mapping[str, frozenset[Family]] = {
    "StableDiffusionPipeline": frozenset({Family.SD15, Family.SD2}),
    "StableDiffusionImg2ImgPipeline": frozenset({Family.SD15, Family.SD2}),
    "LatentConsistencyModelPipeline": frozenset({Family.SD15}),
    "StableDiffusionXLPipeline": frozenset({Family.SDXL}),
    "StableDiffusionXLImg2ImgPipeline": frozenset({Family.SDXL}),
    "FluxPipeline": frozenset({Family.FLUX}),
    "FluxImg2ImgPipeline": frozenset({Family.FLUX}),
}
_LIBRARIES = frozenset({"diffusers", "transformers", "stable_diffusion"})


def inspect_folder(folder: Path) -> ModelDescription:
    """Look at a diffusers folder: its configs and the headers of its weights, nothing else.

    Raises ModelError where it is no model of the families known here, StorageError where it cannot be read.
    """
    family, configs, scheduler = read_configs(folder)
    denoiser = FACTS[family].roles[0]
    prediction = prediction_of(family, scheduler)
    kind = shipped_name(family, prediction, guidance=bool(configs[denoiser].get("guidance_embeds", False)))
    components = {}
    for role, config in configs.items():
        weights = _all_weights(folder / role.value, required=role is denoiser)
        if weights:
            ids = token_ids(kind, role, config) if role.is_text else None
            components[role] = Component(role=role, config=config, weights=weights, token_ids=ids)
    return ModelDescription(
        name=folder.name,
        path=folder,
        family=family,
        layout=Layout.FOLDER,
        prediction=prediction,
        components=components,
        scheduler=scheduler,
        tokenizer_dirs=tokenizer_dirs(folder, family),
    )


def read_configs(folder: Path) -> tuple[Family, dict[Role, dict[str, Any]], dict[str, Any]]:
    """Family, configs of the parts and scheduler of a diffusers folder; its weights need not be there.

    Raises as `inspect_folder`.
    """
    index_path = folder / INDEX_NAME
    if not index_path.is_file():
        raise ModelError(_no_index(folder))
    families = _families(read_json(index_path), index_path)
    roles = FACTS[next(iter(families))].roles
    configs = {role: _config(folder, role) for role in roles if (folder / role.value / "config.json").is_file()}
    denoiser = roles[0]
    if denoiser not in configs:
        raise ModelError(f"{folder}: lacks {denoiser.value}/config.json and so its {denoiser.label}; download it again")
    return _family(families, configs), configs, _scheduler(folder)


def prediction_of(family: Family, scheduler: Mapping[str, Any]) -> Prediction:
    """What a scheduler config says about the denoiser's output."""
    if family is Family.FLUX:
        return Prediction.FLOW
    return Prediction.V if scheduler.get("prediction_type") == Prediction.V else Prediction.EPSILON


def tokenizer_dirs(folder: Path, family: Family) -> dict[Role, Path]:
    """The folders with the vocabularies of a family's text encoders, those that are there."""
    found = {}
    for role in FACTS[family].text_roles:
        candidate = folder / role.value.replace("text_encoder", "tokenizer")
        if candidate.is_dir():
            found[role] = candidate
    return found


def precision_of(header: Header, prefix: str = "") -> Precision:
    """The widest number type among the weights behind a prefix."""
    dtypes = {tensor.dtype for name, tensor in header.tensors.items() if name.startswith(prefix)}
    for dtype, precision in (("F64", Precision.FP32), ("F32", Precision.FP32), ("F16", Precision.FP16)):
        if dtype in dtypes:
            return precision
    return Precision.BF16 if "BF16" in dtypes else Precision.FP8


def _no_index(folder: Path) -> str:
    if (folder / "config.json").is_file():
        return f"{folder}: is one part of a model, not a whole one; give the folder above it, with {INDEX_NAME}"
    if any(folder.glob("*.safetensors")):
        return (
            f"{folder}: has no {INDEX_NAME} and so is no diffusers folder; give one of its .safetensors files instead"
        )
    return f"{folder}: has no {INDEX_NAME} and so is no diffusers folder"


def _families(index: Mapping[str, Any], path: Path) -> frozenset[Family]:
    named = index.get("_class_name")
    if isinstance(named, list):
        raise ModelError(f"{path}: asks to run a pipeline that comes with the model, which is never done here")
    for part, entry in index.items():
        if part.startswith("_") or not isinstance(entry, list):
            continue
        library = entry[0] if entry else None
        if library is not None and library not in _LIBRARIES:
            raise ModelError(
                f"{path}: takes its {part[:40]} from {str(library)[:40]!r}, code that comes with the model, "
                "which is never run here"
            )
    families = _PIPELINES.get(named) if isinstance(named, str) else None
    if families is None:
        raise ModelError(f"{path}: {_other_pipeline(str(named))}")
    return families


def _other_pipeline(name: str) -> str:
    known = "Stable Diffusion 1.5, 2.x, XL and FLUX.1 can be used"
    if "Inpaint" in name or "Fill" in name:
        return f"is an inpainting model, whose denoiser needs a mask as input; {known}, not their inpainting versions"
    if "StableDiffusion3" in name:
        return f"is a Stable Diffusion 3 model; {known}"
    if "Video" in name or "Animate" in name:
        return f"is a video model; {known}"
    if "ControlNet" in name:
        return f"is a ControlNet pipeline; add the model and the ControlNet each on its own ({known})"
    return f"is made for {name[:60]}; {known}"


def _config(folder: Path, role: Role) -> dict[str, Any]:
    path = folder / role.value / "config.json"
    config = read_json(path)
    channels = config.get("in_channels")
    if role is Role.UNET and channels in (8, 9):
        kind = "an inpainting model" if channels == 9 else "made to edit a picture it is given"
        raise ModelError(f"{path}: the model is {kind} (its UNet takes {channels} channels, not 4); use the base model")
    if (
        role is Role.UNET
        and config.get("addition_embed_type") == "text_time"
        and config.get("cross_attention_dim") == 1280
    ):
        raise ModelError(f"{path}: is the SDXL refiner, which only finishes pictures; use the SDXL base model")
    return checked_config(role, config, path)


def _family(families: frozenset[Family], configs: Mapping[Role, Mapping[str, Any]]) -> Family:
    if len(families) == 1:
        return next(iter(families))
    unet = configs[Role.UNET]
    if unet["cross_attention_dim"] == FACTS[Family.SD2].cross_attention_dim or unet.get("use_linear_projection"):
        return Family.SD2
    return Family.SD15


def _scheduler(folder: Path) -> dict[str, Any]:
    path = folder / "scheduler" / "scheduler_config.json"
    return checked_scheduler(read_json(path), path)


def _all_weights(folder: Path, *, required: bool) -> tuple[Weights, ...]:
    """Every complete set of weights in a part's folder: plain or of a variant, in one file or in shards."""
    try:
        names = sorted(entry.name for entry in folder.iterdir())
    except OSError as error:
        raise StorageError(f"{folder}: cannot be read ({error.strerror or error})") from error
    stems = ("diffusion_pytorch_model", "model")
    found = []
    for name in names:
        stem = name.split(".", 1)[0]
        if stem not in stems or _FOR_TRAINING in name:
            continue
        if name.endswith(_SAFE) and "-of-" not in name:
            found.append(_weights((folder / name,)))
        elif _SAFE + ".index." in name and name.endswith(".json"):
            found.append(_weights(_shards(folder, folder / name)))
    if found or not required:
        return tuple(found)
    pickles = [name for name in names if name.endswith(_PICKLES)]
    if pickles:
        raise ModelError(
            f"{folder / pickles[0]}: is a pickle, which can run any program when it is opened; "
            "get the model with .safetensors weights"
        )
    raise ModelError(f"{folder}: holds no .safetensors weights; download the model again")


def _shards(folder: Path, index_path: Path) -> tuple[Path, ...]:
    weight_map = read_json(index_path, max_bytes=32 << 20).get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        raise ModelError(f"{index_path}: lists no weights; download the model again")
    files = tuple(file_inside(folder, name, index_path) for name in sorted({str(name) for name in weight_map.values()}))
    for file in files:
        if file.suffix != _SAFE:
            raise ModelError(f"{index_path}: names {file.name}, which is not a safetensors file")
        if not file.is_file():
            raise ModelError(f"{file}: is missing, though {index_path.name} names it; download the model again")
    return files


def _weights(files: tuple[Path, ...]) -> Weights:
    headers = [read_header(file) for file in files]
    order = (Precision.FP32, Precision.FP16, Precision.BF16, Precision.FP8)
    return Weights(
        files=files,
        precision=min((precision_of(header) for header in headers), key=order.index),
        size_bytes=sum(header.size_bytes for header in headers),
    )
