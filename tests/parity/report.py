"""Errors against tolerances: one row for each array, the worst of all its entries."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor


@dataclass
class Row:
    """The worst error of one array. measure: how it is counted. note: what was allowed beside the tolerance."""

    array: str
    error: float
    tolerance: float
    measure: str
    note: str = ""
    failed: bool = False


@dataclass
class Report:
    """What came of one case."""

    case: str
    rows: list[Row] = field(default_factory=list)
    problem: str = ""
    notes: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        return not self.problem and bool(self.rows) and not any(row.failed for row in self.rows)

    def relative(self, array: str, found: Tensor, wanted: Tensor, tolerance: float, note: str = "") -> None:
        """Relative L2 error."""
        self._add(Row(array, relative_l2(found, wanted), tolerance, "rel L2", note))

    def absolute(self, array: str, found: Tensor, wanted: Tensor, tolerance: float, note: str = "") -> None:
        """Largest absolute error."""
        self._add(Row(array, largest(found, wanted), tolerance, "max abs", note))

    def equal(self, array: str, found: object, wanted: object) -> None:
        """Exactly the same."""
        self._add(Row(array, 0.0 if found == wanted else float("inf"), 0.0, "equal"))

    def steps(
        self, array: str, errors: Sequence[float], tolerance: float, once: float, measure: str = "rel L2"
    ) -> None:
        """Errors of all steps of a run, of which one may reach `once` (an L1 sign that flips)."""
        over = sorted((error for error in errors if not error <= tolerance), reverse=True)
        note = f"{len(over)} of {len(errors)} over" if over else ""
        row = Row(array, max(errors, default=0.0), tolerance, measure, note)
        row.failed = len(over) > 1 or (len(over) == 1 and not over[0] <= once) or not errors
        if len(over) == 1 and not row.failed:
            row.note = f"one step of {len(errors)} up to {once:g}"
        self.rows.append(row)

    def _add(self, row: Row) -> None:
        row.failed = not row.error <= row.tolerance
        for known in self.rows:
            if (known.array, known.measure, known.tolerance) == (row.array, row.measure, row.tolerance):
                known.error, known.failed = max(known.error, row.error), known.failed or row.failed
                return
        self.rows.append(row)


def relative_l2(found: Tensor, wanted: Tensor) -> float:
    """‖found − wanted‖ / ‖wanted‖; infinite where shapes or finiteness differ; absolute where wanted is zero."""
    if found.shape != wanted.shape:
        return float("inf")
    difference = (found.detach().to(torch.float64) - wanted.to(torch.float64)).norm()
    size = wanted.to(torch.float64).norm()
    result = float(difference / size if size > 0 else difference)
    return float("inf") if math.isnan(result) else result


def largest(found: Tensor, wanted: Tensor) -> float:
    """Largest absolute difference; infinite where shapes or finiteness differ."""
    if found.shape != wanted.shape:
        return float("inf")
    result = float((found.detach().to(torch.float64) - wanted.to(torch.float64)).abs().max())
    return float("inf") if math.isnan(result) else result


def table(reports: Sequence[Report]) -> str:
    """All rows, aligned, with a verdict for each case."""
    lines = [f"{'case':<28} {'array':<34} {'error':>10} {'tolerance':>10}  measure"]
    for report in reports:
        for row in report.rows:
            mark = "FAIL " if row.failed else ""
            note = f"  ({row.note})" if row.note else ""
            lines.append(
                f"{report.case:<28} {row.array:<34} {row.error:>10.2e} {row.tolerance:>10.0e}  "
                f"{mark}{row.measure}{note}"
            )
        lines += [f"{report.case:<28} {note}" for note in report.notes]
        verdict = "passed" if report.passed else f"FAILED {report.problem}".rstrip()
        lines.append(f"{report.case:<28} {verdict}")
    failed = sum(not report.passed for report in reports)
    lines.append(f"{len(reports)} cases, {failed} failed")
    return "\n".join(lines)
