"""Many jobs at once: a file with one job a line, or one look over a folder of pictures."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from adstudio.errors import JobError
from adstudio.images.opening import SUFFIXES
from adstudio.jobs.choices import Task
from adstudio.jobs.files import MAX_JOB_FILE_BYTES, apply_settings, mapping_from_text, parse_job, read_mapping
from adstudio.jobs.spec import Job

MAX_JOBS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcedJob:
    """A job with absolute paths. source: where it comes from, in words. title: what it is about, for its folder."""

    job: Job
    source: str
    title: str


def read_job_lines(path: Path, settings: Sequence[str] = ()) -> tuple[SourcedJob, ...]:
    """The jobs of a .jsonl file, one JSON object a line, relative paths counted from the file; empty lines are skipped.

    settings: "field=value", applied to every job. Raises JobError naming the line and the field.
    """
    base = path.absolute().parent
    found: list[SourcedJob] = []
    for number, line in _lines(path):
        source = f"{path.name} line {number}"
        try:
            job = parse_job(apply_settings(mapping_from_text(line), settings), base)
        except JobError as error:
            raise JobError(f"{path} line {number}: {error}", field=error.field) from error
        found.append(SourcedJob(job=job, source=source, title=title_of(job)))
        if len(found) > MAX_JOBS:
            raise JobError(f"{path}: has more than {MAX_JOBS} jobs; split it into several files")
    if not found:
        raise JobError(f"{path}: has no job in it; write one JSON object a line")
    return tuple(found)


def jobs_of_folder(look: Path, pictures: Path, settings: Sequence[str] = ()) -> tuple[SourcedJob, ...]:
    """One job for each picture directly in a folder: the job in the file `look` with that picture as its content.

    Raises JobError where the look has no content to replace or the folder has no pictures.
    """
    mapping = apply_settings(read_mapping(look), settings)
    if mapping.get("task") == Task.TEXTURE:
        raise JobError(f"{look}: task: texture takes no content, so it cannot go over a folder", field="task")
    return tuple(
        SourcedJob(
            job=parse_job({**mapping, "content": str(picture)}, look.absolute().parent),
            source=picture.name,
            title=picture.stem,
        )
        for picture in pictures_in(pictures)
    )


def pictures_in(folder: Path) -> tuple[Path, ...]:
    """The picture files directly in a folder, by name; told by their suffixes. Raises JobError where there are none."""
    try:
        files = [one for one in folder.absolute().iterdir() if one.suffix.lower() in SUFFIXES and one.is_file()]
    except OSError as error:
        raise JobError(f"{folder}: the folder of pictures cannot be read ({error.strerror})") from error
    shown = sorted((one for one in files if not one.name.startswith(".")), key=_by_name)
    if not shown:
        raise JobError(f"{folder}: holds no pictures ({', '.join(SUFFIXES)})")
    if len(shown) > MAX_JOBS:
        raise JobError(f"{folder}: holds more than {MAX_JOBS} pictures; split it into several folders")
    return tuple(shown)


def title_of(job: Job) -> str:
    """What a job is about in a word: its content's name, or its first reference's."""
    return (job.content or job.styles[0].image).stem


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        with path.open("rb") as stream:
            number = 0
            while line := stream.readline(MAX_JOB_FILE_BYTES + 1):
                number += 1
                if len(line) > MAX_JOB_FILE_BYTES:
                    raise JobError(f"{path} line {number}: is longer than {MAX_JOB_FILE_BYTES} bytes and so no job")
                text = line.decode("utf-8-sig" if number == 1 else "utf-8")
                if text.strip():
                    yield number, text
    except FileNotFoundError as error:
        raise JobError(f"{path}: there is no such file of jobs") from error
    except IsADirectoryError as error:
        raise JobError(f"{path}: is a folder; name a file with one job a line, or use --look with --folder") from error
    except UnicodeDecodeError as error:
        raise JobError(f"{path}: is not UTF-8 text and so not a file of jobs") from error
    except OSError as error:
        raise JobError(f"{path}: the file of jobs cannot be read ({error.strerror})") from error


def _by_name(path: Path) -> tuple[tuple[int, str], ...]:
    """Numbers inside names count as numbers: 2.png before 10.png."""
    parts = re.split(r"(\d+)", path.name.casefold())
    return tuple((int(part), "") if part.isdecimal() else (-1, part) for part in parts)
