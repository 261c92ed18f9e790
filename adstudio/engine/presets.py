"""Faster ways through latent optimisation, which change the picture and so are off unless asked for.

Source: own choice after measuring where the time goes. Features of references and content are as dear as the update
itself, and neighbouring timesteps ask for nearly the same; so few timesteps, several updates at each, and a learning
rate that is high at first and falls, which settles in fewer updates.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from adstudio.engine.optimize import OptimizeSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """How a run is shortened.

    updates: share of the run's updates that is made, 0 … 1. iterations: updates at each timestep.
    rate: factor on the learning rate at the beginning. final_rate: see OptimizeSettings.
    """

    name: str
    updates: float
    iterations: int
    rate: float
    final_rate: float

    def applied(self, num_inference_steps: int, settings: OptimizeSettings) -> tuple[int, OptimizeSettings]:
        """Steps and settings in place of these; at least one step, never more than given."""
        updates = max(1, math.floor(self.updates * num_inference_steps * settings.iterations + 0.5))
        steps = min(num_inference_steps, max(1, round(updates / self.iterations)))
        shortened = replace(
            settings,
            iterations=max(1, round(updates / steps)),
            learning_rate=settings.learning_rate * self.rate,
            final_rate=self.final_rate,
        )
        return steps, shortened


FAST = Preset(name="fast", updates=0.3, iterations=4, rate=2.0, final_rate=0.1)
PRESETS = (FAST,)
