"""What the publishers allow, in a sentence; the full text at the source is what counts."""

from __future__ import annotations

from dataclasses import dataclass

from adstudio.models.description import ModelDescription
from adstudio.models.families import Family


@dataclass(frozen=True, slots=True, kw_only=True)
class Licence:
    """Of a family's first model; fine-tuned models may add terms of their own."""

    name: str
    summary: str


_OPENRAIL = "pictures may be used freely, also commercially, except for the harmful uses that the licence lists"
_LICENCES = {
    Family.SD15: Licence(name="CreativeML Open RAIL-M", summary=_OPENRAIL),
    Family.SD2: Licence(name="CreativeML Open RAIL++-M", summary=_OPENRAIL),
    Family.SDXL: Licence(name="CreativeML Open RAIL++-M", summary=_OPENRAIL),
}
_FLUX_DEV = Licence(
    name="FLUX.1 [dev] Non-Commercial License",
    summary="the model is for non-commercial use; what that means for pictures stands in the licence",
)
_FLUX_SCHNELL = Licence(name="Apache 2.0", summary="model and pictures may be used freely, also commercially")


def licence_of(model: ModelDescription) -> Licence:
    """The licence of the model that a model's family began with. FLUX.1 is told apart by its guidance input."""
    if model.family is Family.FLUX:
        return _FLUX_DEV if model.is_guidance_distilled else _FLUX_SCHNELL
    return _LICENCES[model.family]
