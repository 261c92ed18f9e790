"""The published models that the model page speaks of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """size: of a usual file in 16 bit, without text encoders where they are files of their own."""

    name: str
    side_px: int
    size: str
    licence: str


KINDS = (
    Kind(name="Stable Diffusion 1.5", side_px=512, size="2–4 GB", licence="CreativeML Open RAIL-M"),
    Kind(name="Stable Diffusion 2.1", side_px=768, size="2.5–5 GB", licence="CreativeML Open RAIL++-M"),
    Kind(name="Stable Diffusion XL", side_px=1024, size="7 GB", licence="CreativeML Open RAIL++-M"),
    Kind(name="FLUX.1 schnell", side_px=1024, size="24 GB and 10 GB for its parts", licence="Apache 2.0"),
    Kind(name="FLUX.1 dev", side_px=1024, size="24 GB and 10 GB for its parts", licence="non-commercial"),
)

# Those whose publishers give them without an account, for the download.
REPOSITORIES = {
    "Stable Diffusion 1.5": "stable-diffusion-v1-5/stable-diffusion-v1-5",
    "Stable Diffusion XL": "stabilityai/stable-diffusion-xl-base-1.0",
}
