"""What keeps the order of a texture: guides that say which part of the pattern each place of the picture is to show.

A regular pattern has a lattice: the picture gets it laid out evenly, and patches are sought that lie at the same place
in their own cell. Any other has a course: which way its marks run and how coarse they are; the picture gets a new one
(see `arrangement`). Either way places are filled from anywhere in the reference: order is kept, nothing need be copied.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from adstudio.engine.patch.arrangement import arranged
from adstudio.engine.patch.course import course
from adstudio.engine.patch.guides import Guides, Target
from adstudio.engine.patch.lattice import Lattice, Waves, find_lattice, fitted_waves, plain_phases

_PHASE_WEIGHT = (1.2, 1.2, 1.0, 0.6, 0.3)
_COURSE_WEIGHT = (2.0, 2.0, 2.0, 1.5, 0.7)
_MOST_STRAIN = 0.15

Size = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """The order of a texture's reference, and the picture it is for.

    reference, size: (height, width) of the reference and of the picture; lattice and its waves over the picture, or
    None where there is no lattice that fits; course: [3, a, b] as `course` gives it.
    """

    reference: Size
    size: Size
    wrap_y: bool
    wrap_x: bool
    lattice: tuple[Lattice, Waves] | None
    course: Tensor
    device: torch.device

    @classmethod
    def of(cls, reference: Tensor, size: Size, *, wrap_y: bool, wrap_x: bool) -> Order:
        """Look at a reference [3, h, w] in -1 … 1; size: (height, width) of the picture."""
        lattice, found = None, find_lattice(reference)
        if found is not None:
            waves, strain = fitted_waves(found.waves, size, wrap_y=wrap_y, wrap_x=wrap_x)
            lattice = (found, waves) if strain <= _MOST_STRAIN else None
        own = reference.shape[1], reference.shape[2]
        return cls(
            reference=own,
            size=size,
            wrap_y=wrap_y,
            wrap_x=wrap_x,
            lattice=lattice,
            course=course(reference),
            device=reference.device,
        )

    def guides(self, seed: int) -> Guides:
        """Guides for the picture of a seed: each has its own start of the lattice, or its own course."""
        if self.lattice is not None:
            start = np.random.default_rng((seed, 2)).random(2)
            lattice, waves = self.lattice
            return LatticeGuides(lattice, self.reference, waves, self.size, (float(start[0]), float(start[1])))
        there = self.course.shape[1:]
        down, right = (max(1, round(n * w / r)) for n, w, r in zip(there, self.size, self.reference, strict=True))
        wanted = arranged(self.course, (down, right), wrap_y=self.wrap_y, wrap_x=self.wrap_x, seed=seed)
        return CourseGuides(wanted.to(self.device), self.course.to(self.device))


@dataclass(frozen=True, slots=True)
class LatticeGuides:
    """Guides of a regular texture.

    lattice: of the only reference; reference: its (height, width); waves: of the picture, per pixel at full size;
    size: (height, width) of it; start: cells passed at its upper left corner.
    """

    lattice: Lattice
    reference: Size
    waves: Waves
    size: Size
    start: tuple[float, float]

    def hold(self, picture: Tensor) -> float:
        """Always as usual: there is no content."""
        del picture
        return 1.0

    def at(
        self, level: int, size: Size, reference_sizes: Sequence[Size], hold: float
    ) -> tuple[Target | None, list[Tensor | None]]:
        """Places in the cell, of the picture and of the reference; nothing on the finest levels."""
        if level >= len(_PHASE_WEIGHT):
            return None, [None]
        (there,) = reference_sizes
        waves = self.waves * [self.size[0] / size[0], self.size[1] / size[1]]
        start = torch.tensor(self.start, device=self.lattice.bend.device).view(2, 1, 1)
        own = plain_phases(waves, size, start.device) + start
        # A pixel that spans much of a cell shows little of where in it it lies.
        seen = hold * _PHASE_WEIGHT[level] * torch.from_numpy(np.sinc(waves).prod(1)).float()
        radius = seen.to(start.device).view(2, 1, 1)
        return Target(channels=_circles(own, radius)), [_circles(self.lattice.phases(there, self.reference), radius)]


@dataclass(frozen=True, slots=True)
class CourseGuides:
    """Guides of a texture without a lattice: the course wanted [3, a, b], and that of the only reference [3, c, d]."""

    wanted: Tensor
    course: Tensor

    def hold(self, picture: Tensor) -> float:
        """Always as usual: there is no content."""
        del picture
        return 1.0

    def at(
        self, level: int, size: Size, reference_sizes: Sequence[Size], hold: float
    ) -> tuple[Target | None, list[Tensor | None]]:
        """The course of the picture and of the reference; nothing on the finest levels."""
        if level >= len(_COURSE_WEIGHT):
            return None, [None]
        (there,) = reference_sizes
        weight = hold * _COURSE_WEIGHT[level]
        return Target(channels=weight * _over(self.wanted, size)), [weight * _over(self.course, there)]


def _over(fields: Tensor, size: Size) -> Tensor:
    return F.interpolate(fields[None], size, mode="bilinear", align_corners=False)[0]


def _circles(phases: Tensor, radius: Tensor) -> Tensor:
    """Phases [2, h, w] in cells as places on two circles: [4, h, w]."""
    angle = phases * (2 * math.pi)
    return torch.cat((angle.cos() * radius, angle.sin() * radius))
