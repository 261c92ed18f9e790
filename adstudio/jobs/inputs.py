"""The pictures a job names: that they fit together, and their copies in a run folder."""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from adstudio.errors import ImageError, JobError
from adstudio.images import LabelMask, load_label_mask, pair_labels
from adstudio.images.opening import opened, upright_size
from adstudio.jobs.defaults import Size, check_model, resolve
from adstudio.jobs.spec import Job

_Read = TypeVar("_Read")

INPUTS_NAME = "inputs"
_CHUNK_BYTES = 1 << 20
_LONGEST_STEM = 40
_SIZE_SLACK_PX = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """A picture of a job. field: its dotted name. role: what its copy is called, unique within a job."""

    field: str
    role: str
    path: Path


def inputs_of(job: Job) -> tuple[Input, ...]:
    """Every picture a job names, in the order of the specification."""
    found: list[Input] = []

    def add(field: str, role: str, path: Path | None) -> None:
        if path is not None:
            found.append(Input(field=field, role=role, path=path))

    add("content", "content", job.content)
    for index, style in enumerate(job.styles):
        add(f"styles.{index}.image", f"style-{index + 1}", style.image)
        add(f"styles.{index}.mask", f"style-{index + 1}-mask", style.mask)
    add("content_mask", "content-mask", job.content_mask)
    add("protect_mask", "protect-mask", job.protect_mask)
    add("start_image", "start", job.start_image)
    if job.control is not None:
        add("control.image", "control", job.control.image)
    return tuple(found)


def with_paths(job: Job, paths: Mapping[str, Path], digests: Mapping[str, str]) -> Job:
    """The job with its pictures replaced by field name, and with these digests."""
    changes: dict[str, Any] = {
        name: paths[name] for name in ("content", "content_mask", "protect_mask", "start_image") if name in paths
    }
    changes["styles"] = tuple(
        style.model_copy(
            update={"image": paths[f"styles.{index}.image"], "mask": paths.get(f"styles.{index}.mask")},
        )
        for index, style in enumerate(job.styles)
    )
    if job.control is not None:
        changes["control"] = job.control.model_copy(update={"image": paths["control.image"]})
    changes["digests"] = dict(digests)
    return job.model_copy(update=changes)


def checked(job: Job) -> Job:
    """The job resolved, once its pictures exist, can be read and fit together.

    Raises JobError naming the field, ImageError's reason included; UnavailableError where the model is not here.
    """
    check_model(job)
    sizes = {one.field: _size_of(one) for one in inputs_of(job)}
    for index, style in enumerate(job.styles):
        _check_crop(style.crop, sizes[f"styles.{index}.image"], f"styles.{index}.crop")
    first = job.styles[0]
    reference_size = first.crop[2:] if first.crop is not None else sizes["styles.0.image"]
    own_size = sizes.get("content", sizes.get("content_mask"))
    resolved = resolve(job, own_size, reference_size)
    _check_masks(resolved, sizes)
    return resolved


def copy_inputs(job: Job, folder: Path) -> Job:
    """Copy every picture into folder/inputs; the job with the copies' absolute paths and their digests.

    Raises OSError where a copy cannot be written, JobError where a picture differs from the job's own digest.
    """
    target = folder / INPUTS_NAME
    target.mkdir(parents=True, exist_ok=True)
    paths: dict[str, Path] = {}
    digests: dict[str, str] = {}
    for one in inputs_of(job):
        copy = target / copy_name(one)
        digest = _copy(one.path, copy)
        check_digest(one, digest, job.digests)
        paths[one.field] = copy
        digests[f"{INPUTS_NAME}/{copy.name}"] = digest
    return with_paths(job, paths, digests)


def verify_inputs(job: Job) -> None:
    """Raise JobError naming the first picture that is gone or differs from its digest, or the model that does.

    Raises UnavailableError where the model is not here any more.
    """
    check_model(job)
    for one in inputs_of(job):
        try:
            digest = digest_of(one.path)
        except OSError as error:
            raise JobError(f"{one.field}: {one.path} cannot be read ({error.strerror})", field=one.field) from error
        check_digest(one, digest, job.digests)


def digest_of(path: Path) -> str:
    """SHA-256 of a file as 64 hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def check_digest(one: Input, digest: str, digests: Mapping[str, str]) -> None:
    """Raise JobError where a picture is not the one whose digest the job carries under its path."""
    written = one.path.as_posix()
    for name, expected in digests.items():
        if (written == name or written.endswith("/" + name)) and digest != expected:
            raise JobError(
                f"{one.field}: {one.path} has changed since this job was made; "
                "put the old file back or start a new job",
                field=one.field,
            )


def _size_of(one: Input) -> Size:
    """(width, height) of an upright picture that can be decoded to its end: a torn file is found now, not halfway."""
    if not one.path.exists():
        raise JobError(f"{one.field}: there is no file {one.path}", field=one.field)
    return _named(one.field, lambda: _decoded_size(one.path))


def _decoded_size(path: Path) -> Size:
    try:
        found = path.stat()
    except OSError:
        return _decoded_size_of(path, 0, 0)  # says in words why it cannot be read
    return _decoded_size_of(path, found.st_size, found.st_mtime_ns)


@lru_cache(maxsize=256)  # a batch names the same references over and over
def _decoded_size_of(path: Path, _size_bytes: int, _changed_ns: int) -> Size:
    with opened(path) as image:
        size = upright_size(image)
        image.draft(None, (image.width // 8, image.height // 8))  # JPEGs are read whole, but at an eighth of the work
        image.load()
    return size


def _named(field: str, read: Callable[[], _Read]) -> _Read:
    try:
        return read()
    except ImageError as error:
        raise JobError(f"{field}: {error}", field=field) from error


def _check_crop(crop: tuple[int, int, int, int] | None, size: Size, field: str) -> None:
    if crop is None:
        return
    left, top, width, height = crop
    if left + width > size[0] or top + height > size[1]:
        raise JobError(
            f"{field}: must lie inside the upright picture of {size[0]} × {size[1]} pixels, got {list(crop)}",
            field=field,
        )


def _check_masks(job: Job, sizes: Mapping[str, Size]) -> None:
    result = (job.width or 1, job.height or 1)
    target_size = sizes.get("content", result)
    if job.protect_mask is not None and not any(
        _alike(sizes["protect_mask"], allowed) for allowed in (target_size, result)
    ):
        raise JobError(
            f"protect_mask: must have the size of the content, {target_size[0]} × {target_size[1]} pixels, "
            f"got {sizes['protect_mask'][0]} × {sizes['protect_mask'][1]} ({job.protect_mask})",
            field="protect_mask",
        )
    if job.content_mask is None:
        return
    target = _label_mask("content_mask", job.content_mask, target_size)
    references: list[LabelMask | None] = []
    for index, style in enumerate(job.styles):
        field = f"styles.{index}.mask"
        references.append(_label_mask(field, style.mask, sizes[f"styles.{index}.image"]) if style.mask else None)
    _named("content_mask", lambda: pair_labels(target, references))


def _label_mask(field: str, path: Path, size: Size) -> LabelMask:
    return _named(field, lambda: load_label_mask(path, expected_size=size))


def _alike(size: Size, wanted: Size) -> bool:
    return all(abs(side - other) <= _SIZE_SLACK_PX for side, other in zip(size, wanted, strict=True))


def copy_name(one: Input) -> str:
    """A name that every file system takes: the role, which is unique, then what is left of the original's name."""
    plain = unicodedata.normalize("NFKD", one.path.stem).encode("ascii", "ignore").decode()
    stem = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:_LONGEST_STEM].strip("-")
    stem = stem.removeprefix(one.role).strip("-")
    suffix = re.sub(r"[^a-z0-9.]", "", one.path.suffix.lower())[:8]
    return f"{one.role}-{stem}{suffix}" if stem else f"{one.role}{suffix}"


def _copy(source: Path, target: Path) -> str:
    """Copy a file and return the SHA-256 of what was copied; the copy is on the disk before this returns."""
    if target.exists() and source.samefile(target):
        return digest_of(source)
    digest = hashlib.sha256()
    with source.open("rb") as reader, target.open("wb") as writer:
        while chunk := reader.read(_CHUNK_BYTES):
            digest.update(chunk)
            writer.write(chunk)
        writer.flush()
        os.fsync(writer.fileno())
    return digest.hexdigest()
