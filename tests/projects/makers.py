"""Projects with runs in them, made by a scripted engine behind the real host."""

from __future__ import annotations

import asyncio
from pathlib import Path

from adstudio.jobs.host import RunRequest
from adstudio.jobs.spec import Job
from adstudio.projects import Project, Run
from tests.fakes import FakeHost, Script, sample_job


def compute(project: Project, request: RunRequest, *scripts: Script) -> Run:
    """Let the scripted engine do a run of the project, its events recorded. Without scripts, no previews."""
    host = FakeHost(*(scripts or [Script(previews=False)]))

    async def story() -> None:
        async for event in host.events(host.submit(request)):
            project.record_event(request.folder.name, event)
        await host.shutdown()

    asyncio.run(story())
    return project.run(request.folder.name)


def finished_run(project: Project, pictures: Path, **changes: object) -> Run:
    """A finished run of the sample job with these fields changed."""
    return compute(project, project.begin_run(job_in(pictures, **changes)))


def job_in(pictures: Path, **changes: object) -> Job:
    """The sample job, its pictures written into a folder."""
    return sample_job(pictures).model_copy(update=changes)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }
