"""Replays what was observed of the official code's faults: ours must have them only as quirks, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from adstudio.engine.adam import no_moments
from adstudio.engine.losses import ReferenceLayer, ideal_output
from adstudio.engine.quirks import NO_QUIRKS, OFFICIAL_QUIRKS
from adstudio.engine.regions import LabelGroup, Regions
from adstudio.engine.windows import windows
from adstudio.errors import JobError
from tests.parity.models import Models
from tests.parity.recorded import Case
from tests.parity.report import Report


def replay_quirks(case: Case, models: Models, report: Report) -> None:
    """Each known entry: the quirk gives the observed behaviour, and without it the fault is not there."""
    checks: dict[str, Callable[[Any, Report], None]] = {
        "panorama_height_384px": _rows_never_painted,
        "ad_loss_rows_without_any_allowed_key_give_target": _rows_without_keys,
        "content_loss_at_step0_batch1": _content_at_start,
        "masks_nonsquare_128x64": _nonsquare_masks,
        "masks_style_token_count_differs": _masks_of_other_size,
        "masks_two_styles_one_source_mask": _missing_mask,
    }
    for name, observed in case.facts.items():
        if name in checks:
            checks[name](observed, report)
        elif name not in {"case", "doc"}:
            report.notes.append(f"{name}: of the official program, nothing to replay")


def _rows_never_painted(observed: dict[str, Any], report: Report) -> None:
    height, width = observed["canvas_latent"]
    for quirks, wanted in ((OFFICIAL_QUIRKS, observed["rows_never_covered"]), (NO_QUIRKS, [])):
        painted = torch.zeros(1, 1, height, width)
        for part in windows(height, width, quirks=quirks):
            part.of(painted).add_(1)
        bare = (painted.sum((0, 1, 3)) == 0).nonzero()[:, 0].tolist()
        report.equal("rows never painted", [bare[0], bare[-1]] if bare else [], wanted)


def _rows_without_keys(observed: dict[str, Any], report: Report) -> None:
    features = torch.ones(1, 1, 2, 4)
    only_second = (LabelGroup(torch.tensor([1]), torch.tensor([0, 1])),)
    target = ideal_output(features, ReferenceLayer(key=features, value=features, groups=only_second))
    report.equal("rows without keys", target[0, 0, 0].tolist(), observed["first_row"])
    refused = False
    try:
        Regions(torch.tensor([[1, 2]]), (torch.tensor([[1, 1]]),))
    except JobError:
        refused = True
    report.equal("uncovered label refused", refused, True)


def _content_at_start(observed: float, report: Report) -> None:
    report.absolute("content loss at the start", no_moments(torch.zeros(1)).mean, torch.tensor([observed]), 0)


def _nonsquare_masks(observed: str, report: Report) -> None:
    labels = torch.zeros(8, 16, dtype=torch.int64)
    groups = Regions(labels, (labels,)).groups((8, 16), ((8, 16),), 0, 0, torch.device("cpu"))
    report.equal("masks of any aspect", len(groups[0].queries), 128)


def _masks_of_other_size(observed: str, report: Report) -> None:
    labels = torch.zeros(8, 8, dtype=torch.int64)
    groups = Regions(labels, (labels,)).groups((4, 4), ((8, 8),), 0, 0, torch.device("cpu"))
    report.equal("masks of any size", (len(groups[0].queries), len(groups[0].keys)), (16, 64))


def _missing_mask(observed: str, report: Report) -> None:
    labels = torch.zeros(4, 4, dtype=torch.int64)
    groups = Regions(labels, (labels, labels)).groups((4, 4), ((4, 4), (2, 2)), 0, 0, torch.device("cpu"))
    report.equal("masks of several styles", len(groups[0].keys), 20)
