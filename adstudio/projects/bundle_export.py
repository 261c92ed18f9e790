"""Runs out of a project into one file; constant memory, whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import zipfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import adstudio
from adstudio.errors import ProjectError
from adstudio.jobs.files import mapping_from_text, name_of_model
from adstudio.projects.bundle_format import (
    BESIDE,
    FORMAT,
    MANIFEST,
    SUFFIX,
    Manifest,
    Member,
    ModelNamed,
    object_member,
)
from adstudio.projects.files import digest_and_size, in_words
from adstudio.projects.rows import now
from adstudio.projects.search import Query, ids_of
from adstudio.projects.sidecars import all_boards, run_sheet
from adstudio.projects.store import Store
from adstudio.projects.values import Health, Run, RunState, StoredObject

_CHUNK_BYTES = 1 << 20
_MOMENT = (1980, 1, 1, 0, 0, 0)
_GOING = frozenset({RunState.QUEUED, RunState.RUNNING})


def export_bundle(
    store: Store, target: Path, run_ids: Sequence[str] | None, *, ancestors: bool, frames: bool
) -> Manifest:
    """Write a bundle; see `Project.export_bundle`."""
    target = target if target.suffix == SUFFIX else target.with_name(target.name + SUFFIX)
    if target.exists():
        raise ProjectError(f"{target}: is there already; choose another name for the bundle")
    chosen = ids_of(store.database, Query()) if run_ids is None else tuple(dict.fromkeys(run_ids))
    if ancestors:
        chosen = _with_ancestors(store, chosen)
    runs = [run for run in (store.run(run_id) for run_id in chosen) if run.state not in _GOING]
    if not runs:
        raise ProjectError(f"{target}: there is no run to put into it; those that go on are left out")
    if not frames:
        runs = [replace(run, frames=()) for run in runs]
    with in_words(target, "the bundle cannot be written"):
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f".{secrets.token_hex(8)}.part")
        try:
            manifest = _write(store, runs, part)
            store.files.rename(part, target)
        finally:
            with suppress(OSError):
                part.unlink(missing_ok=True)
    return manifest


def _write(store: Store, runs: Sequence[Run], part: Path) -> Manifest:
    texts: dict[str, bytes] = {}
    for run in runs:
        texts |= _texts(store, run)
    members = [
        Member(name=name, size_bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
        for name, content in texts.items()
    ]
    missing: list[str] = []
    objects: dict[str, StoredObject] = {one.digest: one for run in runs for one in objects_of(run)}
    for digest in sorted(objects):
        if store.objects.look_at(digest) is not Health.SOUND:
            missing.append(digest)
            continue
        _, size_bytes = digest_and_size(store.objects.path(digest))
        members.append(Member(name=object_member(digest), size_bytes=size_bytes, sha256=digest))
    chosen = {run.id for run in runs}
    boards = tuple(
        replace(board, run_ids=tuple(one for one in board.run_ids if one in chosen))
        for board in all_boards(store.database)
        if chosen & set(board.run_ids)
    )
    manifest = Manifest(
        format=FORMAT,
        made_with=f"AD Studio {adstudio.__version__}",
        created=now(),
        project=str(store.database.value("SELECT value FROM meta WHERE key = 'name'") or ""),
        runs=tuple(run.id for run in runs),
        boards=boards,
        models=_models(runs),
        missing=tuple(missing),
        members=tuple(members),
    )
    with part.open("xb") as stream:
        with zipfile.ZipFile(stream, "w", allowZip64=True) as bundle:
            _put(bundle, MANIFEST, manifest.model_dump_json(indent=2).encode() + b"\n")
            for name, content in texts.items():
                _put(bundle, name, content)
            for member in members[len(texts) :]:
                _copy(bundle, member, store.objects.path(member.sha256))
        stream.flush()
        os.fsync(stream.fileno())
    return manifest


def objects_of(run: Run) -> Iterable[StoredObject]:
    """Every picture of a run, once or more."""
    yield from (one.object for one in run.inputs)
    yield from (one.object for one in run.results)
    for frame in run.frames:
        yield from (one for one in (frame.picture, frame.latents) if one is not None)


def _texts(store: Store, run: Run) -> dict[str, bytes]:
    """The small files of a run by the names of their members."""
    folder = store.layout.run(run.id)
    texts = {f"runs/{run.id}/run.json": run_sheet(without_places(run))}
    for name in BESIDE[1:]:
        with suppress(FileNotFoundError):
            texts[f"runs/{run.id}/{name}"] = (folder / name).read_bytes()
    return texts


def without_places(run: Run) -> Run:
    """A run whose models are named rather than found by paths of this machine; their digests tell which they are."""
    if not run.job_text:
        return run
    job = mapping_from_text(run.job_text)
    before = json.dumps(job)
    job["model"] = name_of_model(job.get("model", "patch"))
    owners: list[tuple[dict[str, Any], str]] = [(lora, "path") for lora in job.get("loras", [])]
    owners += [(job["control"], "model")] if job.get("control", {}).get("model") else []
    for owner, field in owners:
        owner[field] = name_of_model(owner[field])
    if json.dumps(job) == before:
        return run
    return replace(run, model=name_of_model(run.model), job_text=json.dumps(job, ensure_ascii=False, indent=2) + "\n")


def _models(runs: Sequence[Run]) -> tuple[ModelNamed, ...]:
    found = {(name_of_model(run.model), run.model_digest) for run in runs}
    return tuple(ModelNamed(name=name, digest=digest) for name, digest in sorted(found, key=str))


def _with_ancestors(store: Store, chosen: Sequence[str]) -> tuple[str, ...]:
    """These runs and all that they were made from, as far as it is still there."""
    found = dict.fromkeys(chosen)
    waiting = list(chosen)
    while waiting:
        for one in store.run(waiting.pop()).lineage:
            is_there = store.database.value("SELECT 1 FROM runs WHERE id = ?", (one.parent_id,)) is not None
            if is_there and one.parent_id not in found:
                found[one.parent_id] = None
                waiting.append(one.parent_id)
    return tuple(found)


def _info(name: str, *, compressed: bool) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _MOMENT)
    info.compress_type = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    info.external_attr = 0o644 << 16
    return info


def _put(bundle: zipfile.ZipFile, name: str, content: bytes) -> None:
    bundle.writestr(_info(name, compressed=True), content)


def _copy(bundle: zipfile.ZipFile, member: Member, source: Path) -> None:
    """Pictures are compressed already, and stored as they are. Raises OSError where one has changed meanwhile."""
    info = _info(member.name, compressed=False)
    info.file_size = member.size_bytes
    digest = hashlib.sha256()
    with source.open("rb") as reader, bundle.open(info, "w", force_zip64=member.size_bytes >= 1 << 31) as writer:
        while chunk := reader.read(_CHUNK_BYTES):
            digest.update(chunk)
            writer.write(chunk)
    if digest.hexdigest() != member.sha256:
        raise OSError(f"{source} has changed while it was copied")
