"""`adstudio demo`: the built-in samples through the engine, then a gallery of what came out."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from adstudio.commands.console import say, tell
from adstudio.commands.engine_room import INTERRUPTED_STATUS, EngineRoom
from adstudio.errors import JobError, StorageError
from adstudio.exports.described_run import job_settings
from adstudio.exports.gallery import Gallery, GalleryItem, NamedPicture, write_gallery_file
from adstudio.jobs import run_folder
from adstudio.jobs.choices import Seamless, Task
from adstudio.jobs.events import Cancelled, Failed
from adstudio.jobs.host import EngineFactory, RunRequest
from adstudio.jobs.runs import RunSummary
from adstudio.jobs.spec import Job, Reference
from adstudio.paths import pictures_dir, samples_dir

_TITLES = {
    Task.STYLE_TRANSFER: "Style transfer",
    Task.APPEARANCE_TRANSFER: "Appearance transfer",
    Task.TEXTURE: "Texture",
}
_TEXTURE_SIZE_PX = (960, 640)
_HEADING = "AD Studio: first pictures"
_PAGE_NAME = "index.html"
_OWN_NAMES = re.compile(r"inputs|checkpoints|job\.json|events\.jsonl|result(-\d+)?\.png")


def demo_command(out: Path | None, factory: EngineFactory) -> int:
    """Run each demonstration into its own run folder below out and write out/index.html; the exit status."""
    folder = (out if out is not None else pictures_dir() / "Demo").absolute()
    jobs = demo_jobs(samples_dir())
    _check_place(folder, [_run_name(number, job) for number, (_, job) in enumerate(jobs, start=1)])
    items: list[GalleryItem] = []
    with EngineRoom(factory) as room:
        for number, (title, job) in enumerate(jobs, start=1):
            run_dir = folder / _run_name(number, job)
            tell(f"{number} of {len(jobs)}: {title}")
            request = _request(job, run_dir)
            if run_folder.is_finished(run_dir):
                tell("Already there")
            else:
                last = room.follow(request)
                if isinstance(last, Cancelled):
                    tell("Cancelled; the same command goes on from here")
                    return INTERRUPTED_STATUS
                if isinstance(last, Failed):
                    tell(f"adstudio: {last.reason}")
                    return last.exit_status
            items += _shown(title, job, run_folder.summarize(run_dir))
    page = folder / _PAGE_NAME
    write_gallery_file(page, Gallery(title=_HEADING, items=tuple(items)))
    for item in items:
        say(str(item.result))
    say(f"Gallery: {page}")
    return 0


def demo_jobs(samples: Path) -> tuple[tuple[str, Job], ...]:
    """Title and job of each demonstration, from samples.json. Raises StorageError where the samples are damaged."""
    index_path = samples / "samples.json"
    try:
        index = json.loads(index_path.read_bytes())
        files = {sample["name"]: samples / sample["file"] for sample in index["samples"]}
        named = index["demo"]
        return tuple((title, _job(task, named[task.value], files)) for task, title in _TITLES.items())
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StorageError(f"{index_path}: the samples cannot be read ({error}); install AD Studio again") from error


def _job(task: Task, named: Mapping[str, Any], files: Mapping[str, Path]) -> Job:
    style = Reference(image=files[named["style"]])
    if task is Task.TEXTURE:
        width, height = _TEXTURE_SIZE_PX
        return Job(task=task, styles=(style,), width=width, height=height, seamless=Seamless.BOTH)
    return Job(task=task, content=files[named["content"]], styles=(style,))


def _shown(title: str, job: Job, run: RunSummary) -> list[GalleryItem]:
    inputs = [NamedPicture(name="Content", path=job.content)] if job.content is not None else []
    inputs += [NamedPicture(name="Reference", path=style.image) for style in job.styles]
    settings = job_settings(run.job or job)
    if run.seconds is not None:
        settings = (*settings, ("Time", f"{run.seconds:.1f} s"))
    return [
        GalleryItem(title=title, result=result, before=job.content, inputs=tuple(inputs), settings=settings)
        for result in run.results
    ]


def _run_name(number: int, job: Job) -> str:
    return f"{number:02d}-{job.task.value.replace('_', '-')}"


def _check_place(folder: Path, run_names: Sequence[str]) -> None:
    """Refuse a folder that holds anything but an earlier demonstration. Raises JobError."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise JobError(f"{folder}: is not a folder; choose another place for the demonstration")
    present = {path.name for path in folder.iterdir()}
    page = folder / _PAGE_NAME
    foreign = present - {_PAGE_NAME, *run_names}
    if page.is_file() and _HEADING not in page.read_text(encoding="utf-8", errors="replace"):
        foreign.add(_PAGE_NAME)
    for name in present & set(run_names):
        foreign |= {f"{name}/{path.name}" for path in (folder / name).iterdir() if not _OWN_NAMES.fullmatch(path.name)}
    if foreign:
        raise JobError(
            f"{folder}: holds {min(foreign)}, which is not of the demonstration; choose a new or empty folder"
        )


def _request(job: Job, run_dir: Path) -> RunRequest:
    """Take up the demonstration's run where it is; one of another job, or damaged, is made anew."""
    try:
        return run_folder.create(job, run_dir, resume=True)
    except JobError:
        if not (run_dir / run_folder.JOB_NAME).is_file():
            raise
        shutil.rmtree(run_dir)
        return run_folder.create(job, run_dir, resume=True)
