"""From a job to what the patch model works on: pictures at their sizes, regions, guides and start."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from adstudio.engine.patch.bands import Stopped
from adstudio.engine.patch.correspondence import PartGuides, figure_mask, without_islands
from adstudio.engine.patch.guides import Guides, NoGuides, ToneAndEdges, colour_matched, tight
from adstudio.engine.patch.order import Order
from adstudio.engine.patch.pyramid import labels_at
from adstudio.engine.patch.synthesis import APPEARANCE_TUNING, COURSE_TUNING, TEXTURE_TUNING, Task, Tuning
from adstudio.engine.patch.tones import (
    Areas,
    Forms,
    TonePlan,
    appeal,
    best_plan,
    calmed,
    form_edges,
    luminance,
    planned_tones,
    shrunk,
)
from adstudio.errors import EngineError
from adstudio.images import (
    LabelMask,
    centre_crop_to_aspect,
    load_image,
    load_label_mask,
    load_protect_mask,
    pair_labels,
    resize,
    resize_labels,
)
from adstudio.jobs.choices import Seamless
from adstudio.jobs.choices import Task as JobTask
from adstudio.jobs.spec import Job, Reference

_MAX_REFERENCE_PIXELS = 4096 * 4096
_PLANNED_PIXELS = 1 << 20
_DEFAULT_CONTENT_WEIGHT = 0.25
_DEFAULT_STEPS = 16
_UNUSED = 255

Pixels = NDArray[np.float32]
Labels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """task: for seed and variation of the first picture; content: float32 [height, width, 3] in 0 … 1 at the result's
    size, or None; protect: [height, width] in 0 … 1 or None; order: of the texture to make, or None; notices: for the
    artist.
    """

    task: Task
    content: Pixels | None
    protect: Pixels | None
    order: Order | None
    notices: tuple[str, ...]

    def for_picture(self, job: Job, index: int) -> Task:
        """The task of the job's picture, 0-based."""
        seed = (job.seed + index) % 2**63
        return replace(self.task, seed=seed, guides=self.order.guides(seed) if self.order else self.task.guides)


def prepare(job: Job, device: torch.device, interrupted: Callable[[], bool] = lambda: False) -> Prepared:
    """Load and lay out everything a resolved job names.

    interrupted: asked between the steps. Raises Stopped once it is true, ImageError and JobError for pictures that do
    not fit.
    """

    def stop_if_asked() -> None:
        if interrupted():
            raise Stopped

    if job.width is None or job.height is None:
        raise EngineError("the job has no size yet; it must be resolved before it is run")
    width, height = job.width, job.height
    notices: list[str] = []
    content = None
    if job.content is not None:
        loaded = load_image(job.content, reduce_to_pixels=4 * _MAX_REFERENCE_PIXELS)
        notices += loaded.notices
        stop_if_asked()
        content = resize(centre_crop_to_aspect(loaded.pixels, width, height), width, height)
    target_mask = load_label_mask(job.content_mask) if job.content_mask is not None else None
    masks = [load_label_mask(style.mask) if style.mask is not None else None for style in job.styles]
    pair_labels(target_mask, masks)
    for mask in (target_mask, *masks):
        notices += mask.notices if mask is not None else ()
    target_labels, numbering = _target_labels(target_mask, width, height)
    references, reference_labels = [], []
    for style, mask in zip(job.styles, masks, strict=True):
        stop_if_asked()
        pixels, labels, said = _reference(job, style, mask, numbering)
        references.append(_as_tensor(pixels, device))
        reference_labels.append(labels)
        notices += said
    stop_if_asked()
    heaviest = max(style.weight for style in job.styles)
    weights = tuple(style.weight / heaviest for style in job.styles)
    seen = None if content is None else _as_tensor(content, device)
    tuning = TEXTURE_TUNING if job.task is JobTask.TEXTURE else Tuning()
    held = job.content_weight is None or job.content_weight > 0
    if job.task is JobTask.APPEARANCE_TRANSFER and seen is not None and target_labels is None and held:
        target_labels, reference_labels = _figures(seen, references)
        if target_labels is not None:
            tuning = APPEARANCE_TUNING
    start, guides, appeals = _start_and_guides(
        job,
        seen,
        references,
        weights,
        target_labels,
        reference_labels,
    )
    wrap_y, wrap_x = job.seamless in (Seamless.Y, Seamless.BOTH), job.seamless in (Seamless.X, Seamless.BOTH)
    order = None
    if seen is None and len(references) == 1 and target_labels is None and job.start_image is None:
        order = Order.of(references[0], (height, width), wrap_y=wrap_y, wrap_x=wrap_x)
    redone = 1.0
    if job.start_image is not None:
        begun = load_image(job.start_image, reduce_to_pixels=4 * _MAX_REFERENCE_PIXELS)
        notices += begun.notices
        stop_if_asked()
        start = _as_tensor(resize(centre_crop_to_aspect(begun.pixels, width, height), width, height), device)
        redone = 1.0 if job.denoising_strength is None else job.denoising_strength
    protect = load_protect_mask(job.protect_mask, (width, height)) if job.protect_mask is not None else None
    steps = job.num_inference_steps or _DEFAULT_STEPS
    task = Task(
        size=(height, width),
        start=start,
        references=tuple(references),
        weights=weights,
        guides=guides,
        appeals=appeals,
        target_labels=target_labels,
        reference_labels=tuple(reference_labels),
        wrap_y=wrap_y,
        wrap_x=wrap_x,
        attention_scale=job.attention_scale,
        coverage=job.coverage,
        variation=job.variation or 0.0,
        seed=job.seed,
        redone=redone,
        tuning=_with_steps(COURSE_TUNING if order and order.lattice is None else tuning, steps),
    )
    return Prepared(task=task, content=content, protect=protect, order=order, notices=tuple(dict.fromkeys(notices)))


def _with_steps(tuning: Tuning, steps: int) -> Tuning:
    """More or fewer rounds on every level, one at least."""
    rounds = tuple(max(1, round(count * steps / _DEFAULT_STEPS)) for count in tuning.rounds)
    return replace(tuning, rounds=rounds)


def _as_tensor(pixels: Pixels, device: torch.device) -> Tensor:
    """[height, width, 3] in 0 … 1 -> [3, height, width] in -1 … 1."""
    return (torch.from_numpy(pixels.transpose(2, 0, 1).copy()) * 2 - 1).to(device)


def _target_labels(mask: LabelMask | None, width: int, height: int) -> tuple[Labels | None, dict[int, int]]:
    """The picture's labels at its size, numbered from 0, and the number of each label of the file."""
    if mask is None:
        return None, {}
    cropped = centre_crop_to_aspect(mask.labels, width, height)
    at_size = resize_labels(np.ascontiguousarray(cropped), width, height)
    numbering = {int(value): number for number, value in enumerate(np.unique(at_size))}
    return _renumbered(at_size, numbering), numbering


def _renumbered(labels: Labels, numbering: dict[int, int]) -> Labels:
    table = np.full(256, _UNUSED, np.uint8)
    for value, number in numbering.items():
        table[value] = number
    return table[labels]


def _reference(
    job: Job, style: Reference, mask: LabelMask | None, numbering: dict[int, int]
) -> tuple[Pixels, Labels | None, tuple[str, ...]]:
    """A reference at the size the job's stroke scale asks for, its labels at the same size, and notices."""
    loaded = load_image(style.image, crop_px=style.crop, reduce_to_pixels=_MAX_REFERENCE_PIXELS)
    assert job.width is not None
    assert job.height is not None
    own = loaded.width * loaded.height
    scale = job.stroke_scale * (job.width * job.height / own) ** 0.5
    scale = min(scale, (_MAX_REFERENCE_PIXELS / own) ** 0.5)
    width, height = max(1, round(loaded.width * scale)), max(1, round(loaded.height * scale))
    pixels = resize(loaded.pixels, width, height)
    if mask is None or not numbering:
        return pixels, None, loaded.notices
    labels = mask.labels
    if style.crop is not None:
        left, top, crop_width, crop_height = style.crop
        labels = labels[top : top + crop_height, left : left + crop_width]
    return pixels, _renumbered(resize_labels(labels, width, height), numbering), loaded.notices


def _start_and_guides(
    job: Job,
    content: Tensor | None,
    references: Sequence[Tensor],
    weights: Sequence[float],
    target_labels: Labels | None,
    reference_labels: Sequence[Labels | None],
) -> tuple[Tensor | None, Guides, tuple[Tensor, ...]]:
    """What the coarsest level begins with, the guides, and the appeal of each reference's tones.

    Appearances go from part to part of figures (or of the regions that a job pairs); in scenes, by tone and height.

    Colours and tones are settled on pictures of about a megapixel at most: finer ones would not decide otherwise.
    """
    if content is None:
        return None, NoGuides(), ()
    strength = (_DEFAULT_CONTENT_WEIGHT if job.content_weight is None else job.content_weight) / _DEFAULT_CONTENT_WEIGHT
    small, small_labels = _small(content, target_labels)
    pairs = [_small(r, labels) for r, labels in zip(references, reference_labels, strict=True)]
    pictures, label_maps = [picture for picture, _ in pairs], [labels for _, labels in pairs]
    appearance = job.task is JobTask.APPEARANCE_TRANSFER and target_labels is not None
    start, light, lights = small.clone(), calmed(luminance(small)), [luminance(picture) for picture in pictures]
    plan = TonePlan() if appearance else best_plan(light, lights, weights)
    areas, edges, tones = Areas.of(light), form_edges(light), light.clone()
    forms = areas.taken_from(light, plan)
    appeals = [torch.ones_like(reference) for reference in lights]
    colour = torch.zeros(3, 1, 1, device=small.device)
    for region in [None] if small_labels is None else [int(value) for value in np.unique(small_labels)]:
        inside = _inside(small_labels, region, small)
        parts = [_inside(labels, region, p) for labels, p in zip(label_maps, pictures, strict=True)]
        used = [k for k, part in enumerate(parts) if bool(part.any())]
        if not used:
            continue
        shares = [weights[k] for k in used]
        pools = [pictures[k][:, parts[k]][:, None] for k in used]
        start[:, inside] = colour_matched(small[:, inside][:, None], pools, shares)[:, 0]
        if appearance:
            continue
        colour += float(inside.float().mean()) * _mean_colour(pools, shares)
        wanted = [lights[k][0][parts[k]] for k in used]
        tones[0][inside] = planned_tones(plan, forms[0][inside], edges[0][inside], wanted, shares)
        for k, there in zip(used, wanted, strict=True):
            appeals[k][0][parts[k]] = appeal(tones[0][inside], there)
    if appearance:
        return start, PartGuides.of(content, tuple(references), strength), ()
    seen = Forms.of(light, pictures, plan.structure)
    heights = job.task is JobTask.APPEARANCE_TRANSFER
    held = tight(strength)
    guides = ToneAndEdges(calmed(luminance(content)), tones, tuple(references), seen, colour, held, heights)
    return start, guides, tuple(appeals)


def _mean_colour(pools: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
    """Of pools of colours [3, 1, pixels], weighted per pixel: [3, 1, 1]."""
    counts = [weight * pool.shape[2] for weight, pool in zip(weights, pools, strict=True)]
    sums = [count * pool.mean((1, 2), keepdim=True) for count, pool in zip(counts, pools, strict=True)]
    return torch.stack(sums).sum(0) / sum(counts)


def _figures(content: Tensor, references: Sequence[Tensor]) -> tuple[Labels | None, list[Labels | None]]:
    """Labels that keep figure to figure and ground to ground, where every picture shows one figure clearly."""
    masks = [figure_mask(picture) for picture in (content, *references)]
    if masks[0] is not None:  # islands of the references are no matter: nothing takes the ground from there
        masks[0] = without_islands(masks[0])
    labels: list[Labels | None] = []
    for mask, picture in zip(masks, (content, *references), strict=True):
        if mask is None:
            return None, [None] * len(references)
        soft = torch.from_numpy(mask)[None, None].float()
        size = picture.shape[-2], picture.shape[-1]
        labels.append((F.interpolate(soft, size, mode="bilinear")[0, 0] > 0.5).numpy().astype(np.uint8))
    return labels[0], labels[1:]


def _small(picture: Tensor, labels: Labels | None) -> tuple[Tensor, Labels | None]:
    """A picture and its labels at _PLANNED_PIXELS at most."""
    scale = min(1.0, (_PLANNED_PIXELS / (picture.shape[1] * picture.shape[2])) ** 0.5)
    size = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[2] * scale))
    return shrunk(picture, size), labels_at(labels, size)


def _inside(labels: Labels | None, region: int | None, picture: Tensor) -> Tensor:
    if labels is None or region is None:
        return torch.ones(picture.shape[-2:], dtype=torch.bool, device=picture.device)
    return torch.from_numpy(labels == region).to(picture.device)
