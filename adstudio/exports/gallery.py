"""A page with runs side by side: one HTML file with everything in it, for any browser, without a network."""

from __future__ import annotations

import base64
import html
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import numpy as np
from PIL import Image

from adstudio.errors import ImageError, StorageError
from adstudio.exports.gallery_page import PAGE, SCRIPT, STYLE
from adstudio.images import atomic_write_bytes, load_image
from adstudio.jobs.runs import RunSummary
from adstudio.jobs.spec import Job

_EMBEDDED_PIXELS = 1_000_000
_THUMBNAIL_PIXELS = 90_000
_JPEG_QUALITY = 90
_SETTINGS = ("content_weight", "stroke_scale", "coverage", "attention_scale", "num_inference_steps", "seamless", "seed")


@dataclass(frozen=True, slots=True, kw_only=True)
class GalleryEntry:
    """A run under a title of its own."""

    title: str
    run: RunSummary


def write_gallery(page: Path, entries: Sequence[GalleryEntry], *, heading: str) -> None:
    """Write the page; pictures are embedded at up to a megapixel and link to the full files beside it.

    Raises StorageError where the page cannot be written.
    """
    cards = "\n".join(_card(entry, page.parent) for entry in entries)
    text = PAGE.format(heading=html.escape(heading), style=STYLE, script=SCRIPT, cards=cards)
    try:
        page.parent.mkdir(parents=True, exist_ok=True)
        atomic_write_bytes(page, text.encode())
    except OSError as error:
        raise StorageError(
            f"{page}: the gallery cannot be written ({error.strerror}); choose another folder"
        ) from error


def _card(entry: GalleryEntry, base: Path) -> str:
    title = html.escape(entry.title)
    job = entry.run.job
    if job is None or not entry.run.results:
        reason = html.escape(entry.run.reason or f"This run is {entry.run.status}.")
        return f'<article class="card"><h2>{title}</h2><p class="problem">{reason}</p></article>'
    views = "\n".join(_view(result, job, base, title) for result in entry.run.results)
    return (
        f'<article class="card"><header><h2>{title}</h2><p class="time">{_time(entry.run)}</p></header>\n{views}\n'
        f'<div class="inputs">{_inputs(job, base)}</div>\n<dl>{_settings(job)}</dl></article>'
    )


def _view(result: Path, job: Job, base: Path, title: str) -> str:
    after = _picture(result, _EMBEDDED_PIXELS)
    if after is None:
        return '<p class="problem">The result cannot be read.</p>'
    source, width, height = after
    link = html.escape(_link(result, base), quote=True)
    picture = f'<img src="{source}" width="{width}" height="{height}" alt="{title}: the result">'
    before = _picture(job.content, _EMBEDDED_PIXELS) if job.content is not None else None
    full = f'<a class="full" href="{link}">Full size</a>'
    if before is None:
        return f'<figure class="view" style="--ratio:{width}/{height}">{picture}{full}</figure>'
    return (
        f'<figure class="view compare" style="--ratio:{width}/{height}">{picture}'
        f'<img class="before" src="{before[0]}" width="{width}" height="{height}" alt="{title}: the content before">'
        f'<input type="range" min="0" max="100" value="0" step="0.1" aria-label="{title}: before and after">'
        f'<span class="tag left">Before</span><span class="tag right">After</span>{full}</figure>'
    )


def _inputs(job: Job, base: Path) -> str:
    named: list[tuple[str, Path]] = [("Content", job.content)] if job.content is not None else []
    several = len(job.styles) > 1
    named += [(f"Reference {n}" if several else "Reference", style.image) for n, style in enumerate(job.styles, 1)]
    parts: list[str] = []
    for label, path in named:
        picture = _picture(path, _THUMBNAIL_PIXELS)
        if picture is not None:
            source, width, height = picture
            link = html.escape(_link(path, base), quote=True)
            parts.append(
                f'<a href="{link}"><img src="{source}" width="{width}" height="{height}" alt="{label}">'
                f"<span>{label}</span></a>"
            )
    return "".join(parts)


def _settings(job: Job) -> str:
    pairs = [("Size", f"{job.width} × {job.height} px"), ("Model", job.model)]
    for name in _SETTINGS:
        value = getattr(job, name)
        field_extra = Job.model_fields[name].json_schema_extra
        if value is None or not isinstance(field_extra, dict) or str(value) == "none":
            continue
        words = field_extra.get("ui")
        label = str(words["label"]) if isinstance(words, dict) else name
        pairs.append((label, f"{value:g}" if isinstance(value, float) else str(value)))
    return "".join(f"<div><dt>{html.escape(name)}</dt><dd>{html.escape(value)}</dd></div>" for name, value in pairs)


def _time(run: RunSummary) -> str:
    return f"{run.seconds:.1f} s" if run.seconds is not None else ""


def _picture(path: Path, pixels: int) -> tuple[str, int, int] | None:
    """A picture as a data address with its width and height, at most that many pixels; None where it cannot be read."""
    try:
        loaded = load_image(path, reduce_to_pixels=pixels).pixels
    except (ImageError, OSError):
        return None
    levels = np.clip(np.rint(loaded * 255), 0, 255).astype(np.uint8)
    image = Image.fromarray(levels)
    if image.width * image.height > pixels:
        scale = (pixels / (image.width * image.height)) ** 0.5
        size = (max(1, int(image.width * scale)), max(1, int(image.height * scale)))
        image = image.resize(size, Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=_JPEG_QUALITY, subsampling=0, optimize=True)
    address = "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode()
    return address, image.width, image.height


def _link(path: Path, base: Path) -> str:
    try:
        return quote(Path(os.path.relpath(path, base)).as_posix())
    except ValueError:  # another drive
        return path.absolute().as_uri()
