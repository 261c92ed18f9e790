"""What follows the computing of a picture: colours, strength, protection, and what its file says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from adstudio.images import blend_color, blend_strength
from adstudio.jobs.files import job_to_json
from adstudio.jobs.spec import Job

Pixels = NDArray[np.float32]


def finished(pixels: Pixels, job: Job, content: Pixels | None, protect: Pixels | None) -> Pixels:
    """A computed picture with the job's colours, strength and protection.

    pixels, content: float32 [height, width, 3] in 0 … 1. protect: [height, width], 1 keeps the content's pixels.
    """
    if content is None:
        return pixels
    pixels = blend_strength(blend_color(pixels, content, job.color), content, job.strength)
    if protect is not None:
        keep = protect[..., None]
        pixels = keep * content + (1 - keep) * pixels
    return pixels


def result_name(index: int) -> str:
    """File name of the job's picture, 0-based."""
    return "result.png" if index == 0 else f"result-{index + 1}.png"


def text_of_picture(job: Job, index: int, folder: Path) -> str:
    """The complete job that makes the picture of this 0-based number again, as JSON with paths relative to folder."""
    seed = (job.seed + index) % 2**63
    return job_to_json(job.model_copy(update={"seed": seed, "images": 1}), relative_to=folder)
