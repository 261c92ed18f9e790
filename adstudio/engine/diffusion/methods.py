"""The methods behind one face."""

from __future__ import annotations

from adstudio.engine.diffusion.guided import Sampling, Windowed
from adstudio.engine.diffusion.optimizing import Optimizing, TiledOptimizing
from adstudio.engine.diffusion.passes import Material, Passes, State
from adstudio.errors import EngineError
from adstudio.jobs.choices import Method

__all__ = ["Material", "Passes", "State", "passes_for"]


def passes_for(material: Material, seed: int) -> Passes:
    """The job's method for a picture of this seed."""
    match material.job.method:
        case Method.OPTIMIZE:
            return (TiledOptimizing if material.in_windows else Optimizing)(material, seed)
        case Method.SAMPLE:
            return Sampling(material, seed)
        case Method.MULTIDIFFUSION:
            return Windowed(material, seed)
    raise EngineError("the job has no method yet; it must be resolved before it is run")
