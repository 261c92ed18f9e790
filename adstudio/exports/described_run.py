"""What a gallery says beside a picture: the settings of its job in words, and where it came from."""

from __future__ import annotations

from pathlib import Path

from adstudio.errors import ProjectError
from adstudio.exports.gallery import Gallery, GalleryItem, NamedPicture
from adstudio.jobs.spec import Job
from adstudio.projects import Project, Query, Run, RunInput

_SETTINGS = ("content_weight", "stroke_scale", "coverage", "attention_scale", "num_inference_steps", "seamless", "seed")
_CONTENT = "content"


def gallery_of(
    project: Project, run_ids: tuple[str, ...] | None = None, *, title: str = "", introduction: str = ""
) -> Gallery:
    """The results of these runs in this order, or of all of the project from the oldest on; title: else its name.

    Raises ProjectError where a run is not there, or none of them has a picture.
    """
    ids = tuple(reversed(project.run_ids(Query()))) if run_ids is None else run_ids
    items = [item for run in project.runs(ids) for item in _items(project, run)]
    if not items:
        raise ProjectError(f"{project.name}: there is no finished picture to be shown; name other runs, or run a job")
    return Gallery(title=title or project.name, introduction=introduction, items=tuple(items))


def job_settings(job: Job) -> tuple[tuple[str, str], ...]:
    """Name and value of what decides a job's picture, in the window's words."""
    size = f"{job.width} × {job.height} px" if job.width is not None and job.height is not None else ""
    pairs = [("Size", size), ("Model", job.model)]
    for name in _SETTINGS:
        value = getattr(job, name)
        extra = Job.model_fields[name].json_schema_extra
        if value is None or not isinstance(extra, dict) or str(value) == "none":
            continue
        words = extra.get("ui")
        label = str(words["label"]) if isinstance(words, dict) else name
        pairs.append((label, f"{value:g}" if isinstance(value, float) else str(value)))
    return tuple((name, value) for name, value in pairs if value)


def _items(project: Project, run: Run) -> list[GalleryItem]:
    results = [one for one in run.results if one.object.usable]
    if not results:
        return []
    content = next((one for one in run.inputs if one.field == _CONTENT and one.object.usable), None)
    styles = [one for one in run.inputs if _is_style(one) and one.object.usable]
    named = [("Content", content)] if content is not None else []
    several = len(styles) > 1
    named += [(f"Reference {n}" if several else "Reference", one) for n, one in enumerate(styles, start=1)]
    inputs = tuple(
        NamedPicture(name=f"{label}: {_stem(one)}", path=project.object_path(one.object.digest)) for label, one in named
    )
    title = _title(run, content, styles)
    return [
        GalleryItem(
            title=title if len(results) == 1 else f"{title} ({number})",
            result=project.object_path(result.object.digest),
            before=project.object_path(content.object.digest) if content is not None else None,
            inputs=inputs,
            settings=job_settings(project.job(run)),
            prompt=run.prompt,
            notes=run.notes,
        )
        for number, result in enumerate(results, start=1)
    ]


def _title(run: Run, content: RunInput | None, styles: list[RunInput]) -> str:
    look = ", ".join(_stem(one) for one in styles)
    if content is not None:
        return f"{_stem(content)} in the look of {look}" if look else _stem(content)
    return " ".join(run.prompt.split()) or (f"Texture of {look}" if look else run.id)


def _stem(one: RunInput) -> str:
    return Path(one.name).stem.replace("_", " ").strip() or one.field


def _is_style(one: RunInput) -> bool:
    return one.field.startswith("styles.") and one.field.endswith(".image")
