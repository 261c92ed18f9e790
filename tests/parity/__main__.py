"""`python -m tests.parity --cases DIR --models DIR [--images DIR] [CASE…]`: status 1 when a case fails."""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from tests.parity.model_units import replay_model, replay_tuning
from tests.parity.models import Models
from tests.parity.optimize_runs import replay_optimize
from tests.parity.panorama_runs import replay_panorama
from tests.parity.pictures import replay_image_io
from tests.parity.quirk_cases import replay_quirks
from tests.parity.recorded import BadCaseError, Case
from tests.parity.report import Report, table
from tests.parity.sample_runs import replay_sample
from tests.parity.units import replay_adain, replay_flow_schedule, replay_losses, replay_schedule, replay_views

Replay = Callable[[Case, Models, Report], None]

FUNCTIONS: dict[str, Replay] = {
    "optimize()": replay_optimize,
    "sample()": replay_sample,
    "panorama()": replay_panorama,
}
UNITS: dict[str, Replay] = {
    "unit_losses": replay_losses,
    "unit_adain": replay_adain,
    "unit_schedule_flux": replay_flow_schedule,
    "unit_schedule": replay_schedule,
    "unit_views": replay_views,
    "unit_image_io": replay_image_io,
    "unit_models": replay_model,
    "unit_train_vae": replay_tuning,
    "quirks": replay_quirks,
}


def replay(folder: Path, name: str, models: Models) -> Report:
    """Replay one case; what cannot be replayed is a failed report."""
    report = Report(name)
    try:
        case = Case.read(folder, name)
        _kind(case)(case, models, report)
    except (BadCaseError, OSError, KeyError, ValueError, RuntimeError) as error:
        report.problem = f"{type(error).__name__}: {error}"
    return report


def _kind(case: Case) -> Replay:
    function = case.facts.get("function", "")
    for suffix, replay_run in FUNCTIONS.items():
        if function.endswith(suffix):
            return replay_run
    for prefix, replay_unit in UNITS.items():
        if case.name.startswith(prefix):
            return replay_unit
    raise BadCaseError(f"this kind of case is not known ({function or 'no function'})")


def main(arguments: Sequence[str] | None = None) -> int:
    """Replay the named cases, or all of the folder; 0 when all pass, 1 when one fails, 2 without cases."""
    parser = argparse.ArgumentParser(prog="python -m tests.parity", description=__doc__)
    parser.add_argument("--cases", type=Path, required=True, help="folder of the recorded cases")
    parser.add_argument("--models", type=Path, required=True, help="folder of their models")
    parser.add_argument("--images", type=Path, help="folder of their pictures (images beside the cases' folder)")
    parser.add_argument("names", nargs="*", metavar="CASE", help="names of cases; without any, all of them")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)  # as the records were made
    logging.getLogger("diffusers").setLevel(logging.ERROR)
    logging.getLogger("transformers").setLevel(logging.ERROR)
    names = options.names or sorted(path.stem for path in options.cases.glob("*.json"))
    if not names:
        print(f"there are no cases in {options.cases}", file=sys.stderr)  # noqa: T201 - a program for people
        return 2
    models = Models(options.models, options.images or options.cases.parent / "images")
    reports = []
    for name in names:
        began = time.perf_counter()
        reports.append(replay(options.cases, name, models))
        took = time.perf_counter() - began
        print(f"{name}: {'passed' if reports[-1].passed else 'FAILED'} in {took:.1f} s", file=sys.stderr)  # noqa: T201
    print(table(reports))  # noqa: T201
    return 0 if all(report.passed for report in reports) else 1


if __name__ == "__main__":
    sys.exit(main())
