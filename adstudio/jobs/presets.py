"""Faster ways through latent optimisation, which change the picture and so are off unless asked for.

Source: own choice after measuring where the time goes. Features of references and content are as dear as the update
itself, and neighbouring timesteps ask for nearly the same; so few timesteps, several updates at each, and a learning
rate that is high at first and falls, which settles in fewer updates. On processors that compute with 16-bit numbers
the network and the VAE do so too, which takes half the time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from adstudio.jobs.choices import Preset


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """num_inference_steps, iterations, learning_rate: as in a job. final_rate: share of the rate at the last update."""

    num_inference_steps: int
    iterations: int
    learning_rate: float
    final_rate: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortening:
    """How a run is shortened.

    updates: share of the run's updates that is made, 0 … 1. iterations: updates at each timestep.
    rate: factor on the learning rate at the beginning. final_rate: see Course.
    """

    updates: float
    iterations: int
    rate: float
    final_rate: float

    def applied(self, course: Course) -> Course:
        """A shorter run in place of this one; at least one step, never more than given."""
        updates = max(1, math.floor(self.updates * course.num_inference_steps * course.iterations + 0.5))
        steps = min(course.num_inference_steps, max(1, round(updates / self.iterations)))
        return Course(
            num_inference_steps=steps,
            iterations=max(1, round(updates / steps)),
            learning_rate=course.learning_rate * self.rate,
            final_rate=self.final_rate,
        )


FAST = Shortening(updates=0.3, iterations=4, rate=2.0, final_rate=0.1)


def shortened(preset: Preset, course: Course) -> Course:
    """How a run goes with a preset."""
    return FAST.applied(course) if preset is Preset.FAST else course
