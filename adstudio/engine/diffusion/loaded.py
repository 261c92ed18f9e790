"""The diffusion model that is in memory, kept for the next job; one at a time."""

from __future__ import annotations

import gc
import shutil
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import psutil
import torch
from diffusers import ControlNetModel

from adstudio.engine.backbones.base import Backbone
from adstudio.engine.backbones.flux import Flux
from adstudio.engine.backbones.loading import load_parts, load_text
from adstudio.engine.backbones.parts import ModelParts, PromptEmbeddings
from adstudio.engine.backbones.sdxl import StableDiffusionXL
from adstudio.engine.backbones.stable_diffusion import StableDiffusion
from adstudio.engine.backbones.text import encode_prompt
from adstudio.engine.control import load_control
from adstudio.engine.diffusion.findings import Findings
from adstudio.engine.interruption import interruptible
from adstudio.engine.losses import AttentionFunction, sdpa
from adstudio.engine.reference_cache import ReferenceCache
from adstudio.engine.tensor_files import TensorFiles
from adstudio.models.control import ControlDescription
from adstudio.models.description import ModelDescription
from adstudio.models.digest import control_digest, model_digest, whole_digest
from adstudio.models.families import Family
from adstudio.models.lora import Lora
from adstudio.paths import cache_dir

_MOST_PROMPTS = 64
_HOST_SHARE = 0.1
_HOST_BYTES = 2 << 30
_DEVICE_SHARE = 0.1
_DISK_SHARE = 0.1
_DISK_BYTES = 4 << 30

Stop = Callable[[], bool]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Loaded:
    """A model in memory. key: its weights, the LoRA files merged into them, precision and device."""

    key: str
    parts: ModelParts

    def backbone(self, attend: AttentionFunction = sdpa) -> Backbone:
        """The model as the loops take it; attend computes its self-attention."""
        if self.parts.family is Family.FLUX:
            return Flux(self.parts, attend=attend)
        if self.parts.family is Family.SDXL:
            return StableDiffusionXL(self.parts, attend=attend)
        return StableDiffusion(self.parts, attend=attend)


class ModelKeeper:
    """Keeps the model and the ControlNet used last, the embeddings of prompts, and features of references.

    features: shared between jobs, within a tenth of the memory of the device and of the machine, and on disk.
    findings: latents and tuned decoders.
    """

    def __init__(self) -> None:
        self._loaded: Loaded | None = None
        self._prompts: OrderedDict[tuple[str, str], PromptEmbeddings] = OrderedDict()
        self.findings = Findings()
        self._features: tuple[str, ReferenceCache] | None = None
        self._control: tuple[str, ControlNetModel] | None = None

    def loaded(
        self,
        model: ModelDescription,
        device: torch.device,
        dtype: torch.dtype,
        stop: Stop,
        loras: Sequence[Lora] = (),
    ) -> Loaded:
        """A model on a device in a precision; another one that is there goes first. Raises as `load_parts` does."""
        key = _key(model, device, dtype, loras)
        if self._loaded is None or self._loaded.key != key:
            self.drop()
            parts = load_parts(model, device=device, dtype=dtype, loras=loras, stop=stop)
            self._loaded = Loaded(key=key, parts=parts)
        return self._loaded

    def prompt(
        self,
        model: ModelDescription,
        device: torch.device,
        dtype: torch.dtype,
        prompt: str,
        stop: Stop,
        loras: Sequence[Lora] = (),
    ) -> PromptEmbeddings:
        """What a model's text encoders make of a prompt; they are let go of afterwards. Raises as `load_text` does."""
        place = _key(model, device, dtype, loras), prompt
        if place not in self._prompts:
            text = load_text(model, device=device, dtype=dtype, loras=loras, stop=stop)
            with interruptible(text.encoders, stop):
                self._prompts[place] = encode_prompt(text, model.family, prompt)
            while len(self._prompts) > _MOST_PROMPTS:
                self._prompts.popitem(last=False)
        self._prompts.move_to_end(place)
        return self._prompts[place]

    def control(self, control: ControlDescription, device: torch.device, dtype: torch.dtype) -> ControlNetModel:
        """A ControlNet on a device in a precision; another one that is there goes first. Raises as `load_control`."""
        key = f"{control_digest(control)} {device} {dtype}"
        if self._control is None or self._control[0] != key:
            self._control = None
            self._control = key, load_control(control, device=device, dtype=dtype)
        return self._control[1]

    def features(self, device: torch.device) -> ReferenceCache:
        """Where features of references are kept for jobs to come."""
        if self._features is None or self._features[0] != device.type:
            on_device, on_host = _budgets(device)
            self._features = (
                device.type,
                ReferenceCache(
                    device_bytes=on_device,
                    host_bytes=on_host,
                    files=TensorFiles(cache_dir() / "features", _files_bytes()),
                ),
            )
        return self._features[1]

    def begin(self, device: torch.device, most_bytes: int) -> None:
        """A run begins, beside which no more features may be kept on its device than this."""
        on_device, on_host = _budgets(device)
        self.features(device).begin(device_bytes=min(on_device, most_bytes), host_bytes=on_host)
        self.findings.begin()

    def held_bytes(self, device: torch.device) -> int:
        """What the model that is loaded and features take on a device."""
        held = 0 if self._features is None or self._features[0] != device.type else self._features[1].held_bytes[0]
        if self._loaded is not None:
            for network in self._loaded.backbone().networks:
                held += sum(each.nbytes for each in network.parameters() if each.device.type == device.type)
        return held

    def free(self) -> None:
        """Let go of features, a ControlNet not in use, and what the allocator holds back, where memory is short."""
        self._control = None
        if self._features is not None:
            self._features[1].clear()
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        if torch.backends.mps.is_available():
            torch.mps.empty_cache()

    def drop(self) -> None:
        """Let go of the model."""
        if self._loaded is not None:
            self._loaded = None
            self.findings.forget()
            self.free()

    def release(self) -> None:
        """Let go of the model and of all that is kept in memory, also where no model is loaded."""
        self._loaded = None
        self.findings.forget()
        self.free()


def _budgets(device: torch.device) -> tuple[int, int]:
    """Bytes of features that are kept on a device and in memory."""
    on_host = min(_HOST_BYTES, int(_HOST_SHARE * psutil.virtual_memory().total))
    if device.type == "cuda":
        return int(_DEVICE_SHARE * torch.cuda.get_device_properties(device).total_memory), on_host
    return on_host, 0  # both are the same memory


def _files_bytes() -> int:
    """Bytes of features that are kept on disk: four gigabytes, or a tenth of what is free."""
    folder = next((one for one in (cache_dir(), *cache_dir().parents) if one.is_dir()), None)
    if folder is None:
        return 0
    try:
        return min(_DISK_BYTES, int(_DISK_SHARE * shutil.disk_usage(folder).free))
    except OSError:
        return 0


def _key(model: ModelDescription, device: torch.device, dtype: torch.dtype, loras: Sequence[Lora]) -> str:
    merged = "".join(f" {whole_digest(lora.path)} {lora.weight!r}" for lora in loras)
    return f"{model_digest(model)} {device} {dtype}{merged}"
