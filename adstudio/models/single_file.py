"""A model in one .safetensors file with the names of its first publishers.

Such a file has no configs. Those of its family come with the application; where the model has sizes of its own, it
brings a config folder, laid out as a diffusers folder is but without weights: `NAME.config/` or `NAME/` beside
`NAME.safetensors`, or the diffusers folder that the file lies in.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from adstudio.errors import ModelError
from adstudio.models.config_check import checked_config, checked_scheduler, read_json
from adstudio.models.description import Component, Layout, ModelDescription, Naming, Weights
from adstudio.models.families import FACTS, Family, Prediction, Role
from adstudio.models.folder import INDEX_NAME, precision_of, prediction_of, tokenizer_dirs
from adstudio.models.header import Header, read_header
from adstudio.models.recognise import Recognised, recognise
from adstudio.models.shipped import shipped_config, shipped_name, shipped_scheduler, token_ids

_GUESSED = (
    "whether it predicts noise or velocity cannot be told from the file; {taken} is assumed. A folder {folder} "
    "with scheduler/scheduler_config.json beside it settles it"
)


def inspect_file(path: Path) -> ModelDescription:
    """Look at a .safetensors file: its header, and its config folder where there is one.

    Raises ModelError where it is no model of the families known here, StorageError where it cannot be read.
    """
    header = read_header(path)
    found = recognise(header)
    folder = config_folder(path, found.family)
    scheduler = _own_scheduler(folder)
    notes: tuple[str, ...] = ()
    if scheduler is not None:
        prediction = prediction_of(found.family, scheduler)
    else:
        prediction, is_guess = _prediction(header, found.family)
        if is_guess:
            taken = "velocity" if prediction is Prediction.V else "noise"
            notes = (_GUESSED.format(taken=taken, folder=f"{path.stem}.config"),)
    kind = shipped_name(found.family, prediction, guidance=found.guidance)
    if scheduler is None:
        scheduler = _marked(header, {**shipped_scheduler(kind), "prediction_type": prediction.value}, found.family)
    components = {role: _component(header, found, role, kind, folder) for role in found.prefixes}
    return ModelDescription(
        name=path.stem,
        path=path,
        family=found.family,
        layout=Layout.SINGLE_FILE,
        prediction=prediction,
        components=components,
        scheduler=scheduler,
        tokenizer_dirs=tokenizer_dirs(folder, found.family) if folder is not None else {},
        notes=notes,
    )


def config_folder(path: Path, family: Family) -> Path | None:
    """The config folder of a single file, or None."""
    denoiser = FACTS[family].denoiser.value
    for candidate in (path.with_suffix(".config"), path.with_suffix("")):
        if candidate.is_dir():
            return candidate
    if (path.parent / INDEX_NAME).is_file() and (path.parent / denoiser / "config.json").is_file():
        return path.parent
    return None


def _own_scheduler(folder: Path | None) -> dict[str, Any] | None:
    if folder is None:
        return None
    path = folder / "scheduler" / "scheduler_config.json"
    return checked_scheduler(read_json(path), path) if path.is_file() else None


def _prediction(header: Header, family: Family) -> tuple[Prediction, bool]:
    """What the denoiser predicts, and whether that is only a guess."""
    if family is Family.FLUX:
        return Prediction.FLOW, False
    if "v_pred" in header.tensors:
        return Prediction.V, False
    said = " ".join(value for name, value in header.metadata.items() if "predict" in name.lower()).lower()
    if said.strip() in ("v", "v_prediction", "v-prediction", "velocity"):
        return Prediction.V, False
    if "eps" in said:
        return Prediction.EPSILON, False
    if family is not Family.SD2:
        return Prediction.EPSILON, False
    name = header.path.stem.lower()
    is_base = "512" in name or "base" in name
    return (Prediction.EPSILON if is_base else Prediction.V), True


def _marked(header: Header, scheduler: dict[str, Any], family: Family) -> dict[str, Any]:
    """Fine-tuned models that were trained down to pure noise say so with an empty tensor."""
    if family is Family.FLUX:
        scheduler.pop("prediction_type")
    elif "ztsnr" in header.tensors:
        scheduler |= {"rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}
    return scheduler


def _component(header: Header, found: Recognised, role: Role, kind: str, folder: Path | None) -> Component:
    prefix = found.prefixes[role]
    own = folder / role.value / "config.json" if folder is not None else None
    if own is not None and own.is_file():
        config: Mapping[str, Any] = checked_config(role, read_json(own), own)
    else:
        config = shipped_config(kind, role)
        if role is FACTS[found.family].denoiser:
            config = _fitted(header, found.family, prefix, config)
    weights = Weights(files=(header.path,), precision=precision_of(header, prefix), size_bytes=header.size_bytes)
    return Component(
        role=role,
        config=config,
        weights=(weights,),
        naming=Naming.ORIGINAL,
        prefix=prefix,
        token_ids=token_ids(kind, role, config) if role.is_text else None,
    )


def _fitted(header: Header, family: Family, prefix: str, config: Mapping[str, Any]) -> Mapping[str, Any]:
    """The shipped config of a denoiser, where the file has the sizes it is for.

    FLUX.1 with blocks taken out is common and needs no config of its own. Raises ModelError for other sizes.
    """
    if family is Family.FLUX:
        counts = {
            kind: len({name.split(".")[1] for name in _names(header, prefix) if name.startswith(kind)})
            for kind in ("double_blocks.", "single_blocks.")
        }
        config = {**config, "num_layers": counts["double_blocks."], "num_single_layers": counts["single_blocks."]}
        wanted = {"img_in.weight": 0, "txt_in.weight": 1}
        sizes = (config["attention_head_dim"] * config["num_attention_heads"], config["joint_attention_dim"])
    else:
        cross = "middle_block.1.transformer_blocks.0.attn2.to_k.weight"
        wanted = {"input_blocks.0.0.weight": 0, cross: 1}
        sizes = (config["block_out_channels"][0], config["cross_attention_dim"])
    for (name, dimension), size in zip(wanted.items(), sizes, strict=True):
        info = header.tensors.get(prefix + name)
        if info is None or len(info.shape) <= dimension or info.shape[dimension] != size:
            shown = "none" if info is None else list(info.shape)
            raise ModelError(
                f"{header.path}: looks like {FACTS[family].title} but has other sizes ({name}: {shown}, where "
                f"{size} is usual); put its configs in a folder {header.path.stem}.config beside it"
            )
    return config


def _names(header: Header, prefix: str) -> list[str]:
    return [name[len(prefix) :] for name in header.tensors if name.startswith(prefix)]
