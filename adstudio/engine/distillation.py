"""One step of attention distillation: what the references and the content ask for, and how far latents are from it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from adstudio.engine.attention import Need
from adstudio.engine.backbones.base import Backbone, Features
from adstudio.engine.feature_source import FeatureSource
from adstudio.engine.losses import (
    AttentionFunction,
    ReferenceLayer,
    attention_distillation_losses,
    ideal_output,
    query_content_losses,
    sdpa,
    weight_bias,
)
from adstudio.engine.quirks import NO_QUIRKS, ReferenceQuirks
from adstudio.engine.reference_cache import FeatureCache
from adstudio.engine.regions import Grid, Regions
from adstudio.engine.schedules import Level

_LOSS_SCALE_SHARE = 2.0**-4


@dataclass(frozen=True, slots=True, kw_only=True)
class Distillation:
    """What is distilled.

    layers: numbers of the self-attention layers. content_weight: of the content loss, ≥ 0.
    attention_scale: factor on the queries of the ideal output, > 0; above 1 sharpens.
    weights: relative weight of each reference, > 0; empty for equal ones.
    regions: labels that pair parts of the picture with parts of the references, or None.
    """

    layers: tuple[int, ...]
    content_weight: float = 0.0
    attention_scale: float = 1.0
    weights: tuple[float, ...] = ()
    regions: Regions | None = None
    quirks: ReferenceQuirks = NO_QUIRKS


@dataclass(frozen=True, slots=True, eq=False)
class Objective:
    """What latents are pulled towards at one timestep.

    reference: per layer. content_queries: per layer [1, heads, image tokens, head_dim], or None without content.
    """

    timestep: float
    reference: tuple[ReferenceLayer, ...]
    content_queries: tuple[Tensor, ...] | None


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """How far latents are. loss, style_loss, content_loss: 0-dimensional, on the device; gradient: of the loss."""

    loss: Tensor
    style_loss: Tensor
    content_loss: Tensor
    gradient: Tensor


class Distiller:
    """Builds and evaluates objectives with one model.

    cache: where features of references are kept for runs to come; None computes them each time.
    attend: attention function of the ideal output.
    """

    def __init__(
        self,
        backbone: Backbone,
        settings: Distillation,
        cache: FeatureCache | None = None,
        attend: AttentionFunction = sdpa,
    ) -> None:
        self.backbone, self.settings = backbone, settings
        self._attend = attend
        self._source = FeatureSource(backbone, settings.layers, cache)

    def objective(
        self,
        level: Level,
        references: Sequence[Tensor],
        content: Tensor | None,
        size: tuple[int, int],
        regions: Regions | None = None,
    ) -> Objective:
        """The objective at a level.

        references: latents [1, channels, any height, any width] each, as noisy as they shall be seen.
        content: latents [1, channels, height, width] of the content, or None. size: of the latents to be made.
        regions: for a window of the picture; by default those of the settings.
        """
        return self.objectives([level], references, content, size, regions)[0]

    def objectives(
        self,
        levels: Sequence[Level],
        references: Sequence[Tensor],
        content: Tensor | None,
        size: tuple[int, int],
        regions: Regions | None = None,
    ) -> list[Objective]:
        """The objectives of the same latents at several levels, read together; see `objective`."""
        offered = self.offered(levels, references, size)
        wanted = self._content_queries(self._source, levels, content)
        return [
            Objective(level.timestep, self._reference_layers(row, size, regions), queries)
            for level, row, queries in zip(levels, offered, wanted, strict=True)
        ]

    def offered(
        self, levels: Sequence[Level], references: Sequence[Tensor], size: tuple[int, int]
    ) -> list[list[Features]]:
        """What the references offer at each level: features of each. size: of the latents to be made."""
        found = self._source.read([level.timestep for level in levels], references, Need.KEYS_VALUES, size)
        return [[row[index] for row in found] for index in range(len(levels))]

    def window_objective(
        self,
        level: Level,
        offered: Sequence[Features],
        content: Tensor | None,
        size: tuple[int, int],
        regions: Regions | None,
    ) -> Objective:
        """The objective of a part of a large picture; see `objective`.

        offered: by the references at this level. The content's features are not kept, as there are too many parts.
        """
        source = FeatureSource(self.backbone, self.settings.layers, None)
        (queries,) = self._content_queries(source, [level], content)
        return Objective(level.timestep, self._reference_layers(offered, size, regions), queries)

    def _content_queries(
        self, source: FeatureSource, levels: Sequence[Level], content: Tensor | None
    ) -> list[tuple[Tensor, ...] | None]:
        if content is None or self.settings.content_weight == 0:
            return [None] * len(levels)
        (seen,) = source.read([level.timestep for level in levels], [content], Need.QUERIES, None)
        return [tuple(query[:, :, self._skipped(each) :] for query in each.queries) for each in seen]

    def evaluate(self, objective: Objective, latents: Tensor, *, is_content: bool = False) -> Evaluation:
        """Losses of latents [batch, channels, height, width] and the gradient with respect to them.

        is_content: the latents are exactly the content's, so the content term and its gradient are zero. Computed,
        they would be rounding noise whose sign Adam turns into full steps.
        """
        backbone, settings = self.backbone, self.settings
        current = latents.detach().requires_grad_(True)
        with backbone.reading(settings.layers) as read, torch.enable_grad():
            features = read(current, objective.timestep)
            skipped = self._skipped(features)
            queries = [query[:, :, skipped:] for query in features.queries]
            outputs = [output[:, :, skipped:] for output in features.outputs]
            targets = [
                ideal_output(query, reference, settings.attention_scale, self._attend)
                for query, reference in zip(queries, objective.reference, strict=True)
            ]
            style = torch.stack(attention_distillation_losses(outputs, targets)).sum()
            loss, content = style, torch.zeros_like(style)
            if objective.content_queries is not None and not is_content:
                content = torch.stack(query_content_losses(queries, objective.content_queries)).sum()
                loss = style + settings.content_weight * content
            scale = self._loss_scale(outputs)
            (gradient,) = torch.autograd.grad(loss * scale, current)
        return Evaluation(loss.detach(), style.detach(), content.detach(), gradient / scale)

    def _reference_layers(
        self, offered: Sequence[Features], size: tuple[int, int], regions: Regions | None
    ) -> tuple[ReferenceLayer, ...]:
        wanted = regions or self.settings.regions
        return tuple(self._reference_layer(index, offered, size, wanted) for index in range(len(offered[0].keys)))

    def _reference_layer(
        self, index: int, offered: Sequence[Features], size: tuple[int, int], regions: Regions | None
    ) -> ReferenceLayer:
        keys = [features.keys[index] for features in offered]
        key, value = _joined(keys), _joined([features.values[index] for features in offered])
        weights = self.settings.weights or (1.0,) * len(keys)
        bias = weight_bias([each.shape[2] for each in keys], weights, key)
        if regions is None:
            return ReferenceLayer(key=key, value=value, bias=bias)
        text = offered[0].text_tokens
        groups = regions.groups(
            self._grid(size, offered[0], index),
            tuple(features.grids[index] for features in offered),
            text,
            text if self.settings.quirks.text_tokens_in_loss else 0,
            key.device,
        )
        return ReferenceLayer(key=key, value=value, bias=bias, groups=groups)

    def _grid(self, size: tuple[int, int], like: Features, index: int) -> Grid:
        """The token grid of the picture at a layer, from how far that layer has halved a reference."""
        rows, columns = size
        reference_rows, reference_columns = like.size
        while (reference_rows, reference_columns) != like.grids[index]:
            reference_rows, reference_columns = (reference_rows + 1) // 2, (reference_columns + 1) // 2
            rows, columns = (rows + 1) // 2, (columns + 1) // 2
        return rows, columns

    def _skipped(self, features: Features) -> int:
        return 0 if self.settings.quirks.text_tokens_in_loss else features.text_tokens

    def _loss_scale(self, outputs: Sequence[Tensor]) -> float:
        """A power of two that keeps 16-bit gradients of mean distances away from the smallest numbers."""
        if self.backbone.dtype != torch.float16:
            return 1.0
        largest = max(output.numel() for output in outputs)
        return 2.0 ** math.floor(math.log2(max(1.0, largest * _LOSS_SCALE_SHARE)))


def _joined(parts: Sequence[Tensor]) -> Tensor:
    return parts[0] if len(parts) == 1 else torch.cat(list(parts), dim=2)


Stop = Callable[[], bool]


def never() -> bool:
    """The answer of nobody who wants to stop."""
    return False
