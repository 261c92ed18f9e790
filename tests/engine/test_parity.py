"""The recorded cases of the official code, where they are at hand; the rest of them by `python -m tests.parity`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.parity.__main__ import main, replay
from tests.parity.models import Models
from tests.parity.recorded import BadCaseError, Case, RecordedNoise
from tests.parity.report import Report

GOLDENS = Path(__file__).parents[3] / "shared" / "goldens"
QUICK = [
    "quirks",
    "unit_losses",
    "unit_adain",
    "unit_adain_flux",
    "unit_schedule",
    "unit_schedule_flux",
    "unit_views",
    "unit_image_io",
    "unit_models_sd15",
    "unit_models_sdxl",
    "unit_models_flux",
    "opt_style_content_64",
    "opt_masks_uncovered",
    "opt_content_b2",
    "opt_two_styles_texture_b2",
    "sample_content_start_time",
    "sample_tiling_enable",
    "sdxl_init_from_style",
    "flux_t2i",
]


@pytest.fixture(scope="module")
def models() -> Models:
    return Models(GOLDENS / "models", GOLDENS / "images")


@pytest.mark.skipif(not GOLDENS.is_dir(), reason="the recorded cases are not beside this checkout")
@pytest.mark.parametrize("name", QUICK)
def test_the_engine_computes_what_was_recorded(models: Models, name: str) -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        report = replay(GOLDENS / "cases", name, models)
    finally:
        torch.set_num_threads(threads)
    failed = [f"{row.array}: {row.error:.2e} > {row.tolerance:.0e}" for row in report.rows if row.failed]
    assert report.passed, report.problem or failed


def test_cases_of_unknown_kinds_fail(tmp_path: Path) -> None:
    (tmp_path / "novel.json").write_text(json.dumps({"case": "novel", "function": "sd15:dream()"}))
    report = replay(tmp_path, "novel", Models(tmp_path, tmp_path))
    assert not report.passed
    assert "not known" in report.problem
    assert main(["--cases", str(tmp_path), "--models", str(tmp_path)]) == 1


def test_a_case_whose_parts_are_missing_fails(tmp_path: Path) -> None:
    facts = {"case": "unit_adain", "function": ""}
    (tmp_path / "unit_adain.json").write_text(json.dumps(facts))
    assert not replay(tmp_path, "unit_adain", Models(tmp_path, tmp_path)).passed


def test_errors_beyond_tolerance_fail_and_one_flipped_sign_does_not() -> None:
    report = Report("made")
    report.steps("grad", [1e-6, 5e-3, 1e-6], 1e-4, 1e-2)
    assert report.passed
    twice = Report("made")
    twice.steps("grad", [1e-6, 5e-3, 5e-3], 1e-4, 1e-2)
    assert not twice.passed
    for values in (torch.tensor([float("nan")]), torch.zeros(2)):
        report = Report("made")
        report.relative("x", values, torch.ones(1), 1.0)
        assert not report.passed


def test_recorded_noise_is_handed_out_by_purpose_and_shape(tmp_path: Path) -> None:
    drawn = np.arange(4, dtype=np.float32).reshape(1, 1, 2, 2)
    facts = {"draws": [{"role": "init_latents", "array": "draw_000"}]}
    noise = RecordedNoise(Case("made", facts, {"draw_000": drawn}))
    from adstudio.engine.noise import Draw

    with pytest.raises(BadCaseError, match="the run wants"):
        RecordedNoise(Case("made", facts, {"draw_000": drawn})).normal((1, 1, 3, 3), Draw.START)
    assert noise.normal((1, 1, 2, 2), Draw.START).flatten().tolist() == [0, 1, 2, 3]
    with pytest.raises(BadCaseError, match="more start noise"):
        noise.normal((1, 1, 2, 2), Draw.START)
