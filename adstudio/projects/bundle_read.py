"""A bundle from somebody else: read to its end and held to its manifest before anything of it is used."""

from __future__ import annotations

import hashlib
import json
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from adstudio.errors import AdStudioError, ProjectError, StorageError
from adstudio.jobs.files import mapping_from_text, parse_job
from adstudio.jobs.inputs import inputs_of
from adstudio.projects.bundle_export import objects_of
from adstudio.projects.bundle_format import (
    MANIFEST,
    MOST_MANIFEST_BYTES,
    MOST_MEMBERS,
    MOST_TIMES_SMALLER,
    Manifest,
    Member,
    check_file_of_run,
    check_names,
    object_member,
    read_manifest,
)
from adstudio.projects.sidecars import SidecarError, run_from_sheet
from adstudio.projects.values import Run

_CHUNK_BYTES = 1 << 20
_MOST_TEXT_BYTES = 64_000_000
_KINDS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_ENCRYPTED = 0x1


class Bundle:
    """An open bundle whose manifest is sound; `runs` and the members are checked by `verify`.

    Made by `opened`. Every method raises ProjectError for what is wrong with the bundle, naming the member.
    """

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self.path = path
        self._archive = archive
        self._infos = self._listed()
        info = self._infos.pop(MANIFEST, None)
        if info is None:
            raise ProjectError(f"{path}: has no {MANIFEST}, so it is no bundle of AD Studio")
        if info.file_size > MOST_MANIFEST_BYTES:
            raise ProjectError(f"{path}: {MANIFEST} is too large to be one")
        self.manifest: Manifest = read_manifest(b"".join(self._chunks(MANIFEST, info.file_size)), str(path))
        self._members = {member.name: member for member in self.manifest.members}
        self._agree()

    @classmethod
    @contextmanager
    def opened(cls, path: Path) -> Iterator[Self]:
        """Raises ProjectError for what is no bundle, StorageError where the file cannot be read."""
        try:
            with zipfile.ZipFile(path) as archive:
                yield cls(path, archive)
        except zipfile.BadZipFile as error:
            raise ProjectError(f"{path}: is damaged or no bundle of AD Studio ({error}); ask for it again") from error
        except (zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
            raise ProjectError(f"{path}: cannot be unpacked ({error}); ask for the bundle again") from error
        except OSError as error:
            raise StorageError(f"{path}: the bundle cannot be read ({error.strerror or error})") from error

    def verify(self) -> tuple[Run, ...]:
        """Read every member to its end and hold it to the manifest; the runs, with the names of their files checked."""
        runs = tuple(self._run(run_id) for run_id in self.manifest.runs)
        for member in self.manifest.members:
            for _ in self.content(member.name):
                pass
        return runs

    def content(self, name: str) -> Iterator[bytes]:
        """A member in pieces, its size and digest held to the manifest at the end."""
        member = self._members[name]
        digest = hashlib.sha256()
        for chunk in self._chunks(name, member.size_bytes):
            digest.update(chunk)
            yield chunk
        if digest.hexdigest() != member.sha256:
            raise ProjectError(f"{self.path}: {name} is not what {MANIFEST} says; nothing was taken in")

    def text(self, name: str) -> bytes:
        """A small member as a whole, b"" where it is not there."""
        if name not in self._members:
            return b""
        if self._members[name].size_bytes > _MOST_TEXT_BYTES:
            raise ProjectError(f"{self.path}: {name} is too large to be what it is called; nothing was taken in")
        return b"".join(self.content(name))

    def has_object(self, digest: str) -> bool:
        return object_member(digest) in self._members

    def _listed(self) -> dict[str, zipfile.ZipInfo]:
        infos = self._archive.infolist()
        if len(infos) > MOST_MEMBERS:
            raise ProjectError(f"{self.path}: has {len(infos)} members; no bundle has so many")
        check_names((info.filename for info in infos if info.filename != MANIFEST), str(self.path))
        if sum(info.filename == MANIFEST for info in infos) > 1:
            raise ProjectError(f"{self.path}: {MANIFEST} stands in it twice; nothing was taken in")
        for info in infos:
            if stat.S_ISLNK(info.external_attr >> 16) or stat.S_ISDIR(info.external_attr >> 16):
                raise ProjectError(f"{self.path}: {info.filename} is a link or a folder; nothing was taken in")
            if info.flag_bits & _ENCRYPTED or info.compress_type not in _KINDS:
                raise ProjectError(f"{self.path}: {info.filename} is packed in a way that no bundle is")
        return {info.filename: info for info in infos}

    def _agree(self) -> None:
        """The list in the file and the one in the manifest are the same."""
        for name in self._infos:
            if name not in self._members:
                raise ProjectError(f"{self.path}: {name} is not in its {MANIFEST}; nothing was taken in")
        for name, member in self._members.items():
            info = self._infos.get(name)
            if info is None:
                raise ProjectError(f"{self.path}: {name} is missing; the bundle is not whole")
            self._check_size(info, member)

    def _check_size(self, info: zipfile.ZipInfo, member: Member) -> None:
        if info.file_size != member.size_bytes:
            raise ProjectError(
                f"{self.path}: {member.name} has another size than {MANIFEST} says; nothing was taken in"
            )
        most = info.compress_size * MOST_TIMES_SMALLER + 4096
        if info.file_size > most:
            raise ProjectError(f"{self.path}: {member.name} grows out of all proportion; nothing was taken in")

    def _chunks(self, name: str, size_bytes: int) -> Iterator[bytes]:
        read = 0
        with self._archive.open(name) as stream:
            while chunk := stream.read(min(_CHUNK_BYTES, size_bytes - read + 1)):
                read += len(chunk)
                if read > size_bytes:
                    break
                yield chunk
        if read != size_bytes:
            raise ProjectError(f"{self.path}: {name} is not as long as it says; nothing was taken in")

    def _run(self, run_id: str) -> Run:
        name = f"runs/{run_id}/run.json"
        place = f"{self.path}: {name}"
        try:
            run = run_from_sheet(json.loads(self.text(name)), place)
        except (SidecarError, ValueError, RecursionError) as error:
            raise ProjectError(f"{place} does not hold a run; nothing was taken in") from error
        if run.id != run_id:
            raise ProjectError(f"{place} belongs to another run; nothing was taken in")
        for file in [*(one.file for one in run.inputs), *(one.file for one in run.results)]:
            check_file_of_run(file, place)
        self._check_job(run, place)
        for stored in objects_of(run):
            known = self._members.get(object_member(stored.digest))
            if known is None and stored.digest not in self.manifest.missing:
                raise ProjectError(f"{place}: the picture {stored.digest[:12]}… is not in the bundle")
            if known is not None and known.sha256 != stored.digest:
                raise ProjectError(f"{self.path}: {known.name} is called after another content")
        return run

    @staticmethod
    def _check_job(run: Run, place: str) -> None:
        """The job names exactly the run's own pictures, and none by a path that leads elsewhere."""
        if not run.job_text:
            return
        base = Path("/bundle" if Path("/").is_absolute() else "C:/bundle")
        try:
            job = parse_job(mapping_from_text(run.job_text), base)
        except AdStudioError as error:
            raise ProjectError(f"{place}: its job is wrong ({error})") from error
        files = {one.file for one in run.inputs}
        for one in inputs_of(job):
            relative = one.path.relative_to(base).as_posix() if one.path.is_relative_to(base) else ""
            if relative not in files:
                raise ProjectError(f"{place}: its job names a picture that is not the run's own ({one.field})")
