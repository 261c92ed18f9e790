"""`adstudio doctor PROJECT`: whether a project is as it should be, and with --repair what can be mended, mended."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from adstudio.commands.console import say
from adstudio.projects import Finding, Project
from adstudio.projects.integrity import broken_database


def doctor_project_command(folder: Path, *, repair: bool, as_json: bool) -> int:
    """Print the findings; 0 where nothing is wrong, or all is mended, otherwise 1.

    Raises ProjectError where the folder is no project or another window writes it.
    """
    broken = broken_database(folder)
    notices: tuple[str, ...] = ()
    if broken is not None and not repair:
        findings: tuple[Finding, ...] = (broken,)
        runs = None
    else:
        with Project.open(folder, read_only=not repair) as project:
            notices = project.notices if repair else ()
            findings = project.repair() if repair else project.check()
            runs = project.count()
    left = [finding for finding in findings if not finding.mended]
    if as_json:
        report = {"project": str(folder), "notices": notices, "findings": [asdict(finding) for finding in findings]}
        say(json.dumps(report, ensure_ascii=False, indent=2))
    else:
        for notice in notices:
            say(notice)
        for finding in findings:
            mark, rest = ("mended ", "") if finding.mended else ("wrong  ", f" -> {finding.way_out}")
            say(f"{mark}  {finding.what}{rest}")
        if not left:
            say(f"ok       {folder}: {runs} runs, every picture as it was")
    return 1 if left else 0
