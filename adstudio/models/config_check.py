"""A model's JSON files are input from strangers: read here, held to an allow-list, never followed anywhere.

Nothing in a config may name code, a file outside the model or a size no model of these families has. Keys that are not
known are left out, so that what reaches a constructor is known in full.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from adstudio.errors import ModelError, StorageError
from adstudio.models.config_fields import FIELDS, Rule
from adstudio.models.families import Prediction, Role

MAX_CONFIG_BYTES = 4 << 20
_CODE_KEYS = frozenset({"auto_map", "custom_pipeline", "custom_pipelines", "trust_remote_code", "custom_code"})
_CLASSES: Mapping[Role, frozenset[str]] = {
    Role.UNET: frozenset({"UNet2DConditionModel"}),
    Role.TRANSFORMER: frozenset({"FluxTransformer2DModel"}),
    Role.VAE: frozenset({"AutoencoderKL"}),
    Role.TEXT_ENCODER: frozenset({"CLIPTextModel"}),
    Role.TEXT_ENCODER_2: frozenset({"CLIPTextModelWithProjection", "T5EncoderModel"}),
    Role.CONTROLNET: frozenset({"ControlNetModel"}),
}
_PREDICTIONS = (Prediction.EPSILON, Prediction.V, "flow_prediction")
_SCHEDULERS = frozenset(
    {
        "DDIMScheduler",
        "DDPMScheduler",
        "DEISMultistepScheduler",
        "DPMSolverMultistepScheduler",
        "DPMSolverSinglestepScheduler",
        "EulerAncestralDiscreteScheduler",
        "EulerDiscreteScheduler",
        "FlowMatchEulerDiscreteScheduler",
        "HeunDiscreteScheduler",
        "KDPM2AncestralDiscreteScheduler",
        "KDPM2DiscreteScheduler",
        "LCMScheduler",
        "LMSDiscreteScheduler",
        "PNDMScheduler",
        "TCDScheduler",
        "UniPCMultistepScheduler",
    }
)
_MAX_DEPTH = 8


def read_json(path: Path, *, max_bytes: int = MAX_CONFIG_BYTES) -> dict[str, Any]:
    """The JSON object in a model's file. Raises ModelError for anything else, StorageError where it cannot be read."""
    try:
        with path.open("rb") as stream:
            content = stream.read(max_bytes + 1)
    except OSError as error:
        raise StorageError(f"{path}: cannot be read ({error.strerror or error}); is its drive plugged in?") from error
    if len(content) > max_bytes:
        raise ModelError(f"{path}: is larger than {max_bytes >> 20} MB and so no config of a model")
    try:
        mapping = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path}: is not valid JSON; download the model again") from error
    if not isinstance(mapping, dict):
        raise ModelError(f"{path}: is not a JSON object; download the model again")
    _refuse_code(mapping, path, depth=0)
    return mapping


def checked_config(role: Role, config: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """The known fields of a part's config, each in its range, with the class to build as `_class_name`.

    Raises ModelError naming the file and the field.
    """
    class_name = _class_name(role, config, path)
    if "quantization_config" in config:
        raise ModelError(
            f"{path}: its weights are quantised, which is not read here; get it with 16- or 32-bit weights"
        )
    checked: dict[str, Any] = {"_class_name": class_name}
    for name, rule in FIELDS[class_name].items():
        if name in config:
            checked[name] = _held_to(rule, config[name], name, path)
        elif rule.required:
            raise ModelError(f"{path}: has no {name}, which a {class_name} needs; download the model again")
    if class_name == "FluxTransformer2DModel" and sum(checked["axes_dims_rope"]) != checked["attention_head_dim"]:
        raise ModelError(f"{path}: axes_dims_rope must add up to attention_head_dim")
    return checked


def checked_scheduler(config: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """The plain numbers, flags and words of a scheduler config. Raises ModelError for a class that is not known."""
    class_name = config.get("_class_name")
    if class_name not in _SCHEDULERS:
        raise ModelError(f"{path}: names the scheduler {_shown(class_name)}, which is not one of diffusers' known ones")
    steps = config.get("num_train_timesteps", 1000)
    if type(steps) is not int or not 1 <= steps <= 10_000:
        raise ModelError(f"{path}: num_train_timesteps must be 1 to 10000, got {_shown(steps)}")
    for name in ("beta_start", "beta_end"):
        beta = config.get(name)
        if beta is not None and (type(beta) not in (int, float) or not 0 < beta < 1):
            raise ModelError(f"{path}: {name} must be a number between 0 and 1, got {_shown(beta)}")
    prediction = config.get("prediction_type")
    if prediction not in (None, *_PREDICTIONS):
        raise ModelError(
            f"{path}: prediction_type must be one of {', '.join(_PREDICTIONS)}, got {_shown(prediction)}; "
            "models that predict something else are not read here"
        )
    checked: dict[str, Any] = {"_class_name": class_name}
    for name, value in config.items():
        plain = value is None or isinstance(value, bool)
        number = isinstance(value, (int, float)) and abs(value) <= 1e6  # not-a-number is not below it either
        word = isinstance(value, str) and len(value) <= 40 and value.replace("_", "").replace("+", "").isalnum()
        if not name.startswith("_") and (plain or number or word):
            checked[name] = value
    return checked


def file_inside(folder: Path, name: Any, named_by: Path) -> Path:
    """A file named by an index, directly in the folder. Raises ModelError for a name that leads anywhere else."""
    if (
        not isinstance(name, str)
        or not name
        or len(name) > 255
        or name.startswith(".")
        or any(character in name for character in '/\\:\0*?"<>|')
    ):
        raise ModelError(f"{named_by}: names the file {_shown(name)}, which is not a plain file name beside it")
    return folder / name


def _class_name(role: Role, config: Mapping[str, Any], path: Path) -> str:
    named = config.get("_class_name")
    if named is None and role.is_text:
        architectures = config.get("architectures")
        if isinstance(architectures, list) and len(architectures) == 1:
            named = architectures[0]
    allowed = _CLASSES[role]
    if not isinstance(named, str) or named not in allowed:
        raise ModelError(
            f"{path}: names the class {_shown(named)} where {' or '.join(sorted(allowed))} is expected; "
            "this is not a model of the families known here, and nothing of it was loaded"
        )
    return named


def _held_to(rule: Rule, value: Any, name: str, path: Path) -> Any:
    if not rule.allows(value):
        raise ModelError(f"{path}: {name} must be {rule.words}, got {_shown(value)}")
    return value


def _refuse_code(value: Any, path: Path, depth: int) -> None:
    if depth > _MAX_DEPTH:
        raise ModelError(f"{path}: is nested too deeply for a config of a model")
    if isinstance(value, dict):
        for name, inner in value.items():
            if name.lower() in _CODE_KEYS and inner not in (None, False):
                raise ModelError(
                    f"{path}: asks to run code that comes with the model ({name[:40]}), which is never done here; "
                    "get the model from its first publisher"
                )
            _refuse_code(inner, path, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            _refuse_code(inner, path, depth + 1)


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=True, default=str)
    return text if len(text) <= 60 else f"{text[:57]}…"
