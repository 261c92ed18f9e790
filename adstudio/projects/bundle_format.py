"""The format of a bundle: one ZIP that carries runs from project to project, and what makes it one.

`manifest.json` comes first and lists every other member with its size and SHA-256. Names of members are of three kinds
only, so that nothing in a bundle can become a path outside of the folder it is meant for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from pathlib import PurePosixPath

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from adstudio.errors import ProjectError
from adstudio.projects.layout import is_digest, is_run_id
from adstudio.projects.values import Board

SUFFIX = ".adbundle"
MANIFEST = "manifest.json"
FORMAT = 1
MOST_MEMBERS = 200_000
MOST_MANIFEST_BYTES = 64_000_000
MOST_MEMBER_BYTES = 4 << 30
MOST_TIMES_SMALLER = 300
BESIDE = ("run.json", "events.jsonl", "adjustment.json")
_FILE_OF_RUN = re.compile(r"^(inputs/)?[A-Za-z0-9_][A-Za-z0-9_.-]{0,150}$")
_RESERVED = re.compile(r"^(con|prn|aux|nul|com\d|lpt\d)(\..*)?$", re.IGNORECASE)
_SHA256 = r"^[0-9a-f]{64}$"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Member(_Part):
    """A file of the bundle."""

    name: str = Field(max_length=300)
    size_bytes: int = Field(ge=0, le=MOST_MEMBER_BYTES)
    sha256: str = Field(pattern=_SHA256)


class ModelNamed(_Part):
    """A model that runs were made with; the bundle has its digest, not its files."""

    name: str
    digest: str | None = None


class Manifest(_Part):
    """What a bundle holds. missing: digests of objects that the project itself had lost."""

    format: int
    made_with: str = ""
    created: datetime
    project: str = ""
    runs: tuple[str, ...]
    boards: tuple[Board, ...] = ()
    models: tuple[ModelNamed, ...] = ()
    missing: tuple[str, ...] = ()
    members: tuple[Member, ...]


def read_manifest(content: bytes, place: str) -> Manifest:
    """The manifest in a bundle. place: of the bundle, for words. Raises ProjectError."""
    try:
        manifest = Manifest.model_validate_json(content)
    except (ValidationError, RecursionError) as error:
        newer = _format_of(content)
        if newer is not None and newer > FORMAT:
            raise _newer(place) from error
        raise ProjectError(f"{place}: {MANIFEST} is damaged; ask for the bundle again") from error
    if manifest.format > FORMAT:
        raise _newer(place)
    for run_id in manifest.runs:
        if not is_run_id(run_id):
            raise ProjectError(f"{place}: {MANIFEST} names a run {run_id!r:.60}, which is not the id of one")
    if len(set(manifest.runs)) != len(manifest.runs):
        raise ProjectError(f"{place}: {MANIFEST} lists a run twice")
    expected = {f"runs/{run_id}/run.json" for run_id in manifest.runs}
    names = [member.name for member in manifest.members]
    check_names(names, place)
    absent = sorted(expected - set(names))
    if absent:
        raise ProjectError(f"{place}: {absent[0]} is not in it; the bundle is not whole")
    for name in names:
        parts = name.split("/")
        if parts[0] == "runs" and parts[1] not in manifest.runs:
            raise ProjectError(f"{place}: {name} belongs to no run that the bundle lists")
    return manifest


def check_names(names: Iterable[str], place: str) -> None:
    """Raise ProjectError for the first name that no bundle has, or that stands there twice."""
    seen: set[str] = set()
    for name in names:
        if not _is_member(name):
            raise ProjectError(f"{place}: the member {name!r:.120} {_what_is_wrong(name)}; nothing was taken in")
        if name.casefold() in seen:
            raise ProjectError(f"{place}: the member {name} stands in it twice; nothing was taken in")
        seen.add(name.casefold())


def check_file_of_run(name: str, place: str) -> None:
    """Raise ProjectError for what cannot be the name of a picture in a run's folder."""
    if not _FILE_OF_RUN.match(name) or name.endswith(".") or _RESERVED.match(PurePosixPath(name).name):
        raise ProjectError(f"{place}: a run names the file {name!r:.120}, which {_what_is_wrong(name)}")


def object_member(digest: str) -> str:
    """The name of an object's member."""
    return f"objects/{digest}"


def _is_member(name: str) -> bool:
    match name.split("/"):
        case ["objects", digest]:
            return is_digest(digest)
        case ["runs", run_id, file]:
            return is_run_id(run_id) and file in BESIDE
    return False


def _what_is_wrong(name: str) -> str:
    if "\\" in name or re.match(r"^[A-Za-z]:", name) or name.startswith("/"):
        return "is an absolute path or one of another system"
    if ".." in name.split("/"):
        return "leads out of the bundle"
    if _RESERVED.match(name.rsplit("/", 1)[-1]):
        return "is a name that Windows keeps for devices"
    return "is no name of a bundle"


def _format_of(content: bytes) -> int | None:
    found = re.search(rb'"format"\s*:\s*(\d{1,6})', content[:4096])
    return int(found.group(1)) if found else None


def _newer(place: str) -> ProjectError:
    return ProjectError(f"{place}: was made by a newer version of AD Studio; update it to take this bundle in")
